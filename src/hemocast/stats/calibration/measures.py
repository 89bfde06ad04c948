"""Whether probabilities mean what they say: in the large, slope, and a smooth curve with a band.

The limits of `calibration_curve` come from resampled patients: those of `measure_calibration` take
every scan for a patient, and its distances (ICI, E50, E90, Emax) have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic, fit_resamples
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, Float64Array, few_warning
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import Resampling

_SPAN = 0.75
_CELLS_AT_ONCE = 1 << 21
_MIN_USABLE = 0.5
_ARRAYS = 6
"""So many arrays of resamples times cases are held at once."""
_HANKEL = np.arange(3)[:, None] + np.arange(3)
"""Where the normal equations of a quadratic have the moments of their predictor."""
_METHOD = "bootstrap of patients, percentile"

NO_RESAMPLES = "no interval: that takes resampled patients"


@dataclass(frozen=True)
class Calibration:
    """Agreement between probabilities and outcomes.

    Parameters
    ----------
    in_the_large : Estimate
        Intercept of a logistic model with the logit as offset; 0 is ideal, above 0 means that the
        probabilities are too low on average.
    slope : Estimate
        Of the outcome on the logit; 1 is ideal, below 1 means probabilities too extreme.
    ici, e50, e90, emax : Estimate
        Mean, median, 90th percentile and largest distance between the probabilities and the smooth
        curve. They can only be positive, and noise adds to them: even with perfect probabilities
        their limits stay above 0.
    intercept : float
        Of the model that gives the slope.
    at, curve : ndarray of float64, shape (k,)
        The smooth observed share, at these probabilities.
    low, high : ndarray of float64, shape (k,), or None
        Pointwise 95 % limits of the curve, from resampled patients.
    measured : Calibration or None
        The same without resamples: its intervals take the scans as independent.
    n_failed : int
        Resamples in which calibration could not be computed; left out.
    """

    in_the_large: Estimate
    slope: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate
    emax: Estimate
    intercept: float
    at: Float64Array
    curve: Float64Array
    low: Float64Array | None = None
    high: Float64Array | None = None
    measured: Calibration | None = None
    n_failed: int = 0


def measure_calibration(cases: Cases) -> Calibration:
    """Measure calibration.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores lie strictly between 0 and 1.

    Returns
    -------
    Calibration
        Intervals are 95 % Wald intervals, which take the cases as independent; distances have none.
        The curve is given at every case, in the order given.

    Raises
    ------
    StatisticsError
        One class only, scores that do not lie strictly between 0 and 1, fewer than five different
        ones, or perfect separation.

    References
    ----------
    Cox DR 1958, Biometrika 45:562-565, 10.1093/biomet/45.3-4.562. Austin PC, Steyerberg EW 2019,
    Stat Med 38:4051-4065, 10.1002/sim.8281.
    """
    probability, outcome = cases.probability(), cases.truth.astype(float)
    few = few_warning(min(cases.both_classes()))
    certain = int(((probability == 0) | (probability == 1)).sum())
    if certain:
        raise StatisticsError(
            f"{certain} of {cases.n} probabilities are exactly 0 or 1, which have no logit",
            "probabilities strictly between 0 and 1",
            "Let the model give unrounded probabilities",
        )
    logits = logit(probability)
    flat = np.ones((cases.n, 1))
    large, large_cov = fit_logistic(flat, outcome, logits)
    curve = smooth(probability, outcome)
    fitted, covariance = fit_logistic(np.column_stack([flat, logits]), outcome)
    distance = np.abs(curve - probability)
    distances = (distance.mean(), *np.quantile(distance, [0.5, 0.9]), distance.max())
    ici, e50, e90, emax = (Estimate.bare(float(x), cases.n, NO_RESAMPLES) for x in distances)
    return Calibration(
        in_the_large=_wald(large[0], large_cov[0, 0], cases.n, few),
        slope=_wald(fitted[1], covariance[1, 1], cases.n, few),
        ici=ici,
        e50=e50,
        e90=e90,
        emax=emax,
        intercept=float(fitted[0]),
        at=probability,
        curve=curve,
    )


def _wald(value: float, variance: float, n: int, few: str | None) -> Estimate:
    half = float(norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(float(value), float(value) - half, float(value) + half, "Wald", n, few)


def smooth(x: ArrayLike, y: ArrayLike, span: float = _SPAN) -> Float64Array:
    """Local quadratic regression with tricube weights, computed at every x.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Predictor and response.
    span : float
        Share of the cases that each local fit sees.

    Returns
    -------
    ndarray of float64, shape (n,)
        Fitted values, in the order of `x`.

    Raises
    ------
    StatisticsError
        Too few cases or different values of x for a quadratic fit.

    References
    ----------
    Cleveland WS, Devlin SJ 1988, J Am Stat Assoc 83:596-610, 10.1080/01621459.1988.10478639.
    """
    at, response = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n = at.size
    neighbours = int(n * span + 1e-5)
    if neighbours < 4 or np.unique(at).size < 5:
        raise StatisticsError(
            f"{n} cases with {np.unique(at).size} different probabilities",
            "at least six cases and five different probabilities for a smooth curve",
            "Report groups instead of a curve",
        )
    fitted = np.empty(n)
    part = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, n, part):
        fitted[start : start + part] = local_quadratic(
            at, response, at[start : start + part], neighbours
        )
    return fitted


def local_quadratic(
    x: Float64Array, y: Float64Array, at: Float64Array, neighbours: int
) -> Float64Array:
    """Local quadratic fits with tricube weights at several points.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Predictor and response.
    at : ndarray, shape (k,)
        Where to fit.
    neighbours : int
        Cases that each fit sees.

    Returns
    -------
    ndarray of float64, shape (k,)

    Raises
    ------
    StatisticsError
        So many equal values of x that a neighbourhood has no width.
    """
    offset = x[None, :] - at[:, None]
    distance = np.abs(offset)
    reach = np.partition(distance, neighbours - 1, axis=1)[:, neighbours - 1]
    if not reach.all():
        raise StatisticsError(
            "Most probabilities are the same",
            "probabilities that differ",
            "Report groups instead of a curve",
        )
    share = distance / reach[:, None]
    weights = np.where(share < 1, (1 - np.minimum(share, 1) ** 3) ** 3, 0)
    scaled = offset / reach[:, None]
    powers = np.stack([np.ones_like(scaled), scaled, scaled**2])
    normal = np.einsum("ikn,kn,jkn->kij", powers, weights, powers)
    right = np.einsum("ikn,kn,n->ki", powers, weights, y)
    # A pseudo-inverse: with ties a neighbourhood may hold fewer than three values of x.
    solved = np.einsum("kij,kj->ki", np.linalg.pinv(normal, hermitian=True), right)
    return np.asarray(solved[:, 0])


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
    outcome: Float64Array, chances: Float64Array, at: Float64Array, weights: Float64Array
) -> tuple[Float64Array, Float64Array]:
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
    outcome: Float64Array, chances: Float64Array, at: Float64Array, weights: Float64Array
) -> Float64Array:
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
    values: Float64Array, weights: Float64Array, shares: tuple[float, ...]
) -> tuple[Float64Array, ...]:
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
