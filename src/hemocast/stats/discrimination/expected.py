"""The AUC that scores have on average when outcomes are drawn from known risks: no label noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Estimate, Float64Array, IntArray
from hemocast.stats.resampling.limits import percentile_limits


@dataclass(frozen=True)
class KnownRisks:
    """Cases of patients whose risk is known.

    Parameters
    ----------
    risk : ndarray of float64, shape (p,)
        Of every patient, in [0, 1]; 0 and 1 are outcomes, for the usual AUC.
    patient : ndarray of int64, shape (n,)
        Whose case it is, 0 ... p - 1.

    Raises
    ------
    StatisticsError
        Risks outside [0, 1], or none of which an outcome of each kind could come.
    """

    risk: Float64Array
    patient: IntArray

    def __post_init__(self) -> None:
        inside = bool(((self.risk >= 0) & (self.risk <= 1)).all())
        if not inside or not 0 < self.risk.sum() < self.risk.size:
            raise StatisticsError(
                "The risks lie outside 0 to 1, or are all 0 or all 1",
                "fractions of which outcomes of both kinds can be drawn",
                "Check the table of risks",
            )

    def auc(self, score: Float64Array, times: Float64Array | None = None) -> Float64Array:
        """Return the expected AUC of scores, over pairs of different patients.

        Every patient counts once, shared among the patient's cases; a tie counts half. The share
        of pairs that the score orders rightly, each weighted by r_i (1 - r_j), the chance that the
        first has the outcome and the second has not.

        Parameters
        ----------
        score : ndarray of float64, shape (n,)
            Of every case.
        times : ndarray, shape (r, p), optional
            How often each of r resamples holds each patient; by default each once.

        Returns
        -------
        ndarray of float64, shape (r,)
        """
        drawn = np.ones((1, self.risk.size)) if times is None else times
        cases = np.bincount(self.patient, minlength=self.risk.size)
        order = np.argsort(score, kind="stable")
        starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
        mine = self.patient[order]
        weight = drawn[:, mine] / cases[mine]
        risk = self.risk[mine]
        ill = np.add.reduceat(weight * risk, starts, axis=1)
        well = np.add.reduceat(weight * (1 - risk), starts, axis=1)
        # A patient against herself: risk and 1 - risk are the same for all her cases, so that half
        # of these pairs count as won whatever the scores.
        own = drawn**2 @ (self.risk * (1 - self.risk))
        won = (ill * (np.cumsum(well, axis=1) - well / 2)).sum(1) - own / 2
        return np.asarray(won / (ill.sum(1) * well.sum(1) - own))


def share_of_ceiling(value: Float64Array, ceiling: Float64Array, n: int) -> Estimate:
    """Return how far an AUC is on the way from .5 to the best there can be on the same patients.

    Parameters
    ----------
    value, ceiling : ndarray of float64, shape (1 + r,)
        Expected AUC of the score and of the best one: of the data, then of r resamples.
    n : int
        Cases.
    """
    share = (value - 0.5) / (ceiling - 0.5)
    low, high = percentile_limits(share[1:])
    return Estimate(float(share[0]), float(low), float(high), "bootstrap of patients", n)
