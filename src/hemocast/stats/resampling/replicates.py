"""Every metric of every rater in every resample: one pass over shared resamples of patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import (
    BoolArray,
    FloatArray,
    IntArray,
    as_labels,
    as_patients,
    as_scores,
)
from hemocast.stats.metrics import COUNT_METRICS, METRICS, from_counts, scale_brier
from hemocast.stats.resampling.weights import Ranking, leave_one_out_weights, resample_weights


@dataclass(frozen=True)
class Readings:
    """What several raters (or models) said about the same cases.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Outcomes.
    probabilities : ndarray of float64, shape (k, n)
        One row per rater.
    called : ndarray of bool, shape (k, n)
        Decisions.
    thresholds : ndarray of float64, shape (k,)
        At or above it a rater's case counts as positive.
    index : ndarray of int, shape (n,)
        The patient of every case, 0 ... n_patients - 1.
    n_patients : int
        How many there are.
    """

    truth: BoolArray
    probabilities: FloatArray
    called: BoolArray
    thresholds: FloatArray
    index: IntArray
    n_patients: int

    def strata(self) -> IntArray:
        """Stratum of each patient: only cases without the outcome 0, only with 1, both 2."""
        cases = np.bincount(self.index, minlength=self.n_patients)
        events = np.bincount(self.index, weights=self.truth, minlength=self.n_patients)
        return np.where(events == 0, 0, np.where(events == cases, 1, 2)).astype(np.int64)


def as_readings(
    label: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike, patient: ArrayLike
) -> Readings:
    """Check what raters said, and put it together.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    probabilities : array_like, shape (k, n)
        One row per rater, fractions in [0, 1]. A rater who only decided has rows of 0 and 1.
    thresholds : array_like, shape () or (k,)
        One for all raters, or one each.
    patient : array_like, shape (n,)
        The patient of every case.

    Raises
    ------
    StatisticsError
        Labels, probabilities, thresholds or patients that cannot be used.
    """
    truth = as_labels(label)
    rows = np.asarray(probabilities)
    if rows.ndim != 2 or rows.shape[0] == 0:
        raise StatisticsError(
            f"The probabilities have shape {rows.shape}",
            "one row per rater and one column per case",
            "Give a matrix, also for a single rater",
        )
    checked = np.stack([as_scores(row, truth.size, probability=True) for row in rows])
    at = np.asarray(thresholds, dtype=np.float64)
    if at.shape not in [(), (rows.shape[0],)] or not bool(((at >= 0) & (at <= 1)).all()):
        raise StatisticsError(
            f"There are {rows.shape[0]} raters and thresholds of shape {at.shape}",
            "one fraction from 0 to 1 for all raters, or one for each",
            "Give the probability at which a case counts as positive",
        )
    at = np.broadcast_to(at, (rows.shape[0],)).copy()
    index, n_patients = as_patients(patient, truth.size)
    return Readings(truth, checked, checked >= at[:, None], at, index, n_patients)


def replicate(readings: Readings, weights: Iterable[FloatArray]) -> FloatArray:
    """Compute every metric of every rater under each row of patient weights.

    Parameters
    ----------
    readings : Readings
        With k raters.
    weights : iterable of ndarray, shape (part, n_patients)
        From `resample_weights` or `leave_one_out_weights`.

    Returns
    -------
    ndarray of float64, shape (k, metrics, r)
        In the order of `METRICS`; NaN or infinite where a metric is.
    """
    sums, k = _sums_by_patient(readings), readings.probabilities.shape[0]
    rankings: dict[bytes, int] = {}
    first = [rankings.setdefault(row.tobytes(), i) for i, row in enumerate(readings.probabilities)]
    parts = []
    for block in weights:
        cells = (block @ sums).T
        n, positive = cells[0], cells[1]
        tp, fp, loss = cells[2:].reshape(3, k, -1)
        counts = from_counts(tp, fp, n - positive - fp, positive - tp)
        values = dict(zip(COUNT_METRICS, counts, strict=True))
        values["brier"] = loss / n
        values["scaled_brier"] = scale_brier(values["brier"], positive / n)
        ranking = Ranking(readings.truth, block.astype(np.float32)[:, readings.index])
        areas = {i: ranking.auc(readings.probabilities[i]) for i in set(first)}
        means = {i: ranking.average_precision(readings.probabilities[i]) for i in set(first)}
        values["auc"] = np.stack([areas[i] for i in first])
        values["average_precision"] = np.stack([means[i] for i in first])
        parts.append(np.stack([values[name] for name in METRICS], axis=1))
    return np.concatenate(parts, axis=2)


def _sums_by_patient(readings: Readings) -> FloatArray:
    """Cases, events, and each rater's hits, false alarms and losses, (n_patients, 2 + 3k)."""
    truth = readings.truth
    columns = [
        np.ones((1, truth.size)), truth[None], readings.called & truth, readings.called & ~truth,
        (readings.probabilities - truth) ** 2,
    ]  # fmt: skip
    return np.stack(
        [
            np.bincount(readings.index, weights=row, minlength=readings.n_patients)
            for row in np.concatenate(columns)
        ],
        axis=1,
    )


def resampled(readings: Readings, n_resamples: int, seed: int, *, stratified: bool) -> FloatArray:
    """Draw resamples of patients and compute every metric, shape (k, metrics, n_resamples).

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples.
    """
    if n_resamples < 100:
        raise StatisticsError(
            f"{n_resamples} resamples were asked for", "at least 100", "Use 2000 or more"
        )
    rng = np.random.default_rng(seed)
    stratum = readings.strata() if stratified else None
    width = readings.truth.size
    return replicate(
        readings, resample_weights(readings.n_patients, n_resamples, rng, width, stratum)
    )


def left_out(readings: Readings) -> FloatArray:
    """Compute every metric without each patient in turn, shape (k, metrics, n_patients).

    Time grows with the square of the patients: some seconds for 5,000.
    """
    return replicate(readings, leave_one_out_weights(readings.n_patients, readings.truth.size))
