from collections.abc import Callable

import numpy as np
import pytest

from hemocast.readers.analysis.agreement import measure_agreement
from hemocast.stats import cohen_kappa, fleiss_kappa, gwet_ac1
from hemocast.stats.cases import ModelCases


def test_pairs_are_compared_on_the_scans_that_both_read(
    readings: Callable, crossed_rows: list, model: ModelCases
) -> None:
    table = readings([row for row in crossed_rows if row[:3] != ("B", "unaided", 0)])
    found = measure_agreement(table, [model])
    pairs = {(p.first, p.second, p.arm): p for p in found.pairs}
    assert len(pairs) == 2 * (3 + 3)
    own = pairs["A", "B", "unaided"]
    arm = table.part(table.arm == "unaided")
    a, b = (arm.part(arm.reader == name) for name in "AB")
    assert own.n == 7
    assert own.kappa == cohen_kappa(a.decision[1:], b.decision)
    assert own.probability_gap == pytest.approx(np.abs(a.probability[1:] - b.probability).mean())
    # The model has not rated the last scan.
    assert pairs["M", "A", "aided"].n == 7
    assert pairs["M", "B", "unaided"].n == 6


def test_all_readers_of_an_arm_together(readings: Callable, crossed_rows: list) -> None:
    table = readings(crossed_rows)
    group = measure_agreement(table, []).groups[0]
    arm = table.part(table.arm == "unaided")
    ratings = np.stack([arm.decision[arm.reader == name] for name in "ABC"], axis=1)
    assert (group.arm, group.n_readers, group.n) == ("unaided", 3, 8)
    assert group.fleiss.value == pytest.approx(fleiss_kappa(ratings).value)
    assert group.ac1.value == pytest.approx(gwet_ac1(ratings).value)


def test_of_several_repeats_the_first_is_held_against_the_first_reading(readings: Callable) -> None:
    rows = [("A", "unaided", s, p, 0) for s, p in enumerate((0.9, 0.2, 0.6))]
    rows += [("A", "unaided", 0, 0.1, 2), ("A", "unaided", 0, 0.8, 1), ("A", "unaided", 2, 0.7, 1)]
    (own,) = measure_agreement(readings(rows), []).repeats
    assert (own.first, own.second, own.n, own.percent.value) == ("A", "A", 2, 1.0)


def test_readers_without_a_common_scan_have_a_reason(readings: Callable) -> None:
    found = measure_agreement(
        readings([("A", "unaided", 0, 0.9, 0), ("B", "unaided", 1, 0.2, 0)]), []
    )
    assert "0 scan(s) decided on by both" in str(found.pairs[0].kappa.warning)
    assert "0 scan(s) read by all" in str(found.groups[0].fleiss.warning)
    assert np.isnan(found.pairs[0].probability_gap)
