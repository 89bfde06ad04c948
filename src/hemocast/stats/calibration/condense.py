"""Cases of like probability put together, so that curves of any number of cases take seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Float64Array, IntArray

MOST_SMOOTHED = 4_000
"""A smooth curve takes time with the square of the cases: more are put together first."""

_CELLS = 1_200
_EVENT_CELLS = 400
_AT_THE_ENDS = 100


@dataclass(frozen=True)
class Condensed:
    """Cases, or cells of cases with the same outcome and nearly the same probability.

    Parameters
    ----------
    chance, outcome, weight : ndarray of float64, shape (k,)
        Mean probability, outcome (0 or 1), and number of cases.
    tally : csr_array, shape (n_units, k)
        How many cases of each unit of a resampling each holds.
    """

    chance: Float64Array
    outcome: Float64Array
    weight: Float64Array
    tally: csr_array

    def resampled(self, weights: Float64Array) -> Float64Array:
        """Return how often resamples, weights of shape (r, n_units), hold each, shape (r, k)."""
        return np.asarray(weights @ self.tally)


def condense(cases: Cases, units: IntArray) -> Condensed:
    """Put the cases of a large sample together; up to `MOST_SMOOTHED` each stays alone.

    The cells are cut at 1,200 quantiles of all probabilities and at 400 of those with the outcome,
    and the 100 lowest and highest probabilities stay alone, so that the few high risks of a rare
    outcome, where its events are, are not one cell. No case is left out, and every one stands
    within a cell's width of its place: some thousandth of a neighborhood of the curve.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    units : ndarray of int64, shape (n,)
        What a resampling draws as a whole.
    """
    chances, truth = cases.probability(), cases.truth
    if cases.n <= MOST_SMOOTHED:
        cell = np.arange(cases.n)
    else:
        ends = [*range(_AT_THE_ENDS), *range(-_AT_THE_ENDS, 0)]
        edges = [
            np.partition(chances, ends)[ends],
            np.quantile(chances, np.linspace(0, 1, _CELLS + 1)),
            np.quantile(chances[truth], np.linspace(0, 1, _EVENT_CELLS + 1)),
        ]
        between = np.searchsorted(np.unique(np.concatenate(edges)), chances, side="right")
        _, cell = np.unique(2 * between + truth, return_inverse=True)
    count = np.bincount(cell).astype(np.float64)
    shape = (int(units.max()) + 1, count.size)
    return Condensed(
        chance=np.bincount(cell, weights=chances) / count,
        outcome=np.bincount(cell, weights=truth) / count,
        weight=count,
        tally=csr_array((np.ones(cases.n), (units, cell)), shape=shape),
    )
