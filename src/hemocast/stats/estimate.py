"""What every statistic returns: a number with its interval, its sample size and its doubts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.errors import StatisticsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEW = 10
"""Fewer patients of a class than this, and every interval that rests on them carries a warning."""


@dataclass(frozen=True)
class Estimate:
    """One number with its confidence interval.

    Parameters
    ----------
    value : float
        The point estimate; NaN where it is undefined, and then `warning` says why. A ratio over 0
        is infinite, and `warning` says so too.
    ci_low, ci_high : float
        Confidence limits; NaN where none can be given, and then `warning` says why.
    ci_method : str
        How the interval was made, in words fit for a table's footnote.
    n : int
        Cases the value rests on (the denominator: for sensitivity, the scans with the outcome).
    warning : str or None
        What the reader must know before trusting the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    ci_method: str
    n: int
    warning: str | None = None

    def __post_init__(self) -> None:
        for number in (self.value, self.ci_low, self.ci_high):
            if not math.isfinite(number) and not self.warning:
                raise ValueError("an undefined or infinite number needs its reason in `warning`")


def as_labels(label: ArrayLike) -> BoolArray:
    """Check outcome labels and return them as a bool array, shape (n,).

    Raises
    ------
    StatisticsError
        No cases, more than one dimension, or a label other than 0 and 1 (or False and True).
    """
    array = np.asarray(label)
    if array.ndim != 1 or array.size == 0:
        raise StatisticsError(
            f"The labels have shape {array.shape}", "one label per case", "Give a list of labels"
        )
    if array.dtype == np.bool_:
        return np.asarray(array, dtype=np.bool_)
    odd = np.zeros(array.size, dtype=bool)
    try:
        numbers = array.astype(np.float64)
        odd = (numbers != 0) & (numbers != 1)
    except (TypeError, ValueError):
        odd[:] = True
        numbers = np.zeros(array.size)
    if odd.any():
        raise StatisticsError(
            f"{int(odd.sum())} of {array.size} labels are neither 0 nor 1",
            "0 for no outcome and 1 for the outcome",
            "Recode the labels, and leave out the cases without one",
        )
    return np.asarray(numbers == 1, dtype=np.bool_)


def as_scores(score: ArrayLike, n: int, *, probability: bool = False) -> FloatArray:
    """Check scores and return them as float64, shape (n,).

    Parameters
    ----------
    score : array_like, shape (n,)
        Any real numbers, higher meaning more likely.
    n : int
        The number of cases there must be.
    probability : bool
        Also demand values in [0, 1].

    Raises
    ------
    StatisticsError
        Another length, a value that is no finite number, or a probability outside [0, 1].
    """
    try:
        array = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            "Some scores are not numbers", "a number for every case", "Correct the scores"
        ) from error
    if array.shape != (n,):
        raise StatisticsError(
            f"There are {n} labels and scores of shape {array.shape}",
            "as many scores as labels",
            "Check that both come from the same cases",
        )
    missing = int((~np.isfinite(array)).sum())
    if missing:
        raise StatisticsError(
            f"{missing} of {n} scores are missing or infinite",
            "a finite number for every case",
            "Leave those cases out, and report how many there were",
        )
    if probability and bool(((array < 0) | (array > 1)).any()):
        outside = int(((array < 0) | (array > 1)).sum())
        raise StatisticsError(
            f"{outside} of {n} probabilities lie outside 0 to 1",
            "fractions from 0 to 1",
            "Divide percentages by 100, and pass logits through the logistic function",
        )
    return array


def as_patients(patient: ArrayLike, n: int) -> tuple[IntArray, int]:
    """Number the patients: return each case's patient, shape (n,), and how many there are.

    Patients are numbered in the sorted order of their keys, so that neither the order of the rows
    nor the kind of key changes a seeded result.

    Raises
    ------
    StatisticsError
        Another length than the labels.
    """
    array = np.asarray(patient)
    if array.shape != (n,):
        raise StatisticsError(
            f"There are {n} labels and patients of shape {array.shape}",
            "the patient of every case",
            "Check that both come from the same cases",
        )
    keys, index = np.unique(array, return_inverse=True)
    return index.astype(np.int64).reshape(n), int(keys.size)


def few_warning(patients: int) -> str | None:
    """Return the warning for an interval that rests on few patients of a class, or None."""
    if patients >= FEW:
        return None
    return f"rests on {patients} patient{'' if patients == 1 else 's'} of the smaller class"
