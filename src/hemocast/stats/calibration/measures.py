"""Calibration: in the large, slope, and a smooth curve with a band.

The limits of `calibration_curve` come from resampled patients: those of `measure_calibration` take
every scan for a patient, and its distances (ICI, E50, E90, Emax) have none. Every measure is of all
cases, however many; where they are more than `MOST_SMOOTHED`, the smooth curve is that of cells of
like probability, see `condense`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.condense import MOST_SMOOTHED, Condensed, condense
from hemocast.stats.calibration.distances import distance_limits, distances
from hemocast.stats.calibration.loess import no_width, smooth, weighted_curves
from hemocast.stats.calibration.logistic import fit_logistic, fit_resamples
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, Float64Array, caution
from hemocast.stats.proportions import wilson
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import Resampling

_MIN_USABLE = 0.5
_KNOTS = 300
_ARRAYS = 6
"""So many arrays of resamples times cases are held at once."""
_METHOD = "bootstrap of patients, percentile"
_INVERTED = "bootstrap of patients, test inversion below"

NO_RESAMPLES = "no interval: that takes resampled patients"


@dataclass(frozen=True)
class Calibration:
    """Agreement between probabilities and outcomes.

    Parameters
    ----------
    mean_risk, observed_expected : Estimate
        Mean probability; and outcomes seen for each that the probabilities add up to: 1 is ideal,
        above 1 means that the probabilities are too low on average.
    in_the_large : Estimate
        Intercept of a logistic model with the logit as offset; 0 is ideal, above 0 means that the
        probabilities are too low on average.
    slope : Estimate
        Of the outcome on the logit; 1 is ideal, below 1 means probabilities too extreme.
    ici, e50, e90, emax : Estimate
        Mean, median, 90th percentile and largest distance between the probabilities and the smooth
        curve. They can only be positive, and noise adds to them: the limits allow for that, and
        begin at 0 where the curve is what perfect probabilities give.
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

    mean_risk: Estimate
    observed_expected: Estimate
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
        The curve is given at every case, in the order given; of more than `MOST_SMOOTHED` cases at
        every cell of like probability.

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
    probability = cases.probability()
    cases.both_classes()
    certain = int(((probability == 0) | (probability == 1)).sum())
    if certain:
        raise StatisticsError(
            f"{certain} of {cases.n} probabilities are exactly 0 or 1, which have no logit",
            "probabilities strictly between 0 and 1",
            "Let the model give unrounded probabilities",
        )
    whole = condense(cases, cases.patient)
    curve = _curve_of(whole)
    in_the_large, slope, intercept = _line(cases)
    ici, e50, e90, emax = (
        Estimate.bare(float(value), cases.n, NO_RESAMPLES)
        for value in distances(whole.chance, curve, whole.weight)
    )
    return Calibration(
        mean_risk=mean_risk(cases),
        observed_expected=observed_expected(cases),
        in_the_large=in_the_large,
        slope=slope,
        ici=ici,
        e50=e50,
        e90=e90,
        emax=emax,
        intercept=intercept,
        at=whole.chance,
        curve=curve,
    )


def calibration_line(cases: Cases) -> tuple[Estimate, Estimate]:
    """Give calibration in the large and slope alone, with Wald's limits.

    These take cases as independent.

    Parameters
    ----------
    cases : Cases
        Of one rater.

    Raises
    ------
    StatisticsError
        One class only, a score that does not lie strictly between 0 and 1, all of them equal, or
        perfect separation.

    References
    ----------
    Cox DR 1958, Biometrika 45:562-565, 10.1093/biomet/45.3-4.562.
    """
    probability = cases.probability()
    cases.both_classes()
    if not 0 < probability.min() < probability.max() < 1:
        raise StatisticsError(
            "Probabilities that are 0 or 1, or all the same, have no calibration line",
            "probabilities strictly between 0 and 1 that differ",
            "Let the model give unrounded probabilities",
        )
    in_the_large, slope, _ = _line(cases)
    return in_the_large, slope


def _line(cases: Cases) -> tuple[Estimate, Estimate, float]:
    """Fit calibration in the large, and slope and intercept, to scores that have a logit."""
    outcome, few = cases.truth.astype(float), caution(cases.smaller_class)
    flat, logits = np.ones((cases.n, 1)), logit(cases.probability())
    large, large_cov = fit_logistic(flat, outcome, logits)
    fitted, covariance = fit_logistic(np.column_stack([flat, logits]), outcome)
    return (
        _wald(large[0], large_cov[0, 0], cases.n, few),
        _wald(fitted[1], covariance[1, 1], cases.n, few),
        float(fitted[0]),
    )


def _curve_of(whole: Condensed) -> Float64Array:
    """Fit the smooth curve at every case; of cells at some hundred points, linear between them."""
    if whole.weight.max() == 1:
        return smooth(whole.chance, whole.outcome)
    rising = np.unique(whole.chance)
    at = rising[np.linspace(0, rising.size - 1, min(_KNOTS, rising.size)).astype(np.int64)]
    (curve,) = weighted_curves(whole.outcome, whole.chance, at, whole.weight[None])
    if np.isnan(curve).any():
        raise no_width()
    return np.asarray(np.interp(whole.chance, at, curve))


def mean_risk(cases: Cases) -> Estimate:
    """Mean probability, with a normal interval over patients.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    """
    chances = cases.probability()
    mean = float(chances.mean())
    few = caution(cases.n_patients, "in all")
    if cases.n_patients < 2 or np.ptp(chances) == 0:
        why = "a single patient" if cases.n_patients < 2 else "all probabilities are equal"
        return Estimate.bare(mean, cases.n, f"no interval: {why}")
    k = cases.n_patients
    sums = np.bincount(cases.patient, weights=chances - mean)
    half = float(norm.ppf(0.975) * np.sqrt((sums**2).sum() * k / (k - 1)) / cases.n)
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0), "normal", cases.n, few)


def observed_expected(cases: Cases) -> Estimate:
    """Outcomes seen for each that the probabilities add up to, with Wilson's limits of the share.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1]; these count as given.

    References
    ----------
    Debray TPA 2017, BMJ 356:i6460, 10.1136/bmj.i6460.
    """
    expected = float(cases.probability().mean())
    few = caution(cases.patients(cases.truth), "with the outcome")
    if expected == 0:
        return Estimate.bare(float("nan"), cases.n, "undefined: every probability is 0")
    low, high = (limit / expected for limit in wilson(cases.n_positive, cases.n))
    value = cases.n_positive / cases.n / expected
    return Estimate(value, low, high, "Wilson, the probabilities given", cases.n, few)


def _wald(value: float, variance: float, n: int, few: str | None) -> Estimate:
    half = float(norm.ppf(0.975) * np.sqrt(variance))
    return Estimate(float(value), float(value) - half, float(value) + half, "Wald", n, few)


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

    Returns
    -------
    Calibration
        The limits of in the large and slope are percentiles of the resamples, those of the
        distances from `distance_limits`, and the others those of `measure_calibration`.

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
    units = resampling.units(cases)
    whole = condense(cases, units)
    at = _grid(cases.score, cases.score[cases.truth], points)
    parts = [
        _resampled(whole, at, whole.resampled(weights))
        for weights in resampling.draw(cases, _ARRAYS * whole.weight.size, units)
    ]
    curves, lines = (np.concatenate(part) for part in zip(*parts, strict=True))
    usable = np.isfinite(lines).all(axis=1) & np.isfinite(curves).all(axis=1)
    curves, lines = curves[usable], lines[usable]
    if len(curves) < _MIN_USABLE * resampling.n:
        raise StatisticsError(
            f"Only {len(curves)} of {resampling.n} resamples allow a calibration curve",
            "more patients of each class, with probabilities that differ",
            "Use measure_calibration, or report groups instead of a curve",
        )
    low, high = np.quantile(curves.clip(0, 1), [0.025, 0.975], axis=0)
    failed = resampling.n - len(curves)
    lost = f"undefined in {failed} of {resampling.n} resamples" if failed else None
    (curve,) = weighted_curves(whole.outcome, whole.chance, at, whole.weight[None])
    values = np.array([one.value for one in (point.ici, point.e50, point.e90, point.emax)])
    far = distance_limits(values, whole.chance, whole.weight, at, curve, curves)
    few = point.slope.warning
    ici, e50, e90, emax = (
        Estimate(float(value), *limits, _INVERTED, cases.n, few).noted(lost)
        for value, limits in zip(values, far, strict=True)
    )
    in_the_large, slope = (
        replace(one, ci_low=limits.low, ci_high=limits.high, ci_method=_METHOD).noted(lost)
        for one, limits in zip(
            (point.in_the_large, point.slope), map(percentile_limits, lines.T), strict=True
        )
    )
    return replace(
        point,
        in_the_large=in_the_large,
        slope=slope,
        ici=ici,
        e50=e50,
        e90=e90,
        emax=emax,
        at=at,
        curve=curve.clip(0, 1),
        low=low,
        high=high,
        measured=point,
        n_failed=failed,
    )


def _grid(chances: Float64Array, of_events: Float64Array, points: int) -> Float64Array:
    """Return quantiles of the probabilities.

    Of very many cases a third are quantiles of those with events, and a third stand evenly, since
    the few high risks of a rare outcome are in none of the quantiles.
    """
    if chances.size <= MOST_SMOOTHED:
        return np.unique(np.quantile(chances, np.linspace(0, 1, points)))
    third = points // 3
    even = np.linspace(chances.min(), chances.max(), third)
    events = np.quantile(of_events, np.linspace(0, 1, third))
    whole = np.quantile(chances, np.linspace(0, 1, points - 2 * third))
    return np.unique(np.concatenate([whole, events, even]))


def _resampled(
    whole: Condensed, at: Float64Array, weights: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Curves, shape (r, points), and in the large and slope, shape (r, 2), of resamples.

    `weights`, shape (r, k), say how often each holds each case or cell. NaN where one has none.
    """
    logits, flat = logit(whole.chance), np.ones((whole.chance.size, 1))
    large = fit_resamples(flat, whole.outcome, logits, weights)
    design = np.column_stack([flat, logits])
    both = fit_resamples(design, whole.outcome, np.zeros(logits.size), weights)
    curves = weighted_curves(whole.outcome, whole.chance, at, weights)
    return curves, np.column_stack([large[:, 0], both[:, 1]])
