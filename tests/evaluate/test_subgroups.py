from collections.abc import Callable

import numpy as np
import pytest

from hemocast.evaluate.subgroups import evaluate_subgroups
from hemocast.stats import Resampling, auc_interval, categories

FEW = Resampling(100)


def test_every_level_has_the_numbers_of_its_scans_alone(model: Callable) -> None:
    one = model(n=160)
    site = np.where(np.arange(160) % 4 < 2, "A", "B")
    rows, tests = evaluate_subgroups(one, [categories("site", site)], FEW)
    assert [(row.grouping, row.level, row.n) for row in rows] == [
        ("site", "A", 80),
        ("site", "B", 80),
    ]
    alone = auc_interval(one.cases.part(site == "A"))
    assert dict(rows[0].metrics)["auc"].value == alone.value
    assert {test.metric: test.p_holm for test in tests}.keys() == {"auc", "calibration_line"}
    assert all(test.p is not None and test.n_unknown == 0 for test in tests)


def test_unknown_scans_are_a_group_and_counted(model: Callable) -> None:
    site = np.array(["A", "B", "", "A", "B"] * 32)
    rows, tests = evaluate_subgroups(model(n=160), [categories("site", site)], FEW)
    assert rows[-1].level == "missing"
    assert "these cases have no value" in str(dict(rows[-1].metrics)["auc"].warning)
    assert {test.n_unknown for test in tests} == {32}


def test_a_small_group_is_left_out_of_the_test_with_the_reason(model: Callable) -> None:
    site = np.array(["A"] * 110 + ["B"] * 10)
    rows, tests = evaluate_subgroups(model(), [categories("site", site)], FEW)
    assert "too small to conclude from" in str(dict(rows[1].metrics)["auc"].warning)
    for test in tests:
        assert (test.p, test.p_holm) == (None, None)
        assert "B: 5 patients of the smaller class" in test.reason


@pytest.mark.parametrize("values", [["A"] * 120, [""] * 120])
def test_one_group_alone_is_no_grouping(model: Callable, values: list[str]) -> None:
    assert evaluate_subgroups(model(), [categories("site", values)], FEW) == ([], [])


def test_a_model_that_rated_some_scans_takes_their_levels(model: Callable) -> None:
    one = model().on(np.arange(0, 120, 3))
    site = np.where(np.arange(120) < 60, "A", "B")
    rows, _ = evaluate_subgroups(one, [categories("site", site)], FEW)
    assert [row.n for row in rows] == [20, 20]
