"""One set of predictions, evaluated: every metric with its interval, and how sure they are.

Scans of one patient resemble each other; resampling scans as if they were patients makes every
interval too narrow. Here a resample draws patients with replacement, each with all of its scans.
All raters see the same resamples, so that they can be compared case by case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.delong import auc_interval
from hemocast.stats.estimate import Estimate, Float64Array, IntArray
from hemocast.stats.metrics import (
    COUNT_METRICS,
    METRICS,
    RANGES,
    ClassificationMetrics,
    Confusion,
    classification_metrics,
    from_counts,
    scale_brier,
)
from hemocast.stats.proportions import clopper_pearson, wilson
from hemocast.stats.resampling.bands import MOST_RANKED, BandedRanking
from hemocast.stats.resampling.limits import (
    AGREE,
    TOO_FEW,
    extreme_limits,
    few_behind,
    resampled_limits,
    rests_on,
)
from hemocast.stats.resampling.weights import Ranking, Resampling, leave_one_out_weights

SHARES = ("accuracy", "sensitivity", "ppv", "specificity", "npv")
"""Metrics that are shares of scans."""

INDEPENDENT = "takes scans of one patient as independent"


@dataclass(frozen=True)
class Evaluation:
    """All metrics of one rater, with their intervals.

    Parameters
    ----------
    n, n_patients, n_positive : int
        Scans, patients, and scans with the outcome.
    prevalence : float
        `n_positive` / `n`.
    threshold : float
        At or above it a scan counts as positive.
    confusion : Confusion
        The cells at `threshold`.
    estimates : tuple of Estimate
        In the order of `METRICS`, with 95 % intervals from resampled patients.
    auc_delong : Estimate
        The AUC with a DeLong interval (clustered where patients have several scans), to set beside
        the bootstrap's.
    shares : mapping of str to (Estimate, Estimate)
        Of each of `SHARES` that is defined, Wilson's interval and Clopper and Pearson's, which take
        scans for independent.
    n_resamples, n_one_class, seed : int
        Resamples drawn, those of them with one class only (left out of the metrics undefined
        there), and the seed.
    """

    n: int
    n_patients: int
    n_positive: int
    prevalence: float
    threshold: float
    confusion: Confusion
    estimates: tuple[Estimate, ...]
    auc_delong: Estimate
    shares: Mapping[str, tuple[Estimate, Estimate]]
    n_resamples: int
    n_one_class: int
    seed: int

    def __getitem__(self, metric: str) -> Estimate:
        """Return one metric by its name in `METRICS`."""
        return self.estimates[METRICS.index(metric)]

    def items(self) -> Iterator[tuple[str, Estimate]]:
        """Go through names and estimates in the order of `METRICS`."""
        return zip(METRICS, self.estimates, strict=True)

    def intervals(self, metric: str) -> tuple[Estimate, ...]:
        """Return a metric with each of its intervals, first the one that every report shows.

        That is DeLong's of the AUC, Wilson's of a share where every scan shows another patient, and
        else that of resampled patients.
        """
        drawn = self[metric]
        if np.isnan(drawn.value):
            return (drawn,)
        if metric == "auc":
            return self.auc_delong, drawn
        exact = self.shares.get(metric, ())
        if self.n_patients == self.n:
            return *exact, drawn
        return drawn, *(one.noted(INDEPENDENT) for one in exact)

    def headline(self, metric: str) -> Estimate:
        """Return a metric with the interval that every report shows."""
        return self.intervals(metric)[0]


def evaluate(cases: Cases, threshold: float, resampling: Resampling = Resampling()) -> Evaluation:
    """Evaluate one model's predictions.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    threshold : float
        At or above it a scan counts as positive; chosen beforehand, not on these scans.
    resampling : Resampling
        Of patients.

    Returns
    -------
    Evaluation
        Metrics that one class alone cannot give are NaN, with the reason in their warning.

    Raises
    ------
    StatisticsError
        Several raters, or as `evaluate_raters` does.
    """
    cases.probability()  # of one rater alone
    return evaluate_raters(cases, threshold, resampling)[0]


def evaluate_raters(
    cases: Cases, thresholds: ArrayLike, resampling: Resampling = Resampling()
) -> tuple[Evaluation, ...]:
    """Evaluate several raters on the same resamples of patients.

    Where every resample gives the same extreme value (no error at all, say), the percentiles would
    read [1, 1]. There `extreme_limits` gives exact ones, counted in patients.

    Parameters
    ----------
    cases : Cases
        Of k raters: fractions in [0, 1], or 0 and 1 where there are only decisions.
    thresholds : array_like, shape () or (k,)
        At or above it a case counts as positive: one for all, or one each.
    resampling : Resampling
        Of patients.

    Returns
    -------
    tuple of Evaluation
        One per rater.

    Raises
    ------
    StatisticsError
        Fewer than 100 resamples, scores outside [0, 1], or thresholds that cannot be used.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapters 13, 14.
    """
    cases.probabilities()
    at = as_thresholds(thresholds, len(cases.scores))
    drawn = resampled(cases, at, resampling)
    bca = resampling.interval == "bca"
    without = left_out(cases, at, resampling) if bca else np.full((*drawn.shape[:2], 0), np.nan)
    name = f"bootstrap of patients{', stratified by outcome' if resampling.stratified else ''}"
    both = 0 < cases.n_positive < cases.n
    made = []
    for row in range(len(cases.scores)):
        own = cases.rater(row)
        point = classification_metrics(own, float(at[row]))
        estimates = tuple(
            _estimate(own, point, metric, drawn[row, k], without[row, k], name)
            for k, metric in enumerate(METRICS)
        )
        made.append(
            Evaluation(
                n=own.n,
                n_patients=own.n_patients,
                n_positive=own.n_positive,
                prevalence=float(np.mean(own.truth)),
                threshold=float(at[row]),
                confusion=point.confusion,
                estimates=estimates,
                auc_delong=auc_interval(own) if both else estimates[METRICS.index("auc")],
                shares=dict(_shares(own, point)),
                n_resamples=resampling.n,
                n_one_class=int(np.isnan(drawn[row, METRICS.index("auc")]).sum()),
                seed=resampling.seed,
            )
        )
    return tuple(made)


def _shares(
    cases: Cases, point: ClassificationMetrics
) -> Iterator[tuple[str, tuple[Estimate, Estimate]]]:
    """Exact and score intervals of each share that is defined, with nothing of any resample."""
    for metric in SHARES:
        hits, n = point.confusion.share(metric)
        if n:
            few = few_behind(metric, cases, point.threshold)
            yield (
                metric,
                (
                    Estimate(hits / n, *wilson(hits, n), "Wilson", n, few),
                    Estimate(hits / n, *clopper_pearson(hits, n), "Clopper-Pearson", n, few),
                ),
            )


def _estimate(
    cases: Cases,
    point: ClassificationMetrics,
    metric: str,
    drawn: Float64Array,
    without: Float64Array,
    name: str,
) -> Estimate:
    """Turn one metric's resamples, shape (r,), into its Estimate."""
    value, reason = point[metric], point.reason(metric)
    n = int(rests_on(metric, cases, point.threshold).sum())
    if np.isnan(value):
        return Estimate.bare(value, n, f"undefined: {reason}")
    known = [text for text in (few_behind(metric, cases, point.threshold), reason) if text]
    found = resampled_limits(value, drawn, without)
    notes = [*known, *found.notes]
    if found.kind == AGREE:
        limits, note = extreme_limits(metric, cases, point)
        notes.append(note)
        if limits is None:
            return Estimate.bare(value, n, "; ".join(notes))
        return Estimate(value, *limits, "exact, counted in patients", n, "; ".join(notes))
    if found.kind == TOO_FEW:
        return Estimate.bare(value, n, "; ".join(notes))
    if np.isinf(found.high) and not np.isinf(value):
        notes.append("infinite in some resamples, and so is the upper limit")
    floor, ceiling = RANGES.get(metric, (0.0, 1.0))
    low, high = max(found.low, floor), min(found.high, ceiling)
    return Estimate(value, low, high, f"{name}, {found.kind}", n, "; ".join(notes) or None)


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
    cases: Cases,
    thresholds: Float64Array,
    weights: Iterable[Float64Array],
    units: IntArray | None = None,
) -> Float64Array:
    """Compute every metric of every rater under each row of weights.

    Parameters
    ----------
    cases : Cases
        Of k raters, with fractions in [0, 1].
    thresholds : ndarray of float64, shape (k,)
        At or above it a rater's case counts as positive.
    weights : iterable of ndarray, shape (part, n_units)
        From `Resampling.draw` or `leave_one_out_weights`.
    units : ndarray of int64, shape (n,), optional
        What the weights are of, from `Resampling.units`; the patients, if left out.

    Returns
    -------
    ndarray of float64, shape (k, metrics, r)
        In the order of `METRICS`; NaN or infinite where a metric is.
    """
    drawn_whole = cases.patient if units is None else units
    sums, k = _sums_by_unit(cases, thresholds, drawn_whole), len(cases.scores)
    rankings: dict[bytes, int] = {}
    first = [rankings.setdefault(row.tobytes(), i) for i, row in enumerate(cases.scores)]
    rank = _Ranked(cases, drawn_whole, sorted(set(first)))
    parts = []
    for block in weights:
        cells = (block @ sums).T
        n, positive = cells[0], cells[1]
        tp, fp, loss = cells[2:].reshape(3, k, -1)
        counts = from_counts(tp, fp, n - positive - fp, positive - tp)
        values = dict(zip(COUNT_METRICS, counts, strict=True))
        values["brier"] = loss / n
        values["scaled_brier"] = scale_brier(values["brier"], positive / n)
        ranked = rank(block)
        values["auc"] = np.stack([ranked[i][0] for i in first])
        values["average_precision"] = np.stack([ranked[i][1] for i in first])
        parts.append(np.stack([values[name] for name in METRICS], axis=1))
    return np.concatenate(parts, axis=2)


class _Ranked:
    """AUC and average precision of some raters in resamples: by cases, or of very many by bands."""

    def __init__(self, cases: Cases, units: IntArray, raters: list[int]) -> None:
        self._cases, self._units, self._raters = cases, units, raters
        many = cases.n > MOST_RANKED
        self._bands = {i: BandedRanking(cases.rater(i), units) for i in raters if many}

    def __call__(self, weights: Float64Array) -> dict[int, tuple[Float64Array, Float64Array]]:
        """Return both for each rater, each of shape (r,)."""
        if self._bands:
            return {i: (*bands.measures(weights),) for i, bands in self._bands.items()}
        ranking = Ranking(self._cases.truth, weights.astype(np.float32)[:, self._units])
        scores = self._cases.scores
        return {
            i: (ranking.auc(scores[i]), ranking.average_precision(scores[i])) for i in self._raters
        }


def _sums_by_unit(cases: Cases, thresholds: Float64Array, units: IntArray) -> Float64Array:
    """Cases, events, and each rater's hits, false alarms and losses, (n_units, 2 + 3k)."""
    truth, called = cases.truth, cases.scores >= thresholds[:, None]
    columns = [
        np.ones((1, cases.n)), truth[None], called & truth, called & ~truth,
        (cases.scores - truth) ** 2,
    ]  # fmt: skip
    return np.stack([np.bincount(units, weights=row) for row in np.concatenate(columns)], axis=1)


def _width(cases: Cases) -> int:
    """Cells that a resample holds at once."""
    return min(cases.n, MOST_RANKED)


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
    units = resampling.units(cases)
    return replicate(cases, thresholds, resampling.draw(cases, _width(cases), units), units)


def left_out(
    cases: Cases, thresholds: Float64Array, resampling: Resampling = Resampling()
) -> Float64Array:
    """Compute every metric without each unit of the resampling, shape (k, metrics, n_units).

    Time grows with the square of the patients: some seconds for 5,000.
    """
    units = resampling.units(cases)
    weights = leave_one_out_weights(int(units.max()) + 1, _width(cases))
    return replicate(cases, thresholds, weights, units)
