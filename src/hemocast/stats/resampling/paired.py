"""Two raters (or models) on the same cases, compared on any metric by resampling patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Estimate, FloatArray, few_warning
from hemocast.stats.metrics import METRICS
from hemocast.stats.resampling.bootstrap import Method
from hemocast.stats.resampling.limits import bca_limits, p_of_zero, percentile_limits
from hemocast.stats.resampling.replicates import (
    Readings,
    as_readings,
    left_out,
    replicate,
    resampled,
)

_MIN_USABLE = 0.5


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
    label: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    thresholds: ArrayLike,
    patient: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
    *,
    method: Method = "percentile",
    stratified: bool = False,
) -> tuple[Difference, ...]:
    """Differences of all `METRICS` between two raters, from resamples of patients that both share.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    first, second : array_like, shape (n,)
        Fractions in [0, 1], or 0 and 1 where there are only decisions.
    thresholds : array_like, shape () or (2,)
        At or above it a case counts as positive: one for both, or one each.
    patient : array_like, shape (n,)
        The patient of every case.
    n_resamples, seed, method, stratified
        As for `bootstrap_raters`.

    Returns
    -------
    tuple of Difference
        In the order of `METRICS`. The p value is 1 - the level at which the interval just reaches
        0, and never below 2 / (n_resamples + 1).

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples, or labels, probabilities, thresholds or patients that cannot be
        used.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapters 14, 15.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape:
        raise StatisticsError(
            f"One has predictions of shape {a.shape} and the other of {b.shape}",
            "predictions of the same cases",
            "Check that both come from the same cases",
        )
    readings = as_readings(label, np.stack([a, b]), thresholds, patient)
    with np.errstate(invalid="ignore"):
        point = _difference(replicate(readings, [np.ones((1, readings.n_patients))]))[:, 0]
        drawn = _difference(resampled(readings, n_resamples, seed, stratified=stratified))
        without = _difference(left_out(readings)) if method == "bca" else None
    name = f"paired bootstrap of patients{', stratified by outcome' if stratified else ''}"
    few = few_warning(_fewest(readings))
    return tuple(
        _one(metric, float(point[at]), drawn[at], None if without is None else without[at], name,
             readings.truth.size, few)
        for at, metric in enumerate(METRICS)
    )  # fmt: skip


def _difference(values: FloatArray) -> FloatArray:
    return np.asarray(values[0] - values[1])


def _fewest(readings: Readings) -> int:
    """Patients of the smaller class."""
    sides = (readings.truth, ~readings.truth)
    return min(int(np.unique(readings.index[side]).size) for side in sides)


def _one(
    metric: str,
    value: float,
    drawn: FloatArray,
    without: FloatArray | None,
    name: str,
    n: int,
    few: str | None,
) -> Difference:
    """Turn the resampled differences of one metric into its interval and p value."""
    nan = float("nan")
    notes = [] if few is None else [few]
    usable = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        reason = "undefined: the metric of at least one is undefined or infinite"
        return Difference(metric, Estimate(nan, nan, nan, "none", n, reason), nan)
    if usable.size < _MIN_USABLE * drawn.size:
        notes.append(f"only {usable.size} of {drawn.size} resamples could be used")
        return Difference(metric, Estimate(value, nan, nan, "none", n, "; ".join(notes)), nan)
    if usable.size < drawn.size:
        notes.append(f"undefined in {drawn.size - usable.size} of {drawn.size} resamples")
    low, high = percentile_limits(usable)
    if high - low < 1e-12:
        notes.append("all resamples agree, so they give no interval")
        return Difference(metric, Estimate(value, nan, nan, "none", n, "; ".join(notes)), nan)
    kind, corrected = "percentile", None
    if without is not None:
        corrected = bca_limits(value, usable, without)
        if corrected is None:
            notes.append("BCa does not exist here; percentile limits")
        else:
            (low, high), kind = corrected, "BCa"
    p = p_of_zero(value, usable, without if corrected is not None else None)
    estimate = Estimate(value, low, high, f"{name}, {kind}", n, "; ".join(notes) or None)
    return Difference(metric, estimate, p)
