"""A reader study analysed, against numbers by hand and against R's MRMCaov."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.readers.analysis.analyse import Rater, ReaderAnalysis, analyse_readings
from hemocast.readers.analysis.data import ReadingTable, common_rows
from hemocast.stats import Cases, Resampling
from hemocast.stats.cases import ModelCases


def table(
    rows: list[tuple[str, str, int, float, int, float, int]], label: list[int]
) -> ReadingTable:
    reader, arm, row, probability, decision, seconds, repeat = zip(*rows, strict=True)
    return ReadingTable(
        reader=np.array(reader, dtype=object),
        arm=np.array(arm, dtype=object),
        row=np.array(row, dtype=np.int64),
        truth=np.array(label)[np.array(row)] == 1,
        patient=np.array(row, dtype=np.int64),
        probability=np.array(probability, dtype=float),
        decision=np.array(decision) == 1,
        seconds=np.array(seconds, dtype=float),
        repeat=np.array(repeat, dtype=np.int64),
    )


def model_of(label: list[int]) -> ModelCases:
    score = [0.9, 0.8, 0.7, 0.3, 0.2, 0.1]
    return ModelCases("M", Cases(label, score), np.arange(6), 0.5)


LABEL = [1, 1, 1, 0, 0, 0]
A = [0.9, 0.6, 0.2, 0.7, 0.3, 0.1]
B = [0.8, 0.9, 0.7, 0.2, 0.6, 0.1]


@pytest.fixture(scope="module")
def small() -> ReaderAnalysis:
    rows = [
        (name, "unaided", i, p, int(p >= 0.5), 10.0 + i, 0)
        for name, given in (("A", A), ("B", B))
        for i, p in enumerate(given)
    ]
    rows += [("A", "unaided", 0, 0.7, 1, 5.0, 1), ("A", "unaided", 1, 0.4, 0, 5.0, 1)]
    return analyse_readings(table(rows, LABEL), [model_of(LABEL)], Resampling(200))


def rater(analysis: ReaderAnalysis, name: str) -> Rater:
    return next(one for one in analysis.raters if one.name == name)


def test_table_2_by_hand(small: ReaderAnalysis) -> None:
    a = rater(small, "A")
    assert a.cells is not None
    assert (a.cells.tp, a.cells.fn, a.cells.fp, a.cells.tn) == (2, 1, 1, 2)
    assert a["sensitivity"].value == pytest.approx(2 / 3)
    # .9 above all three; .6 above two; .2 above one.
    assert a.auc.value == pytest.approx(6 / 9)
    assert a.auc_one_point.value == pytest.approx(2 / 3)
    assert rater(small, "B").auc.value == 1.0
    assert rater(small, "B").auc.ci_low < 0.6
    average = rater(small, "Average of 2 readers")
    assert average["accuracy"].value == pytest.approx((4 / 6 + 5 / 6) / 2)
    assert average.auc.value == pytest.approx((6 / 9 + 1) / 2)
    assert "readers fixed" in average.auc.ci_method


def test_agreement_of_all_pairs_and_of_repeats(small: ReaderAnalysis) -> None:
    pairs = {(p.first, p.second): p for p in small.agreement.pairs}
    assert set(pairs) == {("A", "B"), ("M", "A"), ("M", "B")}
    # A says 1 1 0 1 0 0 and B says 1 1 1 0 1 0.
    assert pairs["A", "B"].percent.value == pytest.approx(3 / 6)
    assert pairs["M", "B"].percent.value == pytest.approx(5 / 6)
    (own,) = small.agreement.repeats
    assert (own.first, own.n) == ("A", 2)
    assert own.percent.value == 0.5
    assert own.probability_gap == pytest.approx(0.2)


def test_time_is_that_of_first_readings(small: ReaderAnalysis) -> None:
    a, _ = small.times
    assert (a.reader, a.n, a.median) == ("A", 6, 12.5)


def test_readers_who_only_decide_have_no_auc_and_no_test_of_it() -> None:
    nan = float("nan")
    rows = [
        (name, "unaided", i, nan, int(p >= 0.5), nan, 0)
        for name, given in (("A", A), ("B", B))
        for i, p in enumerate(given)
    ]
    found = analyse_readings(table(rows, LABEL), [model_of(LABEL)], Resampling(200))
    a = rater(found, "A")
    assert np.isnan(a.auc.value)
    assert "no probability" in str(a.auc.warning)
    assert a.auc_one_point.value == pytest.approx(2 / 3)
    test = next(one for one in found.tests if one.metric == "auc")
    assert "probability" in test.reason
    assert not found.times


def test_readers_who_read_different_scans_are_compared_on_the_common_ones() -> None:
    rows = [("A", "unaided", i, p, int(p >= 0.5), 1.0, 0) for i, p in enumerate(A)]
    rows += [("B", "unaided", i, p, int(p >= 0.5), 1.0, 0) for i, p in enumerate(B[:5])]
    readings = table(rows, LABEL)
    assert common_rows(readings).tolist() == [0, 1, 2, 3, 4]
    found = analyse_readings(readings, [], Resampling(200))
    assert rater(found, "A").n == 6
    assert rater(found, "Average of 2 readers").n == 5
    assert "B read 5 of 6" in found.warnings[0]


@pytest.mark.parametrize("label", [[1] * 6, [0] * 6])
def test_one_class_only_gives_reasons(label: list[int]) -> None:
    rows = [
        (name, arm, i, p, int(p >= 0.5), 1.0, 0)
        for name, given in (("A", A), ("B", B))
        for arm in ("unaided", "aided")
        for i, p in enumerate(given)
    ]
    found = analyse_readings(table(rows, label), [], Resampling(200))
    assert np.isnan(rater(found, "A").auc.value)
    assert rater(found, "A").auc.warning
    assert all(test.reason for test in found.tests if test.metric == "auc")
