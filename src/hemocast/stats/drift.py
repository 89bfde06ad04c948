"""Whether what comes in now is like what came in before: two samples of one feature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, ks_2samp

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array, IntArray

BINS = 10
"""Tenths of the reference, as the population stability index is usual."""
_DRAWS = 20_000
_HALF = 0.5


@dataclass(frozen=True)
class Drift:
    """How far a sample lies from a reference.

    Parameters
    ----------
    n_reference, n : int
        Values of each, missing ones included.
    psi : float
        Population stability index.
    psi_usual : float
        What chance alone keeps it below in 19 of 20 samples of this size: of few values it is far
        above the 0.1 and 0.25 of the textbooks.
    ks : float
        Largest distance between the two cumulative distributions; NaN for categories.
    p : float
        Chance of a sample that differs as much where nothing has changed.
    """

    n_reference: int
    n: int
    psi: float
    psi_usual: float
    ks: float
    p: float


def number_drift(reference: ArrayLike, sample: ArrayLike) -> Drift:
    """Compare numbers: Kolmogorov's and Smirnov's test, and how many are missing.

    Parameters
    ----------
    reference, sample : array_like of float, shape (m,), (n,)
        Independent values; NaN where missing.

    Returns
    -------
    Drift
        Its `p` is the smaller of the two tests', doubled, where either sample lacks values.

    Raises
    ------
    StatisticsError
        One of them holds no value.

    References
    ----------
    Index: Siddiqi N 2006, Credit Risk Scorecards, Wiley; its distribution by chance: Yurdakul B,
    Naranjo J 2020, J Risk Model Validation 14(4):89-100. Test: Hodges JL
    1958, Ark Mat 3:469-486, 10.1007/BF02589501 (exact up to 10,000 values; conservative with ties).
    """
    before, now = (np.asarray(values, dtype=np.float64) for values in (reference, sample))
    known = [values[~np.isnan(values)] for values in (before, now)]
    _refuse_none(min(len(values) for values in known))
    edges = np.unique(np.quantile(known[0], np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.array(
        [
            [*np.bincount(np.searchsorted(edges, seen, side="left"), minlength=len(edges) + 1),
             len(values) - len(seen)]
            for values, seen in zip((before, now), known, strict=True)
        ]
    )  # fmt: skip
    test = ks_2samp(*known)
    p = float(test.pvalue)
    if counts[:, -1].any():
        missing = np.column_stack([counts[:, -1], counts[:, :-1].sum(axis=1)])
        p = min(1.0, 2 * min(p, _conditional_p(missing)))
    return _drift(counts, float(test.statistic), p)


def category_drift(reference: ArrayLike, sample: ArrayLike) -> Drift:
    """Compare categories: Pearson's statistic against all tables with these margins.

    Parameters
    ----------
    reference, sample : array_like of str, shape (m,), (n,)
        Independent values; one that only the sample has is a category like any other.

    Raises
    ------
    StatisticsError
        One of them is empty.

    References
    ----------
    Patefield WM 1981, Appl Stat 30:91-97, 10.2307/2346669: tables drawn with given margins, 20,000
    of them, so that small counts need no approximation; the index as for `number_drift`.
    """
    before, now = (np.asarray(values, dtype=object).astype(str) for values in (reference, sample))
    _refuse_none(min(len(before), len(now)))
    names = np.unique(np.concatenate([before, now]))
    counts = np.array(
        [
            np.bincount(np.searchsorted(names, values), minlength=len(names))
            for values in (before, now)
        ]
    )
    return _drift(counts, float("nan"), _conditional_p(counts))


def population_stability(counts: ArrayLike) -> float:
    """Return the index of two rows of counts, half a value added to each, so that none is 0.

    Parameters
    ----------
    counts : array_like of int, shape (2, bins)
        Of the reference and of the sample.
    """
    filled = np.asarray(counts, dtype=np.float64) + _HALF
    share = filled / filled.sum(axis=1, keepdims=True)
    return float(((share[1] - share[0]) * np.log(share[1] / share[0])).sum())


def usual_stability(n_reference: int, n: int, bins: int, level: float = 0.95) -> float:
    """Return what chance alone keeps the index below with probability `level`.

    The index by the sum of 1/m and 1/n is about a chi-square of bins - 1 degrees of freedom.
    """
    if bins < 2:
        return 0.0
    return float(chi2.ppf(level, bins - 1)) * (1 / n_reference + 1 / n)


def _drift(counts: IntArray, ks: float, p: float) -> Drift:
    filled = counts[:, counts.any(axis=0)]
    n_reference, n = (int(row) for row in counts.sum(axis=1))
    usual = usual_stability(n_reference, n, filled.shape[1])
    return Drift(n_reference, n, population_stability(filled), usual, ks, p)


def _conditional_p(counts: IntArray) -> float:
    """Chance of Pearson's statistic or a larger one, among tables with the same margins."""
    columns = counts.sum(axis=0)
    if np.count_nonzero(columns) < 2:
        return 1.0
    kept = counts[:, columns > 0]
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric(kept.sum(axis=0), int(kept[1].sum()), size=_DRAWS)
    statistic = partial(_pearson, expected=kept.sum(axis=0) * (kept[1].sum() / kept.sum()))
    # Equal tables differ in the last bit.
    as_large = statistic(drawn) >= statistic(kept[1]) - 1e-9
    return float((1 + as_large.sum()) / (1 + _DRAWS))


def _pearson(row: NDArray[np.integer], expected: Float64Array) -> Float64Array:
    """Pearson's statistic but for a factor that the margins alone decide."""
    return np.asarray(((row - expected) ** 2 / expected).sum(axis=-1))


def _refuse_none(n: int) -> None:
    if n == 0:
        raise StatisticsError(
            "One of the two samples holds no value",
            "values in both",
            "Leave the feature out, or choose a longer time",
        )
