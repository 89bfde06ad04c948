"""What scans without a prediction, or without an observed outcome, could change in the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.outcomes import DEATH, REFUSED, UNOBSERVED, FollowUp, LeftOutScans
from hemocast.evaluate.inputs.predictions import PredictionTable
from hemocast.evaluate.models import shares_at
from hemocast.evaluate.result import Incidence, LeftOut, Scenario
from hemocast.stats import Cases, Estimate, GroupVariable, Resampling, auc_interval
from hemocast.stats.calibration.measures import observed_expected
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import FEW, BoolArray, Float64Array
from hemocast.stats.evaluation import INDEPENDENT
from hemocast.stats.incidence import CENSORED, cumulative_incidence
from hemocast.stats.unobserved import PartlyObserved, weighted_metrics

_BELOW, _ABOVE = -1.0, 2.0
"""Scores below and above every probability."""
_MOST_RESAMPLES = 500
_MOST_SCANS_TIMES_RESAMPLES = 50_000_000
_BOUNDED = ("auc", "sensitivity", "specificity")


def count_left_out(scans: Sequence[LeftOutScans]) -> tuple[LeftOut, ...]:
    """Count the scans that a model cannot be judged on by reason, the commonest first."""
    found = []
    for part in scans:
        reasons, numbers = np.unique(part.reason.astype(str), return_counts=True)
        for reason in reasons[np.argsort(-numbers, kind="stable")]:
            own = part.reason == reason
            truth, score = part.truth[own], part.score[own]
            known = ~np.isnan(truth)
            found.append(
                LeftOut(
                    kind=part.kind,
                    reason=str(reason),
                    n=int(own.sum()),
                    n_patients=len(set(part.participant[own])),
                    n_positive=int(truth[known].sum()) if known.any() else None,
                    mean_risk=None if np.isnan(score).any() else float(score.mean()),
                )
            )
    return tuple(found)


def what_if(
    model: ModelCases,
    table: PredictionTable,
    groupings: Sequence[GroupVariable],
    resampling: Resampling,
) -> tuple[Scenario, ...]:
    """Evaluate a model once more with the scans that it could not be judged on.

    Parameters
    ----------
    model : ModelCases
        With its threshold.
    table : PredictionTable
        That the model is of.
    groupings : sequence of GroupVariable
        Of all scans of the table, those without an observed outcome last: the chance of being
        observed may depend on them.
    resampling : Resampling
        Of patients, for the weighted results; at most 500 resamples are drawn.
    """
    made: list[Scenario] = []
    for part in table.left_out_of(model.name):
        own = table.participant[model.rows]
        if part.kind == REFUSED:
            made += _refused(model, own, part)
        else:
            made += _unobserved(model, own, part, _Weighting(tuple(groupings), resampling))
    return tuple(made)


def _refused(model: ModelCases, own: NDArray[np.object_], part: LeftOutScans) -> Iterator[Scenario]:
    """Let every refused scan be wrong, then right, below or above all others."""
    known = ~np.isnan(part.truth)
    if not known.any():
        return
    lost = int((~known).sum())
    note = f"refused scans without a label, in neither count: {lost}" if lost else None
    truth = part.truth[known] == 1
    patient = np.concatenate([own, part.participant[known]]).astype(str)
    outcomes = np.concatenate([model.cases.truth, truth])
    for name, with_outcome, without in (
        ("refused scans counted as wrong", _BELOW, _ABOVE),
        ("refused scans counted as right", _ABOVE, _BELOW),
    ):
        score = np.concatenate([model.cases.score, np.where(truth, with_outcome, without)])
        yield _bounded(name, Cases(outcomes, score, patient), model.threshold, note)


def _bounded(name: str, cases: Cases, threshold: float, note: str | None = None) -> Scenario:
    """AUC, sensitivity and specificity of completed cases."""
    shares = dict(shares_at(cases, threshold))
    values = [("auc", _auc(cases)), *((one, shares[one]) for one in _BOUNDED[1:])]
    noted = tuple((metric, value.noted(note)) for metric, value in values)
    return Scenario(name, cases.n, cases.n_positive, noted)


def _auc(cases: Cases) -> Estimate:
    try:
        return auc_interval(cases)
    except StatisticsError as error:
        return Estimate.bare(float("nan"), cases.n, f"undefined: {error.seen}")


@dataclass(frozen=True)
class _Weighting:
    """What the chance of being observed may depend on, and how its limits are drawn."""

    groupings: tuple[GroupVariable, ...]
    resampling: Resampling

    def predictors(self, rows: NDArray[np.int64], observed: BoolArray) -> Float64Array:
        """One column for each group that holds ten scans and more of both kinds, but the first."""
        columns = []
        for grouping in (one.part(rows) for one in self.groupings):
            values = np.array(grouping.values, dtype=object)
            large = [
                values == level
                for level in dict.fromkeys(grouping.values)
                if min((observed & (values == level)).sum(), (~observed & (values == level)).sum())
                >= FEW
            ]
            columns += large[1:] if len(large) == len(set(grouping.values)) else large
        return np.array(columns, dtype=np.float64).reshape(len(columns), rows.size).T

    def fewer(self, n: int) -> Resampling:
        """Draw 500 times, or of very many scans less often."""
        drawn = min(self.resampling.n, _MOST_RESAMPLES, max(100, _MOST_SCANS_TIMES_RESAMPLES // n))
        return Resampling(drawn, self.resampling.seed)


def _unobserved(
    model: ModelCases,
    own: NDArray[np.object_],
    part: LeftOutScans,
    weighting: _Weighting,
) -> Iterator[Scenario]:
    seen = np.arange(model.cases.n + part.score.size) < model.cases.n
    rows = np.concatenate([model.rows, part.rows])
    found = PartlyObserved(
        Cases(
            np.concatenate([model.cases.truth, np.zeros(part.score.size, dtype=np.bool_)]),
            np.concatenate([model.cases.score, part.score]),
            np.concatenate([own, part.participant]).astype(str),
        ),
        seen,
        weighting.predictors(rows, seen),
    )
    at = model.threshold
    worst, best = _bounded("", found.contradicted(at), at), _bounded("", found.confirmed(at), at)
    for name, shares, highest in (
        ("worst case", worst, False),
        ("best case", best, True),
    ):
        metrics = dict(shares.metrics) | {"auc": _extreme(found, highest=highest)}
        yield Scenario(f"not observed: {name}", found.cases.n, None, tuple(metrics.items()))
    for name, outcome in (("none had HT", False), ("all had HT", True)):
        cases = found.filled(np.full(found.cases.n, outcome))
        yield _with_risk(f"not observed: {name}", cases, at)
    yield _weighted("not observed: weighted", found, at, weighting)
    died = np.concatenate([np.zeros(model.cases.n, dtype=np.bool_), part.reason == DEATH])
    if not died.any():
        return
    if (part.reason == DEATH).all():
        yield _with_risk("death counted as no HT", found.cases, at)
        return
    seen = seen | died
    counted = PartlyObserved(found.cases, seen, weighting.predictors(rows, seen))
    yield _weighted("death counted as no HT, the others weighted", counted, at, weighting)


def _extreme(found: PartlyObserved, *, highest: bool) -> Estimate:
    try:
        return _auc(found.extreme_auc(highest=highest))
    except StatisticsError as error:
        return Estimate.bare(float("nan"), found.cases.n, f"undefined: {error.seen}")


def _with_risk(name: str, cases: Cases, threshold: float) -> Scenario:
    bounded = _bounded(name, cases, threshold)
    ratio = observed_expected(cases).noted(INDEPENDENT if cases.clustered else None)
    metrics = (*bounded.metrics, ("observed_expected", ratio))
    return Scenario(name, cases.n, cases.n_positive, metrics)


def _weighted(name: str, found: PartlyObserved, at: float, weighting: _Weighting) -> Scenario:
    try:
        metrics = weighted_metrics(found, at, weighting.fewer(found.cases.n))
    except StatisticsError as error:
        why = f"no weights: {error.seen[0].lower()}{error.seen[1:]}"
        none = Estimate.bare(float("nan"), int(found.observed.sum()), why)
        metrics = tuple((metric, none) for metric in _BOUNDED)
    return Scenario(name, int(found.observed.sum()), None, metrics)


WINDOWS = (24.0, 48.0, 72.0, 168.0)
"""Hours after onset at which chances are shown, beside the last."""


def incidence_of(followed: FollowUp | None) -> Incidence | None:
    """Follow HT over time, with death as what makes it impossible; None where neither is known."""
    if followed is None or (followed.kind == CENSORED).all():
        return None
    curve = cumulative_incidence(followed.hours, followed.kind)
    enough = np.flatnonzero(curve.at_risk >= FEW)
    horizon = float(curve.time[enough[-1] if enough.size else -1])
    hours = [*(hour for hour in WINDOWS if hour < horizon), horizon]
    return Incidence(curve, tuple((hour, curve.at(hour)) for hour in hours), followed.n_unknown)


def against_incidence(model: ModelCases, table: PredictionTable, found: Incidence) -> Scenario:
    """Set the chance of HT at the last hour against the mean risk that the model gives to all."""
    hour, chance = found.chances[-1]
    unseen = [one.score for one in table.left_out_of(model.name) if one.kind == UNOBSERVED]
    mean = float(np.concatenate([model.cases.score, *unseen]).mean())
    ratio = Estimate.bare(float("nan"), chance.n, "undefined: every probability is 0")
    if mean > 0:
        ends = (chance.value / mean, chance.ci_low / mean, chance.ci_high / mean)
        method = f"{chance.ci_method}, the probabilities given"
        ratio = Estimate(*ends, method, chance.n, chance.warning)
    name = f"death as a competing event, until {hour:.0f} h"
    return Scenario(name, chance.n, None, (("observed_expected", ratio),))
