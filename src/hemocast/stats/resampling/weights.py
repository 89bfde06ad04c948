"""Resamples as weights: how often each patient was drawn, and what that does to a ranking.

Kept as weights, all metrics of all resamples are a few array operations: sums by patient times
weights, and for AUC and average precision products with the matrix of who outranks whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.stats.estimate import BoolArray, FloatArray, IntArray

_CELLS_AT_ONCE = 1 << 22
"""Resamples are drawn in parts, so that memory stays below some 100 MB."""

_PAIRWISE = 2500
"""Up to so many cases, all pairs at once are faster than cumulative sums in order of the score."""

_EXACT_IN_FLOAT32 = 1 << 23
"""Half the integer below which single precision counts without rounding."""

Floats = NDArray[np.floating[Any]]


def resample_weights(
    n_patients: int,
    n_resamples: int,
    rng: np.random.Generator,
    width: int,
    stratum: IntArray | None = None,
) -> Iterator[FloatArray]:
    """Draw patients with replacement; yield how often each was drawn, in parts.

    Parameters
    ----------
    n_patients, n_resamples : int
        Patients per resample, and resamples in all.
    rng : numpy.random.Generator
        The only source of chance.
    width : int
        Cases per resample that the caller will hold at once; sets the size of the parts.
    stratum : ndarray of int, shape (n_patients,), optional
        Each patient's stratum; every resample then has as many of each stratum as the data.

    Yields
    ------
    ndarray of float64, shape (part, n_patients)
        Every row sums to `n_patients`.
    """
    part = max(1, _CELLS_AT_ONCE // max(width, n_patients))
    strata = [np.arange(n_patients)]
    if stratum is not None:
        strata = [np.flatnonzero(stratum == value) for value in np.unique(stratum)]
    for start in range(0, n_resamples, part):
        rows = min(part, n_resamples - start)
        weights = np.empty((rows, n_patients))
        for members in strata:
            drawn = rng.integers(0, members.size, size=(rows, members.size))
            drawn += np.arange(rows)[:, None] * members.size
            counts = np.bincount(drawn.ravel(), minlength=rows * members.size)
            weights[:, members] = counts.reshape(rows, members.size)
        yield weights


def leave_one_out_weights(n_patients: int, width: int) -> Iterator[FloatArray]:
    """Leave out each patient in turn; yield weights like `resample_weights` does.

    Parameters
    ----------
    n_patients, width : int
        As for `resample_weights`.

    Yields
    ------
    ndarray of float64, shape (part, n_patients)
        Ones, but for a 0 at the patient left out.
    """
    part = max(1, _CELLS_AT_ONCE // max(width, n_patients))
    for start in range(0, n_patients, part):
        rows = np.arange(start, min(start + part, n_patients))
        weights = np.ones((rows.size, n_patients))
        weights[np.arange(rows.size), rows] = 0
        yield weights


class Ranking:
    """One set of resamples, ready to weigh the ranking by any number of scores.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Outcomes.
    weights : ndarray, shape (r, n)
        How often each case counts; whole numbers.
    """

    def __init__(self, truth: BoolArray, weights: Floats) -> None:
        self._truth = truth
        positive, negative = weights[:, truth], weights[:, ~truth]
        self._total_positive = positive.sum(axis=1, dtype=np.float64)
        self._total_negative = negative.sum(axis=1, dtype=np.float64)
        largest = float((self._total_positive * self._total_negative).max(initial=0))
        kind = np.float32 if largest < _EXACT_IN_FLOAT32 else np.float64
        self._positive: Floats = positive.astype(kind)
        self._negative: Floats = negative.astype(kind)

    def auc(self, score: FloatArray) -> FloatArray:
        """AUC of a score, shape (n,), in each resample, shape (r,); NaN where a class is missing.

        Ties count one half. Twice the pairs are counted, so that every sum is a whole number.
        """
        total = 2 * self._total_positive * self._total_negative
        positive, negative = score[self._truth], score[~self._truth]
        if score.size > _PAIRWISE:
            twice = self._twice_below(positive, negative)
            won = np.einsum("rp,rp->r", self._positive, twice, dtype=np.float64)
        else:
            above = (positive[:, None] > negative).astype(self._positive.dtype)
            above += positive[:, None] >= negative
            won = np.einsum("rn,rn->r", self._positive @ above, self._negative, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(won / total)

    def average_precision(self, score: FloatArray) -> FloatArray:
        """Average precision of a score in each resample, shape (r,); NaN where a class is missing.

        See `hemocast.stats.discrimination.roc.average_precision`.
        """
        positive, negative = score[self._truth], score[~self._truth]
        if score.size > _PAIRWISE:
            found = _at_or_above(self._positive, positive, positive)
            wrong = _at_or_above(self._negative, negative, positive)
        else:
            kind = self._positive.dtype
            found = self._positive @ (positive[:, None] >= positive).astype(kind)
            wrong = self._negative @ (negative[:, None] >= positive).astype(kind)
        share = np.divide(found, np.maximum(found + wrong, 1), dtype=np.float64)
        mean = np.einsum("rp,rp->r", self._positive, share, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = mean / self._total_positive
        return np.where(self._total_negative > 0, value, np.nan)

    def _twice_below(self, positive: FloatArray, negative: FloatArray) -> Floats:
        """Twice the weight of negatives below each positive, ties once, shape (r, positives)."""
        order = np.argsort(negative, kind="stable")
        summed = _cumulative(self._negative[:, order])
        below = np.searchsorted(negative[order], positive, side="left")
        up_to = np.searchsorted(negative[order], positive, side="right")
        return np.asarray(summed[:, below] + summed[:, up_to])


def _cumulative(ordered: Floats) -> Floats:
    """Sums of the first 0, 1, ... n columns, shape (r, n + 1)."""
    summed = np.zeros((ordered.shape[0], ordered.shape[1] + 1))
    np.cumsum(ordered, axis=1, out=summed[:, 1:])
    return summed


def _at_or_above(weights: Floats, score: FloatArray, threshold: FloatArray) -> Floats:
    """Sum, in each row, the weights of the cases at or above each threshold."""
    order = np.argsort(-score, kind="stable")
    reached = np.searchsorted(-score[order], -threshold, side="right")
    return np.asarray(_cumulative(weights[:, order])[:, reached])
