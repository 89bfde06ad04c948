"""Probabilities of readers and models, scan by scan."""

from __future__ import annotations

import numpy as np

from hemocast.readers.analysis.data import ReadingTable
from hemocast.readers.analysis.ratings import ratings_of
from hemocast.stats import Cases
from hemocast.stats.cases import ModelCases

NAN = float("nan")


def readings(*rows: tuple[str, str, int, float]) -> ReadingTable:
    reader, arm, scan, probability = zip(*rows, strict=True)
    n = len(rows)
    at = np.array(scan, dtype=np.int64)
    return ReadingTable(
        reader=np.array(reader, dtype=object), arm=np.array(arm, dtype=object), row=at,
        truth=at > 5, patient=at, probability=np.array(probability), decision=np.zeros(n, bool),
        seconds=np.full(n, NAN), repeat=np.zeros(n, np.int64),
    )  # fmt: skip


def test_each_value_stands_at_its_scan_whatever_the_order() -> None:
    own = readings(
        ("B", "unaided", 7, 0.7), ("B", "unaided", 2, 0.2), ("A", "unaided", 2, 0.1),
        ("C", "unaided", 2, NAN), ("A", "aided", 7, 0.9),
    )  # fmt: skip
    model = ModelCases("M", Cases([1, 0, 0], [0.8, 0.3, 0.5]), np.array([7, 2, 4]), 0.5)
    unaided, aided = ratings_of(own, [model])
    assert unaided.names == ("M", "A", "B"), "C gave no probability"
    assert unaided.truth.tolist() == [False, True], "scan 4 was read by nobody"
    np.testing.assert_array_equal(unaided.probability, [[0.3, 0.8], [0.1, NAN], [0.2, 0.7]])
    assert (aided.arm, aided.names) == ("aided", ("M", "A"))


def test_one_rater_alone_is_set_beside_nobody() -> None:
    assert list(ratings_of(readings(("A", "unaided", 1, 0.5)), [])) == []
