"""Bootstrap intervals that resample patients, for all metrics and all raters in one pass.

Scans of one patient resemble each other; resampling scans as if they were patients makes every
interval too narrow. Here a resample draws patients with replacement, each with all of its scans.
All raters see the same resamples, so that they can be compared case by case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hemocast.stats.estimate import Estimate, FloatArray
from hemocast.stats.metrics import (
    METRICS,
    RANGES,
    ClassificationMetrics,
    classification_metrics,
)
from hemocast.stats.resampling.extremes import Sample, extreme_limits
from hemocast.stats.resampling.limits import bca_limits, percentile_limits
from hemocast.stats.resampling.replicates import Readings, as_readings, left_out, resampled

Method = Literal["percentile", "bca"]

_MIN_USABLE = 0.5
"""With fewer usable resamples than this share, no interval is given."""


@dataclass(frozen=True)
class Bootstrap:
    """All metrics with their bootstrap intervals.

    Parameters
    ----------
    point : ClassificationMetrics
        The metrics of the data themselves.
    estimates : tuple of Estimate
        In the order of `METRICS`.
    n_resamples : int
        Resamples drawn.
    n_one_class : int
        Resamples that held one class only: they are left out of the metrics undefined there.
    """

    point: ClassificationMetrics
    estimates: tuple[Estimate, ...]
    n_resamples: int
    n_one_class: int

    def __getitem__(self, metric: str) -> Estimate:
        """Return one metric by its name in `METRICS`."""
        return self.estimates[METRICS.index(metric)]


def bootstrap_metrics(
    label: ArrayLike,
    probability: ArrayLike,
    threshold: float,
    patient: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
    *,
    method: Method = "percentile",
    stratified: bool = False,
) -> Bootstrap:
    """All of `METRICS` of one rater with 95 % intervals from resampled patients.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    probability : array_like, shape (n,)
        Fractions in [0, 1].
    threshold : float
        At or above it a case counts as positive. Fixed beforehand: it is not chosen anew in each
        resample.
    patient : array_like, shape (n,)
        The patient of every sample.
    n_resamples, seed, method, stratified
        As for `bootstrap_raters`.

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples, or labels, probabilities, patients or a threshold that cannot be
        used.
    """
    row = np.asarray(probability)[np.newaxis]
    return bootstrap_raters(
        label, row, threshold, patient, n_resamples, seed, method=method, stratified=stratified
    )[0]


def bootstrap_raters(
    label: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    patient: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
    *,
    method: Method = "percentile",
    stratified: bool = False,
) -> tuple[Bootstrap, ...]:
    """All of `METRICS` of all raters with 95 % intervals, from the same resamples of patients.

    Where every resample gives the same extreme value (no error at all, say), the percentiles would
    read [1, 1]. There `extreme_limits` gives exact ones, counted in patients.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    probabilities : array_like, shape (k, n)
        One row per rater or model: fractions in [0, 1], or 0 and 1 where there are only decisions.
    thresholds : array_like, shape () or (k,)
        At or above it a case counts as positive: one for all, or one each.
    patient : array_like, shape (n,)
        The patient of every case.
    n_resamples, seed : int
        The same seed gives the same limits, whatever the order of the rows.
    method : {"percentile", "bca"}
        BCa corrects bias and skewness, with a jackknife over patients. Where its corrections do not
        exist the interval is the percentile one, and says so.
    stratified : bool
        Keep in every resample the numbers of patients with and without the outcome (and with cases
        of both kinds): for a study that chose them.

    Returns
    -------
    tuple of Bootstrap
        One per rater.

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples, or labels, probabilities, patients or a threshold that cannot be
        used.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapters 13, 14.
    """
    readings = as_readings(label, probabilities, thresholds, patient)
    drawn = resampled(readings, n_resamples, seed, stratified=stratified)
    without = left_out(readings) if method == "bca" else None
    name = f"bootstrap of patients{', stratified by outcome' if stratified else ''}"
    return tuple(
        _one_rater(readings, row, drawn[row], None if without is None else without[row], name)
        for row in range(drawn.shape[0])
    )


def _one_rater(
    readings: Readings, row: int, drawn: FloatArray, without: FloatArray | None, name: str
) -> Bootstrap:
    """Turn one rater's resamples, shape (metrics, r), into intervals."""
    point = classification_metrics(
        readings.truth, readings.probabilities[row], float(readings.thresholds[row])
    )
    sample = Sample(
        readings.truth, readings.called[row], readings.index, readings.n_patients, point
    )
    return Bootstrap(
        point=point,
        estimates=tuple(
            _estimate(metric, drawn[at], None if without is None else without[at], sample, name)
            for at, metric in enumerate(METRICS)
        ),
        n_resamples=drawn.shape[1],
        n_one_class=int(np.isnan(drawn[METRICS.index("auc")]).sum()),
    )


def _estimate(
    metric: str, drawn: FloatArray, without: FloatArray | None, sample: Sample, name: str
) -> Estimate:
    """Turn one metric's resamples, shape (r,), into its Estimate."""
    value = sample.point[metric]
    n = int(sample.rests_on(metric).sum())
    nan = float("nan")
    reason = sample.point.reason(metric)
    if np.isnan(value):
        return Estimate(value, nan, nan, "none", n, f"undefined: {reason}")
    notes = [text for text in (sample.few(metric), reason) if text is not None]
    usable = drawn[~np.isnan(drawn)]
    if usable.size < _MIN_USABLE * drawn.size:
        left = f"only {usable.size} of {drawn.size} resamples could be used"
        return Estimate(value, nan, nan, "none", n, "; ".join([*notes, left]))
    if usable.size < drawn.size:
        notes.append(f"undefined in {drawn.size - usable.size} of {drawn.size} resamples")
    low, high = percentile_limits(usable)
    if low == high or high - low < 1e-12:
        limits, note = extreme_limits(metric, value, sample)
        method = "exact, counted in patients" if limits is not None else "none"
        low, high = limits if limits is not None else (nan, nan)
        return Estimate(value, low, high, method, n, "; ".join([*notes, note]))
    kind = "percentile"
    if without is not None:
        corrected = bca_limits(value, usable, without)
        if corrected is None:
            notes.append("BCa does not exist here; percentile limits")
        else:
            (low, high), kind = corrected, "BCa"
    if np.isinf(high) and not np.isinf(value):
        notes.append("infinite in some resamples, and so is the upper limit")
    floor, ceiling = RANGES.get(metric, (0.0, 1.0))
    low, high = max(low, floor), min(high, ceiling)
    return Estimate(value, low, high, f"{name}, {kind}", n, "; ".join(notes) or None)
