"""Percentile bootstrap that resamples patients, for all metrics in one pass.

Scans of one patient resemble each other; resampling scans as if they were patients makes every
interval too narrow. Here a resample draws patients with replacement, each with all of its scans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.classification import (
    COUNT_METRICS,
    METRICS,
    ClassificationMetrics,
    classification_metrics,
    from_counts,
)
from hemocast.stats.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    IntArray,
    as_labels,
    as_patients,
    as_scores,
)
from hemocast.stats.extremes import Sample, extreme_limits
from hemocast.stats.resample import resample_weights, weighted_auc

_MIN_USABLE = 0.5
"""With fewer usable resamples than this share, no interval is given."""

_METHOD = "bootstrap of patients, percentile"


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
) -> Bootstrap:
    """All of `METRICS` with 95 % percentile intervals from resampled patients.

    Where every resample gives the same extreme value (no error at all, say), the percentiles would
    read [1, 1]. There `extreme_limits` gives exact ones, counted in patients.

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
    n_resamples, seed : int
        The same seed gives the same limits, whatever the order of the rows.

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples, or labels, probabilities, patients or a threshold that cannot be
        used.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapter 13.
    """
    truth = as_labels(label)
    probabilities = as_scores(probability, truth.size, probability=True)
    index, n_patients = as_patients(patient, truth.size)
    if n_resamples < 100:
        raise StatisticsError(
            f"{n_resamples} resamples were asked for", "at least 100", "Use 2000 or more"
        )
    point = classification_metrics(truth, probabilities, threshold)
    called = probabilities >= threshold
    rng = np.random.default_rng(seed)
    resampled = _resample(truth, probabilities, called, index, n_patients, n_resamples, rng)
    sample = Sample(truth, called, index, n_patients, point)
    return Bootstrap(
        point=point,
        estimates=tuple(
            _estimate(name, resampled[row], sample) for row, name in enumerate(METRICS)
        ),
        n_resamples=n_resamples,
        n_one_class=int(np.isnan(resampled[METRICS.index("auc")]).sum()),
    )


def _resample(
    truth: BoolArray,
    probabilities: FloatArray,
    called: BoolArray,
    index: IntArray,
    n_patients: int,
    n_resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Every metric of every resample, shape (metrics, resamples)."""
    columns = [
        truth & called, ~truth & called, ~truth & ~called, truth & ~called,
        (probabilities - truth) ** 2, np.ones(truth.size),
    ]  # fmt: skip
    by_patient = np.stack(
        [np.bincount(index, weights=column, minlength=n_patients) for column in columns], axis=1
    )
    parts = []
    for weights in resample_weights(n_patients, n_resamples, rng, truth.size):
        tp, fp, tn, fn, loss, n = (weights @ by_patient).T
        values = dict(zip(COUNT_METRICS, from_counts(tp, fp, tn, fn), strict=True))
        values["brier"] = loss / n
        values["auc"] = weighted_auc(truth, probabilities, weights[:, index])
        parts.append(np.stack([values[name] for name in METRICS]))
    return np.concatenate(parts, axis=1)


def _estimate(metric: str, resampled: FloatArray, sample: Sample) -> Estimate:
    """Turn one metric's resamples, shape (r,), into its Estimate."""
    value = sample.point[metric]
    n = int(sample.rests_on(metric).sum())
    nan = float("nan")
    if np.isnan(value):
        reason = sample.point.reason(metric)
        return Estimate(value, nan, nan, "none", n, f"undefined: {reason}")
    usable = resampled[~np.isnan(resampled)]
    notes = [] if (few := sample.few(metric)) is None else [few]
    if usable.size < _MIN_USABLE * resampled.size:
        left = f"only {usable.size} of {resampled.size} resamples could be used"
        return Estimate(value, nan, nan, "none", n, "; ".join([*notes, left]))
    if usable.size < resampled.size:
        notes.append(f"undefined in {resampled.size - usable.size} of {resampled.size} resamples")
    low, high = (float(limit) for limit in np.quantile(usable, [0.025, 0.975]))
    method = _METHOD
    if high - low < 1e-12:
        limits, note = extreme_limits(metric, value, sample)
        method = "exact, counted in patients" if limits is not None else "none"
        low, high = limits if limits is not None else (nan, nan)
        notes.append(note)
    return Estimate(value, low, high, method, n, "; ".join(notes) or None)
