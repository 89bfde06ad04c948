"""Two raters (or models) on the same cases, compared on any metric by resampling patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Estimate, FloatArray
from hemocast.stats.metrics import METRICS
from hemocast.stats.resampling.limits import AGREE, TOO_FEW, p_of_zero, resampled_limits
from hemocast.stats.resampling.replicates import as_thresholds, left_out, replicate, resampled
from hemocast.stats.resampling.weights import Resampling


@dataclass(frozen=True)
class Difference:
    """One metric of the first minus that of the second rater.

    Parameters
    ----------
    metric : str
        Its name in `METRICS`.
    estimate : Estimate
        The difference with its 95 % interval.
    p : float
        Two-sided, of no difference; NaN where there is no interval.
    """

    metric: str
    estimate: Estimate
    p: float


def bootstrap_differences(
    cases: Cases, thresholds: ArrayLike, resampling: Resampling = Resampling()
) -> tuple[Difference, ...]:
    """Differences of all `METRICS` between two raters, from resamples of patients that both share.

    Parameters
    ----------
    cases : Cases
        Of two raters: fractions in [0, 1], or 0 and 1 where there are only decisions.
    thresholds : array_like, shape () or (2,)
        At or above it a case counts as positive: one for both, or one each.
    resampling : Resampling
        Of patients.

    Returns
    -------
    tuple of Difference
        In the order of `METRICS`. The p value is 1 - the level at which the interval just reaches
        0, and never below 2 / (resamples + 1).

    Raises
    ------
    StatisticsError
        Not two raters, or as `bootstrap_raters` does.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapters 14, 15.
    """
    cases.require_raters(2)
    cases.probabilities()
    at = as_thresholds(thresholds, 2)
    with np.errstate(invalid="ignore"):
        point = _difference(replicate(cases, at, [np.ones((1, cases.n_patients))]))[:, 0]
        drawn = _difference(resampled(cases, at, resampling))
        bca = resampling.interval == "bca"
        without = _difference(left_out(cases, at)) if bca else np.empty((len(METRICS), 0))
    strata = ", stratified by outcome" if resampling.stratified else ""
    name = f"paired bootstrap of patients{strata}"
    return tuple(
        _one(cases, metric, float(point[k]), drawn[k], without[k], name)
        for k, metric in enumerate(METRICS)
    )


def _difference(values: FloatArray) -> FloatArray:
    return np.asarray(values[0] - values[1])


def _one(
    cases: Cases,
    metric: str,
    value: float,
    drawn: FloatArray,
    without: FloatArray,
    name: str,
) -> Difference:
    """Turn the resampled differences of one metric into its interval and p value."""
    nan = float("nan")
    if not np.isfinite(value):
        reason = "undefined: the metric of at least one is undefined or infinite"
        return Difference(metric, Estimate.bare(nan, cases.n, reason), nan)
    finite = np.where(np.isfinite(drawn), drawn, nan)
    found = resampled_limits(value, finite, without)
    notes = [*([cases.few] if cases.few else []), *found.notes]
    if found.kind == AGREE:
        notes.append("all resamples agree, so they give no interval")
    if found.kind in (AGREE, TOO_FEW):
        return Difference(metric, Estimate.bare(value, cases.n, "; ".join(notes)), nan)
    corrected = without if found.kind == "BCa" else None
    p = p_of_zero(value, finite[~np.isnan(finite)], corrected)
    method = f"{name}, {found.kind}"
    warning = "; ".join(notes) or None
    return Difference(metric, Estimate(value, found.low, found.high, method, cases.n, warning), p)
