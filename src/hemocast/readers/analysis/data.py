"""What the analysis of a reader study starts from: scans, models and readings as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.stats import Cases
from hemocast.stats.estimate import BoolArray, Float64Array, IntArray

UNAIDED, AIDED = "unaided", "aided"


@dataclass(frozen=True)
class ReadingTable:
    """Readings, one row each, with what is known of their scans.

    Parameters
    ----------
    reader, arm : ndarray of object (str), shape (n,)
        Who, and ``"unaided"`` or ``"aided"``.
    row : ndarray of int64, shape (n,)
        The scan, as its place among those of the predictions.
    truth : ndarray of bool, shape (n,)
        The scan's outcome.
    patient : ndarray of int64, shape (n,)
        Whose it is.
    probability : ndarray of float64, shape (n,)
        NaN where the reader gave none.
    decision : ndarray of bool, shape (n,)
        Yes, or no.
    seconds : ndarray of float64, shape (n,)
        NaN where not measured.
    repeat : ndarray of int64, shape (n,)
        0 the first time, above 0 for a repeat.
    simulated : bool
        The table says that its readers are simulated.
    n_unobserved : int
        Further readings, left out, of scans whose outcome was never observed.
    """

    reader: NDArray[np.object_]
    arm: NDArray[np.object_]
    row: IntArray
    truth: BoolArray
    patient: IntArray
    probability: Float64Array
    decision: BoolArray
    seconds: Float64Array
    repeat: IntArray
    simulated: bool = False
    n_unobserved: int = 0

    def part(self, chosen: BoolArray | IntArray) -> ReadingTable:
        """Return some of the rows, by mask or by place."""
        whole = ("simulated", "n_unobserved")
        columns = [one.name for one in fields(self) if one.name not in whole]
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    @property
    def n_patients(self) -> int:
        """Patients whose scans were read."""
        return int(np.unique(self.patient).size)

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


def crossed(own: ReadingTable, rows: IntArray, values: Float64Array) -> Cases:
    """Arrange values of the readings of one arm as cases of some scans and all readers.

    Parameters
    ----------
    own : ReadingTable
        Of one arm, without repeats.
    rows : ndarray of int64, shape (n,)
        Scans that all have read, sorted, from `common_rows`.
    values : ndarray of float64
        One for each reading: its probability, or its decision.

    Raises
    ------
    StatisticsError
        No scan, or a value that is missing.
    """
    at = np.searchsorted(rows, own.row)
    mine = np.isin(own.row, rows)
    names, reader = np.unique(own.reader.astype(str), return_inverse=True)
    scores = np.full((names.size, rows.size), np.nan)
    scores[reader[mine], at[mine]] = values[mine]
    _, first = np.unique(own.row[mine], return_index=True)
    return Cases(own.truth[mine][first], scores, own.patient[mine][first])
