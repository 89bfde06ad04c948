"""A flexible calibration curve with a band, and all calibration measures with intervals.

The limits come from resampled patients: those of `measure_calibration` take every scan for a
patient, and its distances (ICI, E50, E90, Emax) have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from hemocast.errors import StatisticsError
from hemocast.stats.calibration import fit_logistic, local_quadratic, measure_calibration
from hemocast.stats.estimate import Estimate, FloatArray, as_labels, as_patients, as_scores
from hemocast.stats.limits import percentile_limits
from hemocast.stats.resample import resample_weights

_SPAN = 0.75
_MIN_USABLE = 0.5
_MEASURES = ("in_the_large", "slope", "ici", "e50", "e90", "emax")
_METHOD = "bootstrap of patients, percentile"


@dataclass(frozen=True)
class CalibrationCurve:
    """Agreement between probabilities and outcomes, with limits from resampled patients.

    Parameters
    ----------
    probability : ndarray of float64, shape (points,)
        Rising, from the smallest to the largest probability at hand.
    curve, low, high : ndarray of float64, shape (points,)
        Smooth observed share there, in [0, 1], with pointwise 95 % limits.
    in_the_large, slope, ici, e50, e90, emax : Estimate
        As in `Calibration`. The four distances can only be positive, and noise adds to them: even
        with perfect probabilities their limits stay above 0.
    n_resamples, n_failed : int
        Resamples drawn, and those in which calibration could not be computed (left out).
    """

    probability: FloatArray
    curve: FloatArray
    low: FloatArray
    high: FloatArray
    in_the_large: Estimate
    slope: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate
    emax: Estimate
    n_resamples: int
    n_failed: int


def calibration_curve(
    label: ArrayLike,
    probability: ArrayLike,
    patient: ArrayLike,
    n_resamples: int = 500,
    seed: int = 0,
    points: int = 50,
) -> CalibrationCurve:
    """Draw the smooth calibration curve, and put 95 % limits on it and on every measure.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    probability : array_like, shape (n,)
        Fractions strictly between 0 and 1.
    patient : array_like, shape (n,)
        The patient of every case.
    n_resamples, seed, points : int
        Resamples, their seed, and points of the curve (quantiles of the probabilities).

    Raises
    ------
    StatisticsError
        As for `measure_calibration`; or most resamples allow no such curve.

    References
    ----------
    Austin PC, Steyerberg EW 2019, Stat Med 38:4051-4065, 10.1002/sim.8281. Van Calster B 2016,
    J Clin Epidemiol 74:167-176, 10.1016/j.jclinepi.2015.12.005.
    """
    truth = as_labels(label)
    chances = as_scores(probability, truth.size, probability=True)
    index, n_patients = as_patients(patient, truth.size)
    point = measure_calibration(truth, chances)
    outcome = truth.astype(np.float64)
    at = np.unique(np.quantile(chances, np.linspace(0, 1, points)))
    curves, measures = [], []
    rng = np.random.default_rng(seed)
    for weights in resample_weights(n_patients, n_resamples, rng, truth.size):
        for row in weights[:, index].astype(np.int64):
            drawn = _resample(np.repeat(outcome, row), np.repeat(chances, row), at)
            if drawn is not None:
                curves.append(drawn[0])
                measures.append(drawn[1])
    if len(curves) < _MIN_USABLE * n_resamples:
        raise StatisticsError(
            f"Only {len(curves)} of {n_resamples} resamples allow a calibration curve",
            "more patients of each class, with probabilities that differ",
            "Use measure_calibration, or report groups instead of a curve",
        )
    low, high = np.quantile(np.stack(curves), [0.025, 0.975], axis=0)
    table = np.stack(measures)
    failed = n_resamples - len(curves)
    values = {
        "in_the_large": point.in_the_large.value, "slope": point.slope.value,
        "ici": point.ici, "e50": point.e50, "e90": point.e90, "emax": point.emax,
    }  # fmt: skip
    notes = [] if point.slope.warning is None else [point.slope.warning]
    if failed:
        notes.append(f"undefined in {failed} of {n_resamples} resamples")
    warning = "; ".join(notes) or None
    estimates = {
        name: Estimate(values[name], *percentile_limits(table[:, k]), _METHOD, truth.size, warning)
        for k, name in enumerate(_MEASURES)
    }
    middle = local_quadratic(chances, outcome, at, _neighbours(truth.size)).clip(0, 1)
    return CalibrationCurve(
        at, middle, low, high, **estimates, n_resamples=n_resamples, n_failed=failed
    )


def _neighbours(n: int) -> int:
    return int(n * _SPAN + 1e-5)


def _resample(
    outcome: FloatArray, chances: FloatArray, at: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Curve at some points, and the measures, of one resample; None where there are none."""
    logits, flat = logit(chances), np.ones((chances.size, 1))
    try:
        large, _ = fit_logistic(flat, outcome, logits)
        both, _ = fit_logistic(np.column_stack([flat, logits]), outcome, np.zeros(chances.size))
        curve = local_quadratic(chances, outcome, at, _neighbours(chances.size))
    except StatisticsError:
        return None
    distance = np.abs(np.interp(chances, at, curve) - chances)
    e50, e90 = np.quantile(distance, [0.5, 0.9])
    measures = np.array([large[0], both[1], distance.mean(), e50, e90, distance.max()])
    return curve.clip(0, 1), measures
