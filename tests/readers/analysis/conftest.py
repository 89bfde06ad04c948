"""Readings of two readers, by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.readers.analysis.data import ReadingTable
from hemocast.stats import Cases
from hemocast.stats.cases import ModelCases

LABEL = (1, 1, 1, 0, 0, 0, 1, 0)


@pytest.fixture
def readings() -> Callable[..., ReadingTable]:
    """Return a maker of readings from (reader, arm, scan, probability, repeat)."""

    def make(rows: list[tuple[str, str, int, float, int]]) -> ReadingTable:
        reader, arm, row, probability, repeat = (np.array(x) for x in zip(*rows, strict=True))
        return ReadingTable(
            reader=reader.astype(object),
            arm=arm.astype(object),
            row=row.astype(np.int64),
            truth=np.array(LABEL)[row] == 1,
            patient=row.astype(np.int64),
            probability=probability.astype(float),
            decision=probability >= 0.5,
            seconds=np.full(row.size, 10.0),
            repeat=repeat.astype(np.int64),
        )

    return make


@pytest.fixture
def crossed_rows() -> list[tuple[str, str, int, float, int]]:
    """Three readers of eight scans, without and with the model."""
    rng = np.random.default_rng(0)
    return [
        (reader, arm, scan, round(float(rng.uniform(0.1, 0.6) + 0.3 * LABEL[scan]), 2), 0)
        for reader in ("A", "B", "C")
        for arm in ("unaided", "aided")
        for scan in range(8)
    ]


@pytest.fixture
def model() -> ModelCases:
    """Return a model that rated all scans but the last, in another order."""
    rows = np.array([6, 5, 4, 3, 2, 1, 0])
    score = np.array([0.7, 0.2, 0.6, 0.3, 0.4, 0.8, 0.9])
    return ModelCases("M", Cases(np.array(LABEL)[rows], score, rows), rows, 0.5)
