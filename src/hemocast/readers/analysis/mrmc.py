"""Tests of a reader study that speak of other readers and other patients: MRMC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.data import (
    AIDED,
    UNAIDED,
    RatedModel,
    ReadingTable,
    Reference,
    common_rows,
    grid,
)
from hemocast.stats import Contrast, MeanAccuracy, crossed_study, obuchowski_rockette
from hemocast.stats.estimate import FloatArray, IntArray
from hemocast.stats.mrmc.covariance import Metric
from hemocast.stats.mrmc.standalone import compare_with_readers

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


@dataclass(frozen=True)
class _Case:
    """What is compared on which scans, before any test."""

    question: Question
    first: str
    second: str
    metric: Metric
    n_readers: int
    rows: IntArray
    n_patients: int


def model_tests(
    readings: ReadingTable, reference: Reference, models: Sequence[RatedModel]
) -> tuple[ReaderTest, ...]:
    """Compare every model with the readers of every arm, as one fixed rater with random readers."""
    made = []
    for arm in readings.arms:
        own = readings.part(readings.arm == arm)
        for model in models:
            rows = common_rows(own)
            rows = rows[~np.isnan(model.probability[rows])]
            for metric in METRICS_TESTED:
                case = _Case(
                    "model and readers", model.name, f"readers {arm}", metric, len(own.readers),
                    rows, int(np.unique(reference.patient[rows]).size),
                )  # fmt: skip
                made.append(_model_test(case, own, reference, model))
    return tuple(made)


def _model_test(
    case: _Case, own: ReadingTable, reference: Reference, model: RatedModel
) -> ReaderTest:
    scores = model.probability[case.rows]
    if case.metric != "auc":
        scores = (scores >= model.threshold).astype(float)
    try:
        result = compare_with_readers(
            reference.label[case.rows],
            scores,
            _ratings(own, case),
            case.metric,
            patient=reference.patient[case.rows],
            names=own.readers,
        )
    except StatisticsError as error:
        return _untested(case, error.seen)
    return _tested(
        case,
        result.model,
        result.readers.random_readers_and_cases.value,
        _turned(result.random_readers_and_cases, case),
        _turned(result.fixed_readers, case),
        tuple(_turned(one, case) for one in result.per_reader),
    )


def aided_tests(readings: ReadingTable, reference: Reference) -> tuple[ReaderTest, ...]:
    """Compare readers with the model's result at hand with the same readers without."""
    if readings.arms != (UNAIDED, AIDED):
        return ()
    by_arm = [set(readings.reader[readings.arm == arm]) for arm in (UNAIDED, AIDED)]
    own = readings.part(np.isin(readings.reader, sorted(by_arm[0] & by_arm[1])))
    rows = common_rows(own)
    patients = int(np.unique(reference.patient[rows]).size)
    return tuple(
        _aided_test(
            _Case(
                "aided and unaided", "readers aided", "readers unaided", metric,
                len(own.readers), rows, patients,
            ),
            own.part(np.isin(own.row, rows)),
            reference,
        )
        for metric in METRICS_TESTED
    )  # fmt: skip


def _aided_test(case: _Case, own: ReadingTable, reference: Reference) -> ReaderTest:
    rating = own.probability if case.metric == "auc" else own.decision.astype(float)
    if np.isnan(rating).any():
        return _untested(case, "not every reading has a probability")
    if not case.rows.size:
        return _untested(case, "no scan was read by all readers in both arms")
    try:
        study = crossed_study(
            reference.label[own.row], own.arm, own.reader, own.row, rating,
            reference.patient[own.row],
        )  # fmt: skip
        result = obuchowski_rockette(study, case.metric)
    except StatisticsError as error:
        return _untested(case, error.seen)
    means = {mean.name: mean for mean in result.random_readers_and_cases.means}
    return _tested(
        case,
        _value(means[AIDED]),
        _value(means[UNAIDED]),
        _named(result.random_readers_and_cases.differences[0], case),
        _named(result.fixed_readers.differences[0], case),
        (),
    )


def _value(mean: MeanAccuracy) -> float:
    return mean.value


def _ratings(own: ReadingTable, case: _Case) -> FloatArray:
    values = own.probability if case.metric == "auc" else own.decision.astype(float)
    ratings = grid(own, case.rows, values)
    if np.isnan(ratings).any():
        raise StatisticsError(
            "Not every reading has a probability", "a probability of every reading", "Add them"
        )
    return ratings


def _tested(
    case: _Case,
    first_mean: float,
    second_mean: float,
    difference: Contrast,
    fixed: Contrast,
    per_reader: tuple[Contrast, ...],
) -> ReaderTest:
    return ReaderTest(
        case.question, case.first, case.second, case.metric, case.n_readers, int(case.rows.size),
        case.n_patients, first_mean, second_mean, difference, fixed, per_reader,
    )  # fmt: skip


def _untested(case: _Case, reason: str) -> ReaderTest:
    nothing = Contrast(
        case.first, case.second, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, warning=reason
    )
    return ReaderTest(
        case.question, case.first, case.second, case.metric, case.n_readers, int(case.rows.size),
        case.n_patients, _NAN, _NAN, nothing, nothing, reason=reason,
    )  # fmt: skip


def _turned(found: Contrast, case: _Case) -> Contrast:
    """Readers minus model, turned into model minus readers."""
    second = case.second if found.first == "readers" else found.first
    return Contrast(
        case.first, second, -found.difference, found.se, found.df, -found.ci_high, -found.ci_low,
        -found.statistic, found.p, found.warning,
    )  # fmt: skip


def _named(found: Contrast, case: _Case) -> Contrast:
    """Aided minus unaided: treatments are sorted by name, so the sign stands already."""
    return Contrast(
        case.first, case.second, found.difference, found.se, found.df, found.ci_low,
        found.ci_high, found.statistic, found.p, found.warning,
    )  # fmt: skip
