"""Predictive values at another prevalence than the sample's.

A sample of cases and controls has the prevalence that its makers chose. PPV and NPV of practice
follow from sensitivity and specificity, provided that these do not change with the setting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, Float64Array
from hemocast.stats.metrics import confusion

PREVALENCES = (0.02, 0.05, 0.10, 0.15, 0.44)
"""HT in practice: from symptomatic after thrombolysis to any HT after large infarcts."""


@dataclass(frozen=True)
class PredictiveValues:
    """PPV and NPV at one prevalence.

    Parameters
    ----------
    prevalence : float
        The share of patients with the outcome.
    ppv, npv : Estimate
        With 95 % intervals.
    """

    prevalence: float
    ppv: Estimate
    npv: Estimate


def predictive_values(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """PPV and NPV by Bayes' theorem.

    Parameters
    ----------
    sensitivity, specificity, prevalence : array_like
        Fractions in [0, 1]; broadcast.

    Returns
    -------
    ppv, npv : ndarray of float64
        NaN where nothing is called positive, or negative.

    Raises
    ------
    StatisticsError
        A value outside [0, 1].

    References
    ----------
    Altman DG, Bland JM 1994, BMJ 309:102, 10.1136/bmj.309.6947.102.
    """
    se, sp, share = (
        np.asarray(x, dtype=np.float64) for x in (sensitivity, specificity, prevalence)
    )
    if not all(bool(((x >= 0) & (x <= 1)).all()) for x in (se, sp, share)):
        raise StatisticsError(
            "A sensitivity, specificity or prevalence lies outside 0 to 1",
            "fractions from 0 to 1",
            "Divide percentages by 100",
        )
    hit, alarm = se * share, (1 - sp) * (1 - share)
    right, missed = sp * (1 - share), (1 - se) * share
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hit / (hit + alarm)), np.asarray(right / (right + missed))


def predictive_values_at_prevalence(
    cases: Cases, threshold: float, prevalences: ArrayLike = PREVALENCES
) -> tuple[PredictiveValues, ...]:
    """PPV and NPV at other prevalences, with 95 % intervals on the logit scale.

    Where sensitivity or specificity is 0 or 1 the interval comes from counts to which half of the
    squared normal quantile is added (as many successes as failures), and carries a warning.

    Parameters
    ----------
    cases : Cases
        Of one rater. Where patients have several cases, the variance counts patients.
    threshold : float
        At or above it a case counts as positive; fixed beforehand.
    prevalences : array_like, shape (k,)
        Each strictly between 0 and 1, taken as known.

    Raises
    ------
    StatisticsError
        Only one class is present, or prevalences that cannot be used.

    References
    ----------
    Mercaldo ND, Lau KF, Zhou XH 2007, Stat Med 26:2170-2183, 10.1002/sim.2677.
    """
    n_positive, n_negative = cases.both_classes()
    at = np.atleast_1d(np.asarray(prevalences, dtype=np.float64))
    if at.ndim != 1 or not bool(((at > 0) & (at < 1)).all()):
        raise StatisticsError(
            "A prevalence is not strictly between 0 and 1", "fractions", "Correct the prevalences"
        )
    found = confusion(cases, threshold)
    tp, fp = found.tp, found.fp
    cells = np.array([tp, found.fn, fp, found.tn], dtype=np.float64)
    edge = bool((cells == 0).any())
    widths = _log_ratio_errors(cases, threshold, cells)
    added = float(norm.ppf(0.975)) ** 2 / 2 if edge else 0.0
    a, b, c, d = cells + added
    ratios = np.log([(a / (a + b)) / (c / (c + d)), (d / (c + d)) / (b / (a + b))])
    ppv, npv = predictive_values(tp / n_positive, (n_negative - fp) / n_negative, at)
    odds = np.log(at / (1 - at))
    return tuple(
        PredictiveValues(
            float(share),
            _value(float(p), ratios[0] + odd, widths[0], tp + fp, cases.few, edge),
            _value(float(q), ratios[1] - odd, widths[1], cases.n - tp - fp, cases.few, edge),
        )
        for share, odd, p, q in zip(at, odds, ppv, npv, strict=True)
    )


def _log_ratio_errors(cases: Cases, threshold: float, cells: Float64Array) -> tuple[float, float]:
    """Standard errors of the logarithms of sens / (1 - spec) and of spec / (1 - sens)."""
    if (cells == 0).any():
        a, b, c, d = cells + float(norm.ppf(0.975)) ** 2 / 2
        return (
            float(np.sqrt(b / a / (a + b) + d / c / (c + d))),
            float(np.sqrt(a / b / (a + b) + c / d / (c + d))),
        )
    truth, called = cases.truth, cases.score >= threshold
    tp, fn, fp, tn = cells
    positive, negative = tp + fn, fp + tn
    up = truth * (called - tp / positive) / tp - ~truth * (called - fp / negative) / fp
    down = ~truth * (~called - tn / negative) / tn - truth * (~called - fn / positive) / fn
    errors = (np.sqrt((np.bincount(cases.cluster, weights=row) ** 2).sum()) for row in (up, down))
    first, second = (float(error) for error in errors)
    return first, second


def _value(
    value: float, middle: float, error: float, n: int, few: str | None, edge: bool
) -> Estimate:
    half = float(norm.ppf(0.975)) * error
    low, high = float(expit(middle - half)), float(expit(middle + half))
    notes = [few] if few else []
    if edge:
        notes.append("sensitivity or specificity is 0 or 1; limits from adjusted counts")
    if np.isnan(value):
        return Estimate.bare(value, n, "; ".join(["undefined: no case is called so", *notes]))
    low, high = min(low, value), max(high, value)
    return Estimate(value, low, high, "logit, given prevalence", n, "; ".join(notes) or None)
