"""Decision curves: what acting on a model would gain, against treating all and treating none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, Float64Array, IntArray, caution
from hemocast.stats.resampling.weights import Resampling

_METHOD = "bootstrap of patients, percentile"


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit by threshold, in true positives per case; treating none has 0 everywhere.

    Parameters
    ----------
    threshold : ndarray of float64, shape (k,)
        Probabilities at which one would act.
    model, model_low, model_high : ndarray of float64, shape (k,)
        Net benefit of acting on the model (that is, over treating none), with pointwise 95 %
        limits.
    standardized, standardized_low, standardized_high : ndarray of float64, shape (k,)
        Net benefit over the prevalence: at most 1, which perfect decisions reach. The limits
        let the prevalence vary with the patients.
    treat_all : ndarray of float64, shape (k,)
        Net benefit of acting on everybody.
    over_all, over_all_low, over_all_high : ndarray of float64, shape (k,)
        The model's gain over treating all, with limits of that paired difference.
    n, n_resamples : int
        Cases, and resamples of patients behind the limits.
    warning : str or None
        Where they rest on few patients of a class.
    """

    threshold: Float64Array
    model: Float64Array
    model_low: Float64Array
    model_high: Float64Array
    standardized: Float64Array
    standardized_low: Float64Array
    standardized_high: Float64Array
    treat_all: Float64Array
    over_all: Float64Array
    over_all_low: Float64Array
    over_all_high: Float64Array
    n: int
    n_resamples: int
    warning: str | None = None

    @property
    def notes(self) -> tuple[str | None, ...]:
        """What to know of each threshold's limits: the warning, and why some have no width."""
        flat = "no case is at or above this threshold"
        return tuple(
            "; ".join(filter(None, [self.warning, flat if low == high else None])) or None
            for low, high in zip(self.model_low, self.model_high, strict=True)
        )

    def estimates(self, place: int) -> tuple[Estimate, Estimate, Estimate]:
        """Return net benefit, standardized, and the gain over treating all at one threshold.

        Parameters
        ----------
        place : int
            Of the threshold.
        """
        one, two, three = (
            self._estimate(float(value[place]), float(low[place]), float(high[place]), place)
            for value, low, high in (
                (self.model, self.model_low, self.model_high),
                (self.standardized, self.standardized_low, self.standardized_high),
                (self.over_all, self.over_all_low, self.over_all_high),
            )
        )
        return one, two, three

    def _estimate(self, value: float, low: float, high: float, place: int) -> Estimate:
        if not np.isfinite([value, low, high]).all():
            return Estimate.bare(value, self.n, "no interval: no case has the outcome")
        return Estimate(value, low, high, _METHOD, self.n, self.notes[place])


def decision_curve(
    cases: Cases, thresholds: ArrayLike, resampling: Resampling = Resampling()
) -> DecisionCurve:
    """Net benefit = TP/n - FP/n * t/(1 - t), with bootstrap limits from resampled patients.

    Parameters
    ----------
    cases : Cases
        Of one rater, with calibrated fractions in [0, 1]. Net benefit depends on the prevalence: in
        a case-control sample it is not that of practice.
    thresholds : array_like, shape (k,)
        Each strictly between 0 and 1.
    resampling : Resampling
        Of patients.

    Raises
    ------
    StatisticsError
        Thresholds outside (0, 1), or scores outside [0, 1].

    References
    ----------
    Vickers AJ, Elkin EB 2006, Med Decis Making 26:565-574, 10.1177/0272989X06295361. Standardized:
    Kerr KF 2016, J Clin Oncol 34:2534-2540, 10.1200/JCO.2015.65.5654.
    """
    at = _checked(thresholds)
    odds = at / (1 - at)
    units = resampling.units(cases)
    tally = _tally(cases, at, units)
    drawn = [
        _net_benefit(np.asarray(weights @ tally), at, odds)
        for weights in resampling.draw(cases, 0, units)
    ]
    acted, everybody = (np.concatenate(part) for part in zip(*drawn, strict=True))
    model_low, model_high = np.quantile(acted, [0.025, 0.975], axis=0)
    over_low, over_high = np.quantile(acted - everybody, [0.025, 0.975], axis=0)
    scaled = _standardized(acted, everybody, odds)
    known = scaled[np.isfinite(scaled).all(axis=1)]
    scaled_low, scaled_high = (
        np.quantile(known, [0.025, 0.975], axis=0) if len(known) else np.full((2, at.size), np.nan)
    )
    total = np.asarray(tally.sum(axis=0)).reshape(1, -1)
    (model,), (treat_all,) = _net_benefit(total, at, odds)
    return DecisionCurve(
        threshold=at,
        model=model,
        model_low=model_low,
        model_high=model_high,
        standardized=_standardized(model, treat_all, odds),
        standardized_low=scaled_low,
        standardized_high=scaled_high,
        treat_all=treat_all,
        over_all=model - treat_all,
        over_all_low=over_low,
        over_all_high=over_high,
        n=cases.n,
        n_resamples=resampling.n,
        warning=caution(cases.smaller_class),
    )


def _standardized(acted: Float64Array, everybody: Float64Array, odds: Float64Array) -> Float64Array:
    """Divide by the prevalence, which the net benefit of treating all gives; NaN where it is 0."""
    share = (everybody + odds) / (1 + odds)
    return np.asarray(acted / np.where(share > 1e-12, share, np.nan))


def _checked(thresholds: ArrayLike) -> Float64Array:
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if at.ndim != 1 or not bool(((at > 0) & (at < 1)).all()):
        raise StatisticsError(
            "Some thresholds are not strictly between 0 and 1",
            "probabilities at which one would act",
            "Leave out 0 and 1: nobody acts on impossibility or waits for certainty",
        )
    return at


def net_benefit_differences(
    cases: Cases, thresholds: ArrayLike, resampling: Resampling = Resampling()
) -> tuple[Estimate, ...]:
    """Net benefit of acting on the first rater minus that of acting on the second.

    Parameters
    ----------
    cases : Cases
        Of two raters, with calibrated fractions in [0, 1].
    thresholds : array_like, shape (k,)
        Each strictly between 0 and 1.
    resampling : Resampling
        Of patients, the same for both.

    Returns
    -------
    tuple of Estimate
        One per threshold, with pointwise 95 % limits; without limits where both act on the same
        cases.

    Raises
    ------
    StatisticsError
        Not two raters, scores outside [0, 1], or thresholds outside (0, 1).

    References
    ----------
    Vickers AJ 2008, BMC Med Inform Decis Mak 8:53, 10.1186/1472-6947-8-53.
    """
    cases.require_raters(2)
    at, scores = _checked(thresholds), cases.probabilities()
    units = resampling.units(cases)
    n_units = int(units.max()) + 1
    gains = np.empty((n_units, at.size + 1))
    for k, threshold in enumerate(at):
        acted = scores >= threshold
        lead = acted[0].astype(np.float64) - acted[1]
        worth = np.where(cases.truth, 1.0, -threshold / (1 - threshold))
        gains[:, k] = np.bincount(units, weights=lead * worth, minlength=n_units)
    gains[:, -1] = np.bincount(units, minlength=n_units)
    drawn = np.concatenate([weights @ gains for weights in resampling.draw(cases, 0, units)])
    low, high = np.quantile(drawn[:, :-1] / drawn[:, -1:], [0.025, 0.975], axis=0)
    values = gains[:, :-1].sum(axis=0) / cases.n
    few, method = caution(cases.smaller_class), "paired bootstrap of patients, percentile"
    return tuple(
        Estimate(value, below, above, method, cases.n, few)
        if below < above
        else Estimate.bare(value, cases.n, "no interval: both act on the same cases")
        for value, below, above in zip(values.tolist(), low.tolist(), high.tolist(), strict=True)
    )


def _tally(cases: Cases, at: Float64Array, units: IntArray) -> csr_array:
    """Count each unit's scans between the sorted thresholds: with the outcome, then without.

    Shape (n_units, 2 (k + 1)), and sparse: a patient has few scans.
    """
    width = at.size + 1
    between = np.searchsorted(np.sort(at), cases.probability(), side="right")
    column = np.where(cases.truth, between, between + width)
    ones = np.ones(cases.n)
    return csr_array((ones, (units, column)), shape=(int(units.max()) + 1, 2 * width))


def _net_benefit(
    counts: Float64Array, at: Float64Array, odds: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Net benefit of model and of treating all, both (r, k), from counts, shape (r, 2 (k + 1))."""
    width = at.size + 1
    # From the highest threshold down, these are the scans at or above each.
    positive = np.cumsum(counts[:, width - 1 :: -1], axis=1)[:, ::-1]
    negative = np.cumsum(counts[:, : width - 1 : -1], axis=1)[:, ::-1]
    n = positive[:, :1] + negative[:, :1]
    place = np.argsort(np.argsort(at, kind="stable"), kind="stable") + 1
    acted = (positive[:, place] - odds * negative[:, place]) / n
    everybody = (positive[:, :1] - odds * negative[:, :1]) / n
    return acted, everybody
