"""Whether probabilities mean what they say: in the large, slope, and a smooth curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, FloatArray, few_warning

_SPAN = 0.75
_CELLS_AT_ONCE = 1 << 21


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
    at: FloatArray
    curve: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
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


def smooth(x: ArrayLike, y: ArrayLike, span: float = _SPAN) -> FloatArray:
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


def local_quadratic(x: FloatArray, y: FloatArray, at: FloatArray, neighbours: int) -> FloatArray:
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
