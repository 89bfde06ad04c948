"""Cases: what every statistic takes. Validated here, once; no statistic checks them again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import BoolArray, Float64Array, IntArray, few_warning


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Cases:
    """Scans with their outcomes and patients, and what one or more raters said of them.

    Parameters
    ----------
    truth : array_like of 0/1, shape (n,)
        Outcomes; kept as bool.
    score : array_like, shape (n,) or (raters, n)
        Finite numbers, higher meaning more likely: risks, or decisions (0 and 1). Kept as `scores`,
        float64, shape (raters, n).
    patient : array_like, shape (n,), optional
        The patient of every case, by any key; every case another one if left out. Kept as numbers
        0 ... n_patients - 1 in the sorted order of the keys, so that neither the order of the rows
        nor the kind of key changes a seeded result.

    Raises
    ------
    StatisticsError
        No cases; an outcome other than 0 and 1; scores or patients of another number than the
        outcomes; a score that is no finite number.
    """

    truth: BoolArray
    scores: Float64Array
    patient: IntArray

    def __init__(
        self, truth: ArrayLike, score: ArrayLike, patient: ArrayLike | None = None
    ) -> None:
        outcomes = as_labels(truth)
        keys = np.arange(outcomes.size) if patient is None else np.asarray(patient)
        if keys.shape != outcomes.shape:
            raise StatisticsError(
                f"There are {outcomes.size} labels and patients of shape {keys.shape}",
                "the patient of every case",
                "Check that both come from the same cases",
            )
        object.__setattr__(self, "truth", outcomes)
        object.__setattr__(self, "scores", _as_scores(score, outcomes.size))
        number = np.unique(keys, return_inverse=True)[1].astype(np.int64).reshape(keys.shape)
        object.__setattr__(self, "patient", number)

    def __repr__(self) -> str:
        return (
            f"Cases({self.n} scans of {self.n_patients} patients, {self.n_positive} with the "
            f"outcome, {len(self.scores)} rater{'' if len(self.scores) == 1 else 's'})"
        )

    @property
    def n(self) -> int:
        """Cases."""
        return self.truth.size

    @cached_property
    def n_patients(self) -> int:
        """Patients."""
        return int(self.patient.max()) + 1

    @property
    def n_positive(self) -> int:
        """Cases with the outcome."""
        return int(self.truth.sum())

    @property
    def clustered(self) -> bool:
        """Whether a patient has several cases."""
        return self.n_patients < self.n

    @property
    def cluster(self) -> IntArray:
        """What varies on its own, shape (n,): the patient; the case where none has several."""
        return self.patient if self.clustered else np.arange(self.n)

    @property
    def score(self) -> Float64Array:
        """What the only rater said, shape (n,).

        Raises
        ------
        StatisticsError
            There are several raters.
        """
        self.require_raters(1)
        (only,) = self.scores
        return np.asarray(only)

    def require_raters(self, wanted: int) -> None:
        """Refuse another number of raters.

        Raises
        ------
        StatisticsError
            There is one.
        """
        if len(self.scores) != wanted:
            raise StatisticsError(
                f"There are {len(self.scores)} raters", f"{wanted}", "Choose those to be analysed"
            )

    def rater(self, number: int) -> Cases:
        """Return the cases as one of the raters saw them."""
        return Cases(self.truth, self.scores[number], self.patient)

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Cases:
        """Return some of the cases, by mask or by place, their patients numbered anew."""
        return Cases(self.truth[chosen], self.scores[:, chosen], self.patient[chosen])

    def patients(self, among: BoolArray) -> int:
        """Count the patients of some cases, given as a mask."""
        seen = np.zeros(self.n_patients, dtype=np.bool_)
        seen[self.patient[among]] = True
        return int(seen.sum())

    @cached_property
    def smaller_class(self) -> int:
        """Patients of the smaller class; one with cases of both counts in both."""
        return min(self.patients(self.truth), self.patients(~self.truth))

    @property
    def few(self) -> str | None:
        """The warning of an interval that rests on few patients of a class, or None."""
        return few_warning(self.smaller_class)

    def both_classes(self) -> tuple[int, int]:
        """Return the numbers of cases with and without the outcome, for what needs both.

        Raises
        ------
        StatisticsError
            One of them is 0.
        """
        positive, negative = self.n_positive, self.n - self.n_positive
        if not (positive and negative):
            raise StatisticsError(
                f"Of {self.n} cases, {positive} have the outcome and {negative} do not",
                "cases of both classes",
                "Add cases of the missing class; discrimination is undefined without them",
            )
        return positive, negative

    def probabilities(self) -> Float64Array:
        """Return the scores, shape (raters, n), for what takes them as probabilities.

        Raises
        ------
        StatisticsError
            Some lie outside [0, 1].
        """
        outside = int(((self.scores < 0) | (self.scores > 1)).sum())
        if outside:
            raise StatisticsError(
                f"{outside} of {self.scores.size} probabilities lie outside 0 to 1",
                "fractions from 0 to 1",
                "Divide percentages by 100, and pass logits through the logistic function",
            )
        return self.scores

    def probability(self) -> Float64Array:
        """Return what the only rater said, shape (n,), as `probabilities` does."""
        self.probabilities()
        return self.score


ThresholdSource = Literal["column", "option", "default", "prevalence"]


@dataclass(frozen=True)
class ModelCases:
    """One model's cases among the scans of a table.

    Parameters
    ----------
    name : str
        As the table gives it.
    cases : Cases
        Of the scans that the model rated, with its probabilities.
    rows : ndarray of int64, shape (n,)
        Which scan of the table each case is.
    threshold : float
        At or above it a scan counts as positive.
    threshold_source : {"column", "option", "default", "prevalence"}
        Who said so; the last two where nobody did: .5, or the share with the outcome where that is
        far from even.
    """

    name: str
    cases: Cases
    rows: IntArray
    threshold: float
    threshold_source: ThresholdSource = "column"

    def on(self, rows: IntArray) -> ModelCases:
        """Return the model on some of its scans, in the sorted order of their rows.

        Raises
        ------
        StatisticsError
            It rated none of them.
        """
        shared, at, _ = np.intersect1d(self.rows, rows, return_indices=True)
        return replace(self, cases=self.cases.part(at), rows=shared)


def as_labels(label: ArrayLike) -> BoolArray:
    """Check outcomes or decisions and return them as a bool array, shape (n,).

    Raises
    ------
    StatisticsError
        No cases, more than one dimension, or a value other than 0 and 1 (or False and True).
    """
    array = np.asarray(label)
    if array.ndim != 1 or array.size == 0:
        raise StatisticsError(
            f"The labels have shape {array.shape}", "one label per case", "Give a list of labels"
        )
    if array.dtype == np.bool_:
        return np.asarray(array, dtype=np.bool_)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.full(array.size, np.nan)
    odd = (numbers != 0) & (numbers != 1)
    if odd.any():
        raise StatisticsError(
            f"{int(odd.sum())} of {array.size} labels are neither 0 nor 1",
            "0 for no outcome and 1 for the outcome",
            "Recode the labels, and leave out the cases without one",
        )
    return np.asarray(numbers == 1, dtype=np.bool_)


def as_pair(first: ArrayLike, second: ArrayLike) -> tuple[BoolArray, BoolArray]:
    """Check the yes/no decisions of two raters on the same cases, both of shape (n,).

    Raises
    ------
    StatisticsError
        Different lengths, or values other than 0 and 1.
    """
    a, b = as_labels(first), as_labels(second)
    if a.size != b.size:
        raise StatisticsError(
            f"One has {a.size} decisions and the other {b.size}",
            "both decisions on every case",
            "Check that both decided on the same cases",
        )
    return a, b


def _as_scores(score: ArrayLike, n: int) -> Float64Array:
    try:
        array = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            "Some scores are not numbers, or raters of different numbers of cases",
            "a number for every case, from every rater",
            "Correct the scores",
        ) from error
    rows = np.atleast_2d(array)
    if array.ndim not in (1, 2) or not len(rows) or rows.shape[1] != n:
        raise StatisticsError(
            f"There are {n} labels and scores of shape {array.shape}",
            "as many scores as labels, in one row per rater",
            "Check that both come from the same cases",
        )
    missing = int((~np.isfinite(rows)).sum())
    if missing:
        raise StatisticsError(
            f"{missing} of {rows.size} scores are missing or infinite",
            "a finite number for every case",
            "Leave those cases out, and report how many there were",
        )
    return rows
