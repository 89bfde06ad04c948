"""A reader study as a full grid: every reader rated every case under every treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Float64Array


@dataclass(frozen=True)
class ReaderStudy:
    """A fully crossed study.

    Parameters
    ----------
    treatments, readers, scans : tuple of str
        Names, sorted.
    cases : Cases
        Of all readers under the first treatment, then under the second, ...: ratings or decisions.
    """

    treatments: tuple[str, ...]
    readers: tuple[str, ...]
    scans: tuple[str, ...]
    cases: Cases

    @property
    def ratings(self) -> Float64Array:
        """Ratings or decisions, shape (treatments, readers, scans)."""
        return self.cases.scores.reshape(len(self.treatments), len(self.readers), -1)


def crossed_study(
    truth: ArrayLike,
    treatment: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    rating: ArrayLike,
    patient: ArrayLike | None = None,
) -> ReaderStudy:
    """Arrange a list of readings, in any order, as the grid that the analysis needs.

    Parameters
    ----------
    truth : array_like of 0/1, shape (readings,)
        The outcome of the case of each reading.
    treatment, reader, case : array_like, shape (readings,)
        Their names (pseudonyms).
    rating : array_like, shape (readings,)
        Ratings, probabilities or decisions.
    patient : array_like, shape (readings,), optional
        The patient of the case, where patients have several.

    Raises
    ------
    StatisticsError
        A reading that is missing or there twice (which one is said), a case with two outcomes or
        two patients, or columns that do not fit together.
    """
    given = Cases(truth, rating)
    n = given.n
    names, codes = zip(
        *(
            _named(column, n, word)
            for column, word in ((treatment, "treatment"), (reader, "reader"), (case, "case"))
        ),
        strict=True,
    )
    shape = tuple(len(group) for group in names)
    cell = np.ravel_multi_index(codes, shape)
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    _require_once(counts, names)
    ratings = np.empty(shape)
    ratings[codes] = given.score
    keys, owner = _named(case if patient is None else patient, n, "patient")
    cases = Cases(
        _per_case(given.truth.astype(np.int64), codes[2], names[2], "outcomes") == 1,
        ratings.reshape(shape[0] * shape[1], shape[2]),
        np.asarray(keys)[_per_case(owner, codes[2], names[2], "patients")],
    )
    treatments, readers, scans = (tuple(group) for group in names)
    return ReaderStudy(treatments, readers, scans, cases)


def _named(column: ArrayLike, n: int, word: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the sorted names of a column and the number of each row's name."""
    array = np.asarray(column)
    if array.shape != (n,):
        raise StatisticsError(
            f"There are {n} readings and a {word} column of shape {array.shape}",
            f"the {word} of every reading",
            "Check that all columns come from the same table",
        )
    keys, index = np.unique(array.astype(str), return_inverse=True)
    return [str(key) for key in keys], index.astype(np.int64).reshape(n)


def _require_once(counts: NDArray[np.int64], names: tuple[list[str], ...]) -> None:
    for wrong, seen in ((counts == 0, "did not rate"), (counts > 1, "rated more than once")):
        if not wrong.any():
            continue
        treatment, reader, case = (int(place[0]) for place in np.nonzero(wrong))
        others = int(wrong.sum()) - 1
        raise StatisticsError(
            f"Reader {names[1][reader]} {seen} case {names[2][case]} under treatment "
            f"{names[0][treatment]}" + (f", and {others} more such readings" if others else ""),
            "every reader to have rated every case once under every treatment",
            "Keep the cases that all rated under all treatments, and one reading of each",
        )


def _per_case(
    values: NDArray[np.int64], case: NDArray[np.int64], names: list[str], word: str
) -> NDArray[np.int64]:
    """Take one value per case, which all its readings must share."""
    first = np.zeros(len(names), dtype=np.int64)
    first[case[::-1]] = values[::-1]
    differ = np.flatnonzero(values != first[case])
    if differ.size:
        raise StatisticsError(
            f"Case {names[case[differ[0]]]} has two different {word}",
            f"the same {word} in all readings of a case",
            "Correct the table",
        )
    return first
