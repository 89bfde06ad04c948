"""Tests of a reader study that speak of other readers and other patients: MRMC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.data import AIDED, UNAIDED, ReadingTable, common_rows, crossed
from hemocast.stats import (
    Cases,
    Contrast,
    compare_with_readers,
    crossed_study,
    obuchowski_rockette,
)
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import Metric

METRICS_TESTED: Final[tuple[Metric, ...]] = ("auc", "sensitivity", "specificity")
Question = Literal["model and readers", "aided and unaided"]
_NAN = float("nan")


@dataclass(frozen=True)
class ReaderTest:
    """One comparison of mean accuracies.

    Parameters
    ----------
    question : str
        ``"model and readers"`` or ``"aided and unaided"``.
    first, second, metric : str
        The difference is first minus second, of this accuracy.
    n_readers, n, n_patients : int
        Readers, scans that all of them read, and their patients.
    first_mean, second_mean : float
        Means over readers, or the model's own.
    difference : Contrast
        For readers and patients like these (Obuchowski-Rockette, Hillis's degrees of freedom).
    fixed_readers : Contrast
        For these very readers.
    per_reader : tuple of Contrast
        Each reader's own difference; p values not adjusted. Empty for aided and unaided.
    reason : str
        Why there is no test; "" where there is one.
    """

    question: Question
    first: str
    second: str
    metric: Metric
    n_readers: int
    n: int
    n_patients: int
    first_mean: float
    second_mean: float
    difference: Contrast
    fixed_readers: Contrast
    per_reader: tuple[Contrast, ...] = ()
    reason: str = ""


def model_tests(readings: ReadingTable, models: Sequence[ModelCases]) -> tuple[ReaderTest, ...]:
    """Compare every model with the readers of every arm, as one fixed rater with random readers."""
    made = []
    for arm in readings.arms:
        own = readings.part(readings.arm == arm)
        for model in models:
            rows = np.intersect1d(common_rows(own), model.rows)
            shared = own.part(np.isin(own.row, rows))
            for metric in METRICS_TESTED:
                plan = _planned("model and readers", (model.name, f"readers {arm}"), metric, shared)
                made.append(_model_test(plan, shared, model))
    return tuple(made)


def _model_test(plan: ReaderTest, own: ReadingTable, model: ModelCases) -> ReaderTest:
    rating = _rating(own, plan.metric)
    if not plan.n:
        return _untested(plan, "no scan was rated by the model and all readers")
    if np.isnan(rating).any():
        return _untested(plan, "not every reading has a probability")
    rows = np.unique(own.row)
    scores, readers = model.on(rows).cases.score, crossed(own, rows, rating)
    if plan.metric != "auc":
        scores = (scores >= model.threshold).astype(float)
    both = Cases(readers.truth, np.vstack([scores, readers.scores]), readers.patient)
    try:
        found = compare_with_readers(both, plan.metric, names=own.readers)
    except StatisticsError as error:
        return _untested(plan, error.seen)
    return replace(
        plan,
        first_mean=found.model,
        second_mean=found.readers.random_readers_and_cases.value,
        difference=_turned(found.random_readers_and_cases, plan),
        fixed_readers=_turned(found.fixed_readers, plan),
        per_reader=tuple(_turned(one, plan) for one in found.per_reader),
    )


def aided_tests(readings: ReadingTable) -> tuple[ReaderTest, ...]:
    """Compare readers with the model's result at hand with the same readers without."""
    if readings.arms != (UNAIDED, AIDED):
        return ()
    by_arm = [set(readings.reader[readings.arm == arm]) for arm in (UNAIDED, AIDED)]
    own = readings.part(np.isin(readings.reader, sorted(by_arm[0] & by_arm[1])))
    own = own.part(np.isin(own.row, common_rows(own)))
    names = ("readers aided", "readers unaided")
    return tuple(
        _aided_test(_planned("aided and unaided", names, metric, own), own)
        for metric in METRICS_TESTED
    )


def _aided_test(plan: ReaderTest, own: ReadingTable) -> ReaderTest:
    rating = _rating(own, plan.metric)
    if np.isnan(rating).any():
        return _untested(plan, "not every reading has a probability")
    if not plan.n:
        return _untested(plan, "no scan was read by all readers in both arms")
    try:
        study = crossed_study(own.truth, own.arm, own.reader, own.row, rating, own.patient)
        found = obuchowski_rockette(study, plan.metric)
    except StatisticsError as error:
        return _untested(plan, error.seen)
    means = {mean.name: mean.value for mean in found.random_readers_and_cases.means}
    # Treatments are sorted by name, so the sign of the differences stands: aided minus unaided.
    wide, fixed = (
        replace(test.differences[0], first=plan.first, second=plan.second)
        for test in (found.random_readers_and_cases, found.fixed_readers)
    )
    return replace(
        plan,
        first_mean=means[AIDED],
        second_mean=means[UNAIDED],
        difference=wide,
        fixed_readers=fixed,
    )


def _rating(own: ReadingTable, metric: Metric) -> Float64Array:
    return own.probability if metric == "auc" else own.decision.astype(np.float64)


def _planned(
    question: Question, names: tuple[str, str], metric: Metric, own: ReadingTable
) -> ReaderTest:
    """Say what is compared on which scans, before any test."""
    nothing = Contrast(*names, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN)
    return ReaderTest(
        question=question,
        first=names[0],
        second=names[1],
        metric=metric,
        n_readers=len(own.readers),
        n=int(np.unique(own.row).size),
        n_patients=own.n_patients,
        first_mean=_NAN,
        second_mean=_NAN,
        difference=nothing,
        fixed_readers=nothing,
    )


def _untested(plan: ReaderTest, reason: str) -> ReaderTest:
    nothing = replace(plan.difference, warning=reason)
    return replace(plan, difference=nothing, fixed_readers=nothing, reason=reason)


def _turned(found: Contrast, plan: ReaderTest) -> Contrast:
    """Readers minus model, turned into model minus readers."""
    return replace(
        found,
        first=plan.first,
        second=plan.second if found.first == "readers" else found.first,
        difference=-found.difference,
        ci_low=-found.ci_high,
        ci_high=-found.ci_low,
        statistic=-found.statistic,
    )
