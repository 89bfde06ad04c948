"""A ranking in narrow bands of the score, for more cases than can be ranked in every resample."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import auc, average_precision
from hemocast.stats.estimate import Float64Array, IntArray
from hemocast.stats.resampling.weights import EXACT_IN_FLOAT32, Floats

MOST_RANKED = 20_000
"""Of more cases than this, every resample counts bands."""

_BANDS = 300
"""Of each kind; the spread of an AUC over bands is that over cases, within their number squared."""


class BandedRanking:
    """AUC and average precision of one score in any number of resamples, from counts in bands.

    Up to 300 scores of cases with the outcome stand in a band of their own, so that rare events are
    ranked one by one; the bands between them are cut at 300 quantiles of all scores. What the bands
    lose of the value itself (cases of one band count as tied) is measured on all cases and added
    to every resample.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    units : ndarray of int64, shape (n,)
        What is drawn as a whole; from `Resampling.units`.
    """

    def __init__(self, cases: Cases, units: IntArray) -> None:
        edges = _edges(cases)
        self._width = edges.size + 1
        band = np.searchsorted(edges, cases.score, side="right")
        column = np.where(cases.truth, band, band + self._width)
        kind = np.float32 if cases.n < EXACT_IN_FLOAT32 else np.float64
        shape = (int(units.max()) + 1, 2 * self._width)
        ones = np.ones(cases.n, dtype=kind)
        self._tally: Floats = csr_array((ones, (units, column)), shape=shape).toarray()
        self._lost = np.zeros(2)
        if 0 < cases.n_positive < cases.n:
            whole = np.array([auc(cases), average_precision(cases)])
            self._lost = whole - self.measures(np.ones((1, shape[0])))[:, 0]

    def measures(self, weights: Floats) -> Float64Array:
        """AUC and average precision of resamples, shape (2, r); NaN where a class is missing.

        Parameters
        ----------
        weights : ndarray, shape (r, n_units)
            How often each unit was drawn.
        """
        counts = (weights.astype(self._tally.dtype) @ self._tally).astype(np.float64)
        positive, negative = counts[:, : self._width], counts[:, self._width :]
        all_positive, all_negative = positive.sum(axis=1), negative.sum(axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        found = np.cumsum(positive[:, ::-1], axis=1)[:, ::-1]
        called = found + np.cumsum(negative[:, ::-1], axis=1)[:, ::-1]
        share = found / np.maximum(called, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            area = np.einsum("rb,rb->r", positive, below) / (all_positive * all_negative)
            precision = np.einsum("rb,rb->r", positive, share) / all_positive
        precision = np.where(all_negative > 0, precision, np.nan)
        return np.clip(np.stack([area, precision]) + self._lost[:, None], 0, 1)


def _edges(cases: Cases) -> Float64Array:
    """Where bands begin, rising."""
    positive = np.sort(cases.score[cases.truth])
    places = np.linspace(0, max(positive.size - 1, 0), min(_BANDS, positive.size)).astype(np.int64)
    alone = positive[np.unique(places)]
    between = np.quantile(cases.score, np.linspace(0, 1, _BANDS + 2)[1:-1])
    return np.unique(np.concatenate([alone, np.nextafter(alone, np.inf), between]))
