"""Every metric of every rater in every resample: one pass over shared resamples of patients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Float64Array
from hemocast.stats.metrics import COUNT_METRICS, METRICS, from_counts, scale_brier
from hemocast.stats.resampling.weights import Ranking, Resampling, leave_one_out_weights


def as_thresholds(thresholds: ArrayLike, raters: int) -> Float64Array:
    """Return a threshold for each rater, shape (raters,), from one for all or one each.

    Raises
    ------
    StatisticsError
        Another number of thresholds, or one outside [0, 1].
    """
    at = np.asarray(thresholds, dtype=np.float64)
    if at.shape not in [(), (raters,)] or not bool(((at >= 0) & (at <= 1)).all()):
        raise StatisticsError(
            f"There are {raters} raters and thresholds of shape {at.shape}",
            "one fraction from 0 to 1 for all raters, or one for each",
            "Give the probability at which a case counts as positive",
        )
    return np.broadcast_to(at, (raters,)).copy()


def replicate(
    cases: Cases, thresholds: Float64Array, weights: Iterable[Float64Array]
) -> Float64Array:
    """Compute every metric of every rater under each row of patient weights.

    Parameters
    ----------
    cases : Cases
        Of k raters, with fractions in [0, 1].
    thresholds : ndarray of float64, shape (k,)
        At or above it a rater's case counts as positive.
    weights : iterable of ndarray, shape (part, n_patients)
        From `Resampling.draw` or `leave_one_out_weights`.

    Returns
    -------
    ndarray of float64, shape (k, metrics, r)
        In the order of `METRICS`; NaN or infinite where a metric is.
    """
    sums, k = _sums_by_patient(cases, thresholds), len(cases.scores)
    rankings: dict[bytes, int] = {}
    first = [rankings.setdefault(row.tobytes(), i) for i, row in enumerate(cases.scores)]
    parts = []
    for block in weights:
        cells = (block @ sums).T
        n, positive = cells[0], cells[1]
        tp, fp, loss = cells[2:].reshape(3, k, -1)
        counts = from_counts(tp, fp, n - positive - fp, positive - tp)
        values = dict(zip(COUNT_METRICS, counts, strict=True))
        values["brier"] = loss / n
        values["scaled_brier"] = scale_brier(values["brier"], positive / n)
        ranking = Ranking(cases.truth, block.astype(np.float32)[:, cases.patient])
        areas = {i: ranking.auc(cases.scores[i]) for i in set(first)}
        means = {i: ranking.average_precision(cases.scores[i]) for i in set(first)}
        values["auc"] = np.stack([areas[i] for i in first])
        values["average_precision"] = np.stack([means[i] for i in first])
        parts.append(np.stack([values[name] for name in METRICS], axis=1))
    return np.concatenate(parts, axis=2)


def _sums_by_patient(cases: Cases, thresholds: Float64Array) -> Float64Array:
    """Cases, events, and each rater's hits, false alarms and losses, (n_patients, 2 + 3k)."""
    truth, called = cases.truth, cases.scores >= thresholds[:, None]
    columns = [
        np.ones((1, cases.n)), truth[None], called & truth, called & ~truth,
        (cases.scores - truth) ** 2,
    ]  # fmt: skip
    return np.stack(
        [np.bincount(cases.patient, weights=row) for row in np.concatenate(columns)], axis=1
    )


def resampled(cases: Cases, thresholds: Float64Array, resampling: Resampling) -> Float64Array:
    """Draw resamples of patients and compute every metric, shape (k, metrics, resamples).

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples.
    """
    if resampling.n < 100:
        raise StatisticsError(
            f"{resampling.n} resamples were asked for", "at least 100", "Use 2000 or more"
        )
    return replicate(cases, thresholds, resampling.draw(cases, cases.n))


def left_out(cases: Cases, thresholds: Float64Array) -> Float64Array:
    """Compute every metric without each patient in turn, shape (k, metrics, n_patients).

    Time grows with the square of the patients: some seconds for 5,000.
    """
    return replicate(cases, thresholds, leave_one_out_weights(cases.n_patients, cases.n))
