"""Resamples as weights: how often each patient was drawn, and what that does to an AUC.

Kept as weights, all metrics of all resamples are a few array operations: sums by patient times
weights, and for the AUC cumulative weights in the order of the scores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hemocast.stats.estimate import BoolArray, FloatArray

_CELLS_AT_ONCE = 1 << 22
"""Resamples are drawn in parts, so that memory stays below some 100 MB."""


def resample_weights(
    n_patients: int, n_resamples: int, rng: np.random.Generator, width: int
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

    Yields
    ------
    ndarray of float64, shape (part, n_patients)
        Every row sums to `n_patients`.
    """
    part = max(1, _CELLS_AT_ONCE // max(width, n_patients))
    for start in range(0, n_resamples, part):
        rows = min(part, n_resamples - start)
        drawn = rng.integers(0, n_patients, size=(rows, n_patients))
        drawn += np.arange(rows)[:, None] * n_patients
        counts = np.bincount(drawn.ravel(), minlength=rows * n_patients)
        yield counts.reshape(rows, n_patients).astype(np.float64)


def weighted_auc(truth: BoolArray, score: FloatArray, weights: FloatArray) -> FloatArray:
    """AUC under each row of case weights, ties counting one half.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Outcomes.
    score : ndarray, shape (n,)
        Higher meaning more likely.
    weights : ndarray, shape (r, n)
        How often each case counts.

    Returns
    -------
    ndarray of float64, shape (r,)
        NaN where a class has no weight.
    """
    order = np.argsort(score, kind="stable")
    hits = truth[order]
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    ordered = weights[:, order]
    positive = np.add.reduceat(ordered * hits, first, axis=1)
    negative = np.add.reduceat(ordered * ~hits, first, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    total = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.einsum("rg,rg->r", positive, below) / total)
