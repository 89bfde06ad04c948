"""Resamples as weights: how often each patient was drawn, and what that does to a ranking.

Kept as weights, all metrics of all resamples are a few array operations: sums by patient times
weights, and for AUC and average precision products with the matrix of who outranks whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.stats.cases import Cases
from hemocast.stats.estimate import BoolArray, Float64Array, IntArray

_CELLS_AT_ONCE = 1 << 22
"""Resamples are drawn in parts, so that memory stays below some 100 MB."""

_PAIRWISE = 2500
"""Up to so many cases, all pairs at once are faster than cumulative sums in order of the score."""

EXACT_IN_FLOAT32 = 1 << 23
"""Half the integer below which single precision counts without rounding."""

MOST_DRAWN = 20_000
"""Of more patients than this, blocks are drawn instead of patients."""

_BLOCKS = 5_000
"""So many: the variance of a mean over random blocks is that of patients, within some 2 %."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Resampling:
    """How a bootstrap draws patients, each with all cases, and what it makes of the resamples.

    Parameters
    ----------
    n, seed : int
        Resamples; the same seed gives the same limits, whatever the order of the rows.
    interval : {"percentile", "bca"}
        BCa corrects bias and skewness, with a jackknife over patients; metrics and their
        differences know it, curves are always percentiles. Where its corrections do not exist the
        interval is the percentile one, and says so.
    stratified : bool
        Keep in every resample the numbers of patients with and without the outcome (and with cases
        of both kinds): for a study that chose them.
    """

    n: int = 2000
    seed: int = 0
    interval: Literal["percentile", "bca"] = "percentile"
    stratified: bool = False

    def units(self, cases: Cases) -> IntArray:
        """Number what is drawn as a whole, shape (n,): the patient of every case, or its block.

        More than `MOST_DRAWN` patients are dealt at random into 5,000 blocks of equal size (of each
        stratum, where the resampling is stratified), and blocks are drawn: the random groups of
        survey statistics. Of so many patients no few can pull a metric apart, and the variance over
        blocks is that over patients.

        References
        ----------
        Wolter KM 2007, Introduction to Variance Estimation, 2nd ed, Springer, chapter 2,
        10.1007/978-0-387-35099-8.
        """
        patient = cases.patient
        if cases.n_patients <= MOST_DRAWN:
            return patient
        rng = np.random.default_rng([self.seed, 1])
        block = np.empty(cases.n_patients, dtype=np.int64)
        first = 0
        for members in self._strata(cases.truth, patient):
            blocks = min(members.size, _BLOCKS)
            block[rng.permutation(members)] = first + np.arange(members.size) % blocks
            first += blocks
        return block[patient]

    def _strata(self, truth: BoolArray, units: IntArray) -> list[IntArray]:
        """What is drawn apart: all, or the units without, with, and with both outcomes."""
        if not self.stratified:
            return [np.arange(int(units.max()) + 1)]
        n = np.bincount(units)
        events = np.bincount(units, weights=truth)
        kinds = (events == 0, events == n, (events > 0) & (events < n))
        return [np.flatnonzero(kind) for kind in kinds if kind.any()]

    def draw(
        self, cases: Cases, width: int, units: IntArray | None = None
    ) -> Iterator[Float64Array]:
        """Draw patients (or blocks) with replacement; yield how often each was drawn, in parts.

        Parameters
        ----------
        cases : Cases
            Whose patients are drawn.
        width : int
            Cells per resample that the caller will hold at once; sets the size of the parts.
        units : ndarray of int64, shape (n,), optional
            From `units`, where blocks will do; else patients are drawn, however many.

        Yields
        ------
        ndarray of float64, shape (part, n_units)
            Every row sums to the number of units.
        """
        drawn_whole = cases.patient if units is None else units
        strata = self._strata(cases.truth, drawn_whole)
        n_units = int(drawn_whole.max()) + 1
        part = max(1, _CELLS_AT_ONCE // max(width, n_units))
        rng = np.random.default_rng(self.seed)
        for start in range(0, self.n, part):
            rows = min(part, self.n - start)
            weights = np.empty((rows, n_units))
            for members in strata:
                drawn = rng.integers(0, members.size, size=(rows, members.size))
                drawn += np.arange(rows)[:, None] * members.size
                counts = np.bincount(drawn.ravel(), minlength=rows * members.size)
                weights[:, members] = counts.reshape(rows, members.size)
            yield weights


def leave_one_out_weights(n_units: int, width: int) -> Iterator[Float64Array]:
    """Leave out each patient (or block) in turn; yield weights like `Resampling.draw` does.

    Parameters
    ----------
    n_units, width : int
        Patients or blocks, and cells per resample that the caller will hold at once.

    Yields
    ------
    ndarray of float64, shape (part, n_units)
        Ones, but for a 0 at the unit left out.
    """
    part = max(1, _CELLS_AT_ONCE // max(width, n_units))
    for start in range(0, n_units, part):
        rows = np.arange(start, min(start + part, n_units))
        weights = np.ones((rows.size, n_units))
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
        kind = np.float32 if largest < EXACT_IN_FLOAT32 else np.float64
        self._positive: Floats = positive.astype(kind)
        self._negative: Floats = negative.astype(kind)

    def auc(self, score: Float64Array) -> Float64Array:
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

    def average_precision(self, score: Float64Array) -> Float64Array:
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

    def _twice_below(self, positive: Float64Array, negative: Float64Array) -> Floats:
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


def _at_or_above(weights: Floats, score: Float64Array, threshold: Float64Array) -> Floats:
    """Sum, in each row, the weights of the cases at or above each threshold."""
    order = np.argsort(-score, kind="stable")
    reached = np.searchsorted(-score[order], -threshold, side="right")
    return np.asarray(_cumulative(weights[:, order])[:, reached])
