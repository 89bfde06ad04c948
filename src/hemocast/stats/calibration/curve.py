"""A flexible calibration curve with a band, and all calibration measures with intervals.

The limits come from resampled patients: those of `measure_calibration` take every scan for a
patient, and its distances (ICI, E50, E90, Emax) have none.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_resamples
from hemocast.stats.calibration.measures import Calibration, local_quadratic, measure_calibration
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, FloatArray
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import Resampling

_SPAN = 0.75
_MIN_USABLE = 0.5
_ARRAYS = 6
"""So many arrays of resamples times cases are held at once."""
_HANKEL = np.arange(3)[:, None] + np.arange(3)
"""Where the normal equations of a quadratic have the moments of their predictor."""
_METHOD = "bootstrap of patients, percentile"


def calibration_curve(
    cases: Cases, resampling: Resampling = Resampling(500), points: int = 50
) -> Calibration:
    """Draw the smooth calibration curve, and put 95 % limits on it and on every measure.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores lie strictly between 0 and 1.
    resampling : Resampling
        Of patients.
    points : int
        Of the curve, which are quantiles of the probabilities: rising, from the smallest to the
        largest.

    Raises
    ------
    StatisticsError
        As for `measure_calibration`; or most resamples allow no such curve.

    References
    ----------
    Austin PC, Steyerberg EW 2019, Stat Med 38:4051-4065, 10.1002/sim.8281. Van Calster B 2016,
    J Clin Epidemiol 74:167-176, 10.1016/j.jclinepi.2015.12.005.
    """
    point = measure_calibration(cases)
    chances, outcome = cases.score, cases.truth.astype(np.float64)
    at = np.unique(np.quantile(chances, np.linspace(0, 1, points)))
    parts = [
        _resampled(outcome, chances, at, weights[:, cases.patient])
        for weights in resampling.draw(cases, _ARRAYS * cases.n)
    ]
    curves, table = (np.concatenate(part) for part in zip(*parts, strict=True))
    usable = np.isfinite(table).all(axis=1) & np.isfinite(curves).all(axis=1)
    curves, table = curves[usable], table[usable]
    if len(curves) < _MIN_USABLE * resampling.n:
        raise StatisticsError(
            f"Only {len(curves)} of {resampling.n} resamples allow a calibration curve",
            "more patients of each class, with probabilities that differ",
            "Use measure_calibration, or report groups instead of a curve",
        )
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    failed = resampling.n - len(curves)
    notes = [point.slope.warning] if point.slope.warning else []
    if failed:
        notes.append(f"undefined in {failed} of {resampling.n} resamples")
    whole = (point.in_the_large, point.slope, point.ici, point.e50, point.e90, point.emax)
    in_the_large, slope, ici, e50, e90, emax = (
        Estimate(one.value, *percentile_limits(column), _METHOD, cases.n, "; ".join(notes) or None)
        for one, column in zip(whole, table.T, strict=True)
    )
    return Calibration(
        in_the_large=in_the_large,
        slope=slope,
        ici=ici,
        e50=e50,
        e90=e90,
        emax=emax,
        intercept=point.intercept,
        at=at,
        curve=local_quadratic(chances, outcome, at, _neighbours(cases.n)).clip(0, 1),
        low=low,
        high=high,
        measured=point,
        n_failed=failed,
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
