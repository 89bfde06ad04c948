from collections.abc import Callable

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.data import common_rows, crossed

NAN = float("nan")


def test_readers_arms_and_patients_are_those_that_are_there(readings: Callable) -> None:
    table = readings(
        [("B", "aided", 3, 0.2, 0), ("A", "unaided", 1, 0.9, 0), ("A", "aided", 3, 0.4, 1)]
    )
    assert (table.readers, table.arms, table.n_patients) == (("A", "B"), ("unaided", "aided"), 2)
    part = table.part(table.arm == "aided")
    assert (part.readers, part.arms, part.repeat.tolist()) == (("A", "B"), ("aided",), [0, 1])
    assert table.part(np.array([1])).reader.tolist() == ["A"]


def test_common_scans_are_those_that_all_read_in_all_arms(readings: Callable) -> None:
    rows = [(r, "unaided", s, 0.5, 0) for r in "AB" for s in (2, 0, 1)] + [
        ("A", "aided", 1, 0.5, 0)
    ]
    assert common_rows(readings(rows[:6])).tolist() == [0, 1, 2]
    assert common_rows(readings(rows)).tolist() == [1]
    assert common_rows(readings(rows[1:6])).tolist() == [0, 1]


def test_readings_in_any_order_become_cases_by_scan_and_reader(readings: Callable) -> None:
    table = readings(
        [
            ("B", "unaided", 3, 0.1, 0), ("A", "unaided", 1, 0.9, 0), ("B", "unaided", 1, 0.8, 0),
            ("A", "unaided", 3, 0.2, 0), ("A", "unaided", 7, 0.5, 0),
        ]
    )  # fmt: skip
    cases = crossed(table, np.array([1, 3]), table.probability)
    assert cases.scores.tolist() == [[0.9, 0.2], [0.8, 0.1]]
    assert cases.truth.tolist() == [True, False]
    assert cases.n_patients == 2


def test_a_reading_that_is_missing_is_refused(readings: Callable) -> None:
    table = readings([("A", "unaided", 1, NAN, 0), ("B", "unaided", 1, 0.8, 0)])
    with pytest.raises(StatisticsError, match="1 of 2 scores are missing"):
        crossed(table, np.array([1]), table.probability)
