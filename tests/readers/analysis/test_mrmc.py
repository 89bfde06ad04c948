from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.readers.analysis.data import crossed
from hemocast.readers.analysis.mrmc import METRICS_TESTED, aided_tests, model_tests
from hemocast.stats import Cases, compare_with_readers, crossed_study, obuchowski_rockette
from hemocast.stats.cases import ModelCases


def test_a_model_is_held_against_the_readers_of_the_scans_that_it_rated(
    readings: Callable, crossed_rows: list, model: ModelCases
) -> None:
    table = readings(crossed_rows)
    found = {(t.second, t.metric): t for t in model_tests(table, [model])}
    assert set(found) == {(f"readers {a}", m) for a in table.arms for m in METRICS_TESTED}
    test = found["readers unaided", "auc"]
    arm = table.part(table.arm == "unaided")
    rows = np.arange(7)
    readers = crossed(arm, rows, arm.probability)
    both = Cases(readers.truth, np.vstack([model.on(rows).cases.score, readers.scores]))
    told = compare_with_readers(both, names=list("ABC"))
    assert (test.n, test.n_patients, test.n_readers) == (7, 7, 3)
    # There, readers minus model; here, model minus readers.
    assert test.difference.difference == -told.random_readers_and_cases.difference
    assert test.difference.ci_low == -told.random_readers_and_cases.ci_high
    assert test.difference.p == told.random_readers_and_cases.p
    assert test.first_mean - test.second_mean == pytest.approx(test.difference.difference)
    assert [one.second for one in test.per_reader] == ["A", "B", "C"]


def test_aided_minus_unaided_is_that_of_the_analysis(
    readings: Callable, crossed_rows: list
) -> None:
    table = readings(crossed_rows)
    test = next(t for t in aided_tests(table) if t.metric == "auc")
    told = obuchowski_rockette(
        crossed_study(table.truth, table.arm, table.reader, table.row, table.probability)
    )
    wide = told.random_readers_and_cases.differences[0]
    assert (wide.first, wide.second) == ("aided", "unaided")
    assert (test.difference.difference, test.difference.p) == (wide.difference, wide.p)
    assert (test.first, test.second) == ("readers aided", "readers unaided")


def test_one_arm_alone_has_no_test_of_help(readings: Callable, crossed_rows: list) -> None:
    assert aided_tests(readings([row for row in crossed_rows if row[1] == "aided"])) == ()


def test_what_cannot_be_tested_says_why(
    readings: Callable, crossed_rows: list, model: ModelCases
) -> None:
    nan = float("nan")
    table = readings([row if row[2] else (*row[:3], nan, 0) for row in crossed_rows])
    by_metric = {t.metric: t for t in model_tests(table, [model])}
    assert by_metric["auc"].reason == "not every reading has a probability"
    assert by_metric["sensitivity"].reason == ""
    assert {t.metric: t.reason for t in aided_tests(table)}["auc"] == by_metric["auc"].reason
    alone = readings([row for row in crossed_rows if row[0] == "A"])
    assert all("single reader" in t.reason for t in model_tests(alone, [model]))
    elsewhere = replace(model, rows=model.rows + 100)
    for test in model_tests(readings(crossed_rows), [elsewhere]):
        assert test.reason == "no scan was rated by the model and all readers"
        assert np.isnan(test.difference.p)
        assert test.difference.warning == test.reason


def test_the_components_of_a_crossed_study_are_given(
    readings: Callable, crossed_rows: list
) -> None:
    table = readings(crossed_rows)
    test = next(t for t in aided_tests(table) if t.metric == "auc")
    told = obuchowski_rockette(
        crossed_study(table.truth, table.arm, table.reader, table.row, table.probability)
    )
    given = dict(test.quantities)
    assert given["MS(T)"] == told.ms_treatment
    assert given["variance of treatment:reader"] == told.components.treatment_reader
    assert given["F, to other readers and cases"] == told.random_readers_and_cases.statistic
    assert given["df2, to other readers and cases"] == told.random_readers_and_cases.df2
    assert given["chi-square, to other cases"] == told.fixed_readers.statistic
    assert (test.left_out, "rests on 3 readers" in str(test.difference.warning)) == ("", True)


def test_arms_with_readers_of_their_own_are_compared(readings: Callable) -> None:
    table = readings(_rows({"unaided": "ABC", "aided": "DEF"}))
    test = next(t for t in aided_tests(table) if t.metric == "auc")
    assert (test.reason, test.design) == ("", "readers of its own in each, the same cases")
    assert np.isfinite(test.difference.p)
    assert test.difference.difference == pytest.approx(test.first_mean - test.second_mean)


def test_a_reader_of_one_arm_alone_is_left_out_and_named(readings: Callable) -> None:
    table = readings(
        [row for row in _rows({"unaided": "ABC", "aided": "ABCD"}) if row[:3] != ("B", "aided", 5)]
    )
    test = next(t for t in aided_tests(table) if t.metric == "auc")
    assert (test.n_readers, test.n) == (3, 7)
    assert test.left_out == "left out: reader D and 1 scan that not all of the others read"


def test_arms_with_scans_of_their_own_are_compared(readings: Callable) -> None:
    rows = [
        row for row in _rows({"unaided": "ABC", "aided": "ABC"})
        if (row[1] == "aided") == (row[2] in (0, 1, 3, 4))
    ]  # fmt: skip
    test = next(t for t in aided_tests(readings(rows)) if t.metric == "specificity")
    assert test.design == "the same readers, cases of its own in each"
    assert test.reason == ""


def _rows(readers: dict[str, str]) -> list[tuple[str, str, int, float, int]]:
    rng = np.random.default_rng(3)
    return [
        (
            reader,
            arm,
            scan,
            round(float(rng.uniform(0.1, 0.7) + 0.2 * (scan in (0, 1, 2, 6))), 2),
            0,
        )
        for arm, names in readers.items()
        for reader in names
        for scan in range(8)
    ]
