"""Logit -> probability: logistic (Platt) calibration, kept as numbers.

Platt 1999, "Probabilistic outputs for support vector machines", in Advances in Large Margin
Classifiers, MIT Press, 61-74; Lin, Lin & Weng 2007, 10.1007/s10994-007-5018-6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from hemocast.errors import StatisticsError

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Calibration:
    """``probability = 1 / (1 + exp(-(slope * logit + intercept)))``, and how sure that is.

    Parameters
    ----------
    slope, intercept : float
    covariance : tuple
        2x2, of (slope, intercept).
    threshold : float
        Probability from which on a scan is called positive: see `fit_calibration`.
    n_scans, n_patients : int
        What it was fitted on.
    """

    slope: float
    intercept: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    threshold: Annotated[float, Field(ge=0, le=1)]
    n_scans: int
    n_patients: int

    def probability(self, logit: float) -> float:
        """Return the calibrated probability of a logit."""
        return _expit(self.slope * logit + self.intercept)

    def interval(self, logit: float) -> tuple[float, float]:
        """Return the 95 % interval of the probability, by the delta method on the logit scale.

        It holds the uncertainty of slope and intercept **only**: how well the probability is
        calibrated, not how well the network or the scan speaks for this patient.
        """
        (vss, vsi), (_, vii) = self.covariance
        centre = self.slope * logit + self.intercept
        # In this order max keeps NaN, which `Prediction` refuses; it would make it 0 in the other.
        spread = Z95 * math.sqrt(max(vss * logit**2 + 2 * vsi * logit + vii, 0.0))
        return _expit(centre - spread), _expit(centre + spread)


def fit_calibration(label: ArrayLike, logit: ArrayLike, weight: ArrayLike) -> Calibration:
    """Fit slope and intercept by weighted maximum likelihood on Platt's softened targets.

    The targets (N1+1)/(N1+2) and 1/(N0+2) instead of 1 and 0 keep the slope finite when the classes
    are perfectly separated. A slope that comes out at or below zero (the network learned nothing)
    is set to a hundredth of a standard deviation's worth, which keeps the order of the scans.

    The threshold is the prevalence among the scans fitted on: for calibrated probabilities Youden's
    index (10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3) is greatest where the
    likelihood ratio is 1, that is, where the probability equals the prevalence. Unlike the maximum
    of the empirical index it does not hang on two or three scans.

    Parameters
    ----------
    label : array-like of int, shape (n,)
        1 HT, 0 no HT.
    logit : array-like of float, shape (n,)
    weight : array-like of float, shape (n,)
        Positive; with sum 1 over each patient, so that their sum is the number of patients.

    Raises
    ------
    StatisticsError
        A class is missing, or a logit is not a number.
    """
    from hemocast.stats.calibration.logistic import fit_logistic

    y = np.asarray(label, np.float64)
    x = np.asarray(logit, np.float64)
    w = np.asarray(weight, np.float64)
    if not np.isfinite(x).all() or not 0 < (w * y).sum() < w.sum():
        raise StatisticsError(
            "The scans for calibration hold one class only, or a logit that is no number",
            "finite logits of scans with and without HT",
            "Give more patients to the inner validation part",
        )
    ones, zeros = float((w * y).sum()), float((w * (1 - y)).sum())
    target = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    mean, spread = float(np.average(x, weights=w)), float(x.std()) or 1.0
    standard = np.stack([(x - mean) / spread, np.ones_like(x)], 1)
    beta, covariance = fit_logistic(standard, target, weight=w, ridge=1e-9)
    beta[0] = max(beta[0], 0.01)
    to_raw = np.array([[1 / spread, 0.0], [-mean / spread, 1.0]])
    slope, intercept = to_raw @ beta
    (vss, vsi), (_, vii) = to_raw @ covariance @ to_raw.T
    return Calibration(
        slope=float(slope),
        intercept=float(intercept),
        covariance=((float(vss), float(vsi)), (float(vsi), float(vii))),
        threshold=ones / (ones + zeros),
        n_scans=len(y),
        n_patients=round(float(w.sum())),
    )


def _expit(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))
