"""What the analysis of a reader study starts from: scans, models and readings as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.stats.estimate import BoolArray, FloatArray, IntArray

UNAIDED, AIDED = "unaided", "aided"


@dataclass(frozen=True)
class Reference:
    """The scans of a study, with what is known of them.

    Parameters
    ----------
    scan : ndarray of object (str), shape (n,)
        Keys.
    patient : ndarray of int64, shape (n,)
        The patient of every scan.
    label : ndarray of bool, shape (n,)
        Outcomes.
    """

    scan: NDArray[np.object_]
    patient: IntArray
    label: BoolArray


@dataclass(frozen=True)
class RatedModel:
    """A model's probabilities of the scans of a `Reference`; NaN where it rated none."""

    name: str
    probability: FloatArray
    threshold: float


@dataclass(frozen=True)
class ReadingTable:
    """Readings, one row each.

    Parameters
    ----------
    reader, arm : ndarray of object (str), shape (n,)
        Who, and ``"unaided"`` or ``"aided"``.
    row : ndarray of int64, shape (n,)
        The scan, as an index into the `Reference`.
    probability : ndarray of float64, shape (n,)
        NaN where the reader gave none.
    decision : ndarray of bool, shape (n,)
        Yes, or no.
    seconds : ndarray of float64, shape (n,)
        NaN where not measured.
    repeat : ndarray of int64, shape (n,)
        0 the first time, above 0 for a repeat.
    """

    reader: NDArray[np.object_]
    arm: NDArray[np.object_]
    row: IntArray
    probability: FloatArray
    decision: BoolArray
    seconds: FloatArray
    repeat: IntArray

    def part(self, chosen: BoolArray) -> ReadingTable:
        """Return some of the rows."""
        return ReadingTable(
            self.reader[chosen], self.arm[chosen], self.row[chosen], self.probability[chosen],
            self.decision[chosen], self.seconds[chosen], self.repeat[chosen],
        )  # fmt: skip

    @property
    def readers(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(sorted({str(name) for name in self.reader}))

    @property
    def arms(self) -> tuple[str, ...]:
        """Those that are there, unaided first."""
        found = {str(arm) for arm in self.arm}
        return tuple(arm for arm in (UNAIDED, AIDED) if arm in found)


def common_rows(readings: ReadingTable) -> IntArray:
    """Scans that every reader of these readings read under every arm of them, sorted."""
    pairs = {(str(a), str(b)) for a, b in zip(readings.reader, readings.arm, strict=True)}
    rows, counts = np.unique(readings.row, return_counts=True)
    return np.asarray(rows[counts == len(pairs)], dtype=np.int64)


def grid(own: ReadingTable, rows: IntArray, values: FloatArray) -> FloatArray:
    """Arrange values of the readings of one arm by reader and scan, shape (readers, rows)."""
    readers = own.readers
    place = np.full(int(own.row.max()) + 1, -1)
    place[rows] = np.arange(rows.size)
    arranged = np.full((len(readers), rows.size), np.nan)
    for k, name in enumerate(readers):
        mine = (own.reader == name) & (place[own.row] >= 0)
        arranged[k, place[own.row[mine]]] = values[mine]
    return arranged
