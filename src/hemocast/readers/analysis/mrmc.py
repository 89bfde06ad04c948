"""Tests of a reader study that speak of other readers and other patients: MRMC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.data import AIDED, UNAIDED, ReadingTable, common_rows, crossed
from hemocast.stats import (
    Cases,
    Contrast,
    Mrmc,
    compare_with_readers,
    crossed_study,
    obuchowski_rockette,
)
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import Metric
from hemocast.stats.mrmc.nested import separate_cases, separate_readers

METRICS_TESTED: Final[tuple[Metric, ...]] = ("auc", "sensitivity", "specificity")
Question = Literal["model and readers", "aided and unaided"]
CROSSED = "the same readers and cases"
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
    design : str
        What both sides share, in words.
    left_out : str
        Which readers and scans the test does not use, in one line; "" where it uses all.
    quantities : tuple of (str, float)
        Mean squares, variance components, and F or chi-square with degrees of freedom and p, by
        name: for planning another study, and to check this one.
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
    design: str = CROSSED
    left_out: str = ""
    quantities: tuple[tuple[str, float], ...] = ()


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
        quantities=(
            ("MS(R) of the differences", found.ms_reader),
            ("variance of error", found.error),
            ("Cov2", found.cov2),
        ),
    )


def aided_tests(readings: ReadingTable) -> tuple[ReaderTest, ...]:
    """Compare readings with the model's result at hand with readings without.

    Two readers or more who read under both arms are compared on the scans that all of them read so;
    where there is no such scan, on those of each arm. Where fewer read under both, every arm has
    its own readers. Who and what is left out is said.
    """
    if readings.arms != (UNAIDED, AIDED):
        return ()
    plan = _plan_arms(readings)
    return tuple(_aided_test(plan, metric) for metric in METRICS_TESTED)


@dataclass(frozen=True)
class _Arms:
    """Readings of both arms that can be compared, and what the arms share."""

    both: ReadingTable
    same_readers: bool
    same_scans: bool
    left_out: str

    def of(self, arm: str) -> ReadingTable:
        """Return those of one arm."""
        return self.both.part(self.both.arm == arm)


def _plan_arms(readings: ReadingTable) -> _Arms:
    """Choose readers and scans: of all that could be compared, the most that can be crossed."""
    aided, unaided = (readings.part(readings.arm == arm) for arm in (AIDED, UNAIDED))
    shared = set(aided.readers) & set(unaided.readers)
    same_readers = len(shared) > 1 or set(aided.readers) == set(unaided.readers)
    compared = shared if same_readers else set(readings.readers) - shared
    among = np.isin(readings.reader.astype(str), sorted(compared))
    rows = {
        arm: common_rows(readings.part(among & (readings.arm == arm))) for arm in (AIDED, UNAIDED)
    }
    common = np.intersect1d(rows[AIDED], rows[UNAIDED])
    used = np.zeros(among.size, dtype=np.bool_)
    for arm, own in rows.items():
        kept = common if common.size else own
        used |= among & (readings.arm == arm) & np.isin(readings.row, kept)
    both = readings.part(used)
    return _Arms(both, same_readers, bool(common.size), _left_out(readings, both))


def _left_out(readings: ReadingTable, kept: ReadingTable) -> str:
    """Say in one line which readers, and how many scans, are in no comparison."""
    readers = sorted(set(readings.readers) - set(kept.readers))
    scans = np.setdiff1d(readings.row, kept.row).size
    said = []
    if readers:
        said.append(f"reader{'s' if len(readers) > 1 else ''} {', '.join(readers)}")
    if scans:
        said.append(f"{scans} scan{'s' if scans > 1 else ''} that not all of the others read")
    return "left out: " + " and ".join(said) if said else ""


def _aided_test(arms: _Arms, metric: Metric) -> ReaderTest:
    plan = _planned("aided and unaided", ("readers aided", "readers unaided"), metric, arms.both)
    plan = replace(plan, left_out=arms.left_out)
    own = arms.both
    if np.isnan(_rating(own, metric)).any():
        return _untested(plan, "not every reading has a probability")
    aided, unaided = arms.of(AIDED), arms.of(UNAIDED)
    if not (aided.row.size and unaided.row.size):
        return _untested(plan, "no scan was read by all readers of an arm")
    shared = np.intersect1d(aided.patient, unaided.patient)
    if not arms.same_scans and shared.size:
        return _untested(
            plan, f"the arms have scans of their own, but {shared.size} patients are in both"
        )
    try:
        if arms.same_readers and arms.same_scans:
            return _crossed_test(plan, own)
        return _nested_test(plan, arms)
    except StatisticsError as error:
        return _untested(plan, error.seen)


def _crossed_test(plan: ReaderTest, own: ReadingTable) -> ReaderTest:
    rating = _rating(own, plan.metric)
    study = crossed_study(own.truth, own.arm, own.reader, own.row, rating, own.patient)
    found = obuchowski_rockette(study, plan.metric)
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
        difference=wide.noted(*found.warnings),
        fixed_readers=fixed.noted(*found.warnings),
        quantities=tuple(_quantities(found)),
    )


def _quantities(found: Mrmc) -> Iterator[tuple[str, float]]:
    """Name what the analysis of a crossed study rests on."""
    parts = found.components
    yield from (
        ("MS(T)", found.ms_treatment), ("MS(R)", found.ms_reader),
        ("MS(T:R)", found.ms_treatment_reader), ("variance of readers", parts.reader),
        ("variance of treatment:reader", parts.treatment_reader),
        ("variance of error", parts.error), ("Cov1", parts.cov1), ("Cov2", parts.cov2),
        ("Cov3", parts.cov3),
    )  # fmt: skip
    for test in (found.random_readers_and_cases, found.fixed_readers, found.fixed_cases):
        scope = f"to other {test.generalize}"
        name = "F" if np.isfinite(test.df2) else "chi-square"
        yield f"{name}, {scope}", test.statistic
        yield f"df1, {scope}", test.df1
        yield f"df2, {scope}", test.df2
        yield f"denominator, {scope}", test.denominator
        yield f"p, {scope}", test.p


def _nested_test(plan: ReaderTest, arms: _Arms) -> ReaderTest:
    first, second = (
        crossed(arm, common_rows(arm), _rating(arm, plan.metric))
        for arm in (arms.of(AIDED), arms.of(UNAIDED))
    )
    if arms.same_scans:
        both = Cases(first.truth, np.vstack([first.scores, second.scores]), first.patient)
        found = separate_readers(both, len(first.scores), plan.metric)
    else:
        found = separate_cases(first, second, plan.metric, same_readers=arms.same_readers)
    wide, fixed = (
        replace(one, first=plan.first, second=plan.second)
        for one in (found.random_readers_and_cases, found.fixed_readers)
    )
    return replace(
        plan,
        first_mean=found.first_mean,
        second_mean=found.second_mean,
        difference=wide,
        fixed_readers=fixed,
        design=found.design,
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
