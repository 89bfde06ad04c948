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
from hemocast.stats.calibration.logistic import fit_resamples
from hemocast.stats.calibration.measures import Calibration, local_quadratic, measure_calibration
from hemocast.stats.estimate import Estimate, FloatArray, as_labels, as_patients, as_scores
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import resample_weights

_SPAN = 0.75
_MIN_USABLE = 0.5
_ARRAYS = 6
"""So many arrays of resamples times cases are held at once."""
_HANKEL = np.arange(3)[:, None] + np.arange(3)
"""Where the normal equations of a quadratic have the moments of their predictor."""
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
    measured : Calibration
        The same measures without resamples.
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
    measured: Calibration


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
    parts = []
    rng = np.random.default_rng(seed)
    for weights in resample_weights(n_patients, n_resamples, rng, _ARRAYS * truth.size):
        parts.append(_resampled(outcome, chances, at, weights[:, index]))
    curves, table = (np.concatenate(part) for part in zip(*parts, strict=True))
    usable = np.isfinite(table).all(axis=1) & np.isfinite(curves).all(axis=1)
    curves, table = curves[usable], table[usable]
    if len(curves) < _MIN_USABLE * n_resamples:
        raise StatisticsError(
            f"Only {len(curves)} of {n_resamples} resamples allow a calibration curve",
            "more patients of each class, with probabilities that differ",
            "Use measure_calibration, or report groups instead of a curve",
        )
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
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
        at, middle, low, high, **estimates, n_resamples=n_resamples, n_failed=failed, measured=point
    )


def _neighbours(n: int) -> int:
    return int(n * _SPAN + 1e-5)


def _resampled(
    outcome: FloatArray, chances: FloatArray, at: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Curves, shape (r, points), and measures, shape (r, 6), of resamples given as weights (r, n).

    NaN where a resample has none.
    """
    logits, flat = logit(chances), np.ones((chances.size, 1))
    large = fit_resamples(flat, outcome, logits, weights)
    both = fit_resamples(np.column_stack([flat, logits]), outcome, np.zeros(chances.size), weights)
    curves = _curves(outcome, chances, at, weights)
    left = np.clip(np.searchsorted(at, chances, side="right") - 1, 0, at.size - 2)
    share = (chances - at[left]) / (at[left + 1] - at[left])
    distance = np.abs(curves[:, left] * (1 - share) + curves[:, left + 1] * share - chances)
    total = weights.sum(axis=1)
    mean = (weights * distance).sum(axis=1) / total
    largest = np.where(weights > 0, distance, 0).max(axis=1)
    e50, e90 = _quantiles(distance, weights, (0.5, 0.9))
    measures = np.column_stack([large[:, 0], both[:, 1], mean, e50, e90, largest])
    return curves.clip(0, 1), measures


def _curves(
    outcome: FloatArray, chances: FloatArray, at: FloatArray, weights: FloatArray
) -> FloatArray:
    """`local_quadratic` of every resample at some points, shape (r, points), without copies.

    At one point the cases are in the same order of distance in all resamples: cumulative weights
    tell how far each one's neighborhood reaches.
    """
    total = weights.sum(axis=1)
    neighbours = np.floor(total * _SPAN + 1e-5)[:, None]
    moments = np.empty((total.size, at.size, 8))
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, point in enumerate(at):
            order = np.argsort(np.abs(chances - point), kind="stable")
            offset, drawn = chances[order] - point, weights[:, order]
            last = (np.cumsum(drawn, axis=1) >= neighbours).argmax(axis=1)
            reach = np.abs(offset[last])[:, None]
            kernel = np.abs(offset) / reach
            np.minimum(kernel, 1, out=kernel)
            kernel *= kernel * kernel
            np.subtract(1, kernel, out=kernel)
            kernel *= kernel * kernel * drawn
            powers = offset[:, None] ** np.arange(5)
            basis = np.hstack([powers, powers[:, :3] * outcome[order][:, None]])
            scale = reach ** np.array([0, 1, 2, 3, 4, 0, 1, 2])
            moments[:, k] = kernel @ basis / scale
    curves = np.full(moments.shape[:2], np.nan)
    known = np.isfinite(moments).all(axis=2)
    normal = moments[known][:, _HANKEL]
    solved = np.linalg.pinv(normal, hermitian=True)[:, 0]
    curves[known] = np.einsum("kj,kj->k", solved, moments[known][:, 5:])
    return curves


def _quantiles(
    values: FloatArray, weights: FloatArray, shares: tuple[float, ...]
) -> tuple[FloatArray, ...]:
    """Quantiles of each row, shape (r,), every value counted as often as its weight says."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    rows = np.arange(values.shape[0])
    found = []
    for share in shares:
        place = share * (reached[:, -1] - 1)
        below, above = np.floor(place), np.ceil(place)
        low = ordered[rows, (reached > below[:, None]).argmax(axis=1)]
        high = ordered[rows, (reached > above[:, None]).argmax(axis=1)]
        found.append(low + (place - below) * (high - low))
    return tuple(found)
