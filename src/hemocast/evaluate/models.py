"""One model's predictions: every metric with its intervals, calibration, curves, subgroups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import CalibrationPart, ModelPart, ThresholdRow
from hemocast.stats import (
    METRICS,
    PREVALENCES,
    Calibration,
    Cases,
    Estimate,
    Evaluation,
    GroupVariable,
    Resampling,
    RocBand,
    analyse_subgroups,
    bootstrap_roc,
    calibration_curve,
    choose_threshold,
    confusion,
    decision_curve,
    evaluate,
    measure_calibration,
    predictive_values_at_prevalence,
    roc_curve,
    wilson,
)
from hemocast.stats.calibration.measures import mean_risk, observed_expected
from hemocast.stats.cases import ModelCases
from hemocast.stats.discrimination.partial import PartialRange, partial_auc
from hemocast.stats.discrimination.roc import precision_recall_curve
from hemocast.stats.estimate import ENOUGH, FEW, Float64Array
from hemocast.stats.evaluation import INDEPENDENT
from hemocast.stats.metrics import undefined_because
from hemocast.stats.resampling.limits import few_behind

FIXED_SENSITIVITY = 0.90
THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
_WIDE = 0.5
"""With risks up to here or above, the decision curve is drawn at `THRESHOLDS`."""
_SMALL = 10
_MANY = 20_000
"""With more scans than this, a ROC band is thinner than its line, and none is made."""

_MOST_RESAMPLES = 500
_MOST_PARTIAL = 1000
_CURVE_POINTS = 200
_SCANS_PER_GROUP = 30


@dataclass(frozen=True)
class Points:
    """Where a model is looked at besides its own threshold.

    Parameters
    ----------
    thresholds : tuple of float
        Fixed beforehand.
    sensitivities, specificities : tuple of float
        The threshold that just reaches each on these scans is looked at: exploratory.
    prevalences : tuple of float
        For PPV and NPV.
    partial : tuple of PartialRange
        Where the area under a part of the ROC curve is taken.
    curve : ndarray of float64, shape (k,)
        Thresholds of the decision curve.
    """

    thresholds: tuple[float, ...] = ()
    sensitivities: tuple[float, ...] = (FIXED_SENSITIVITY,)
    specificities: tuple[float, ...] = ()
    prevalences: tuple[float, ...] = PREVALENCES
    partial: tuple[PartialRange, ...] = ()
    curve: Float64Array = field(default_factory=THRESHOLDS.copy)


def decision_thresholds(models: Sequence[ModelCases]) -> Float64Array:
    """Choose where the decision curves of some models are drawn, shape (49,).

    .02 to .98; but where neither 999 of 1,000 risks nor twice the share with the outcome reach .5,
    49 steps up to the larger of these: nobody acts on a risk of .3 where the risks are of .01.
    """
    tops = [
        max(float(np.quantile(model.cases.score, 0.999)), 2 * float(model.cases.truth.mean()))
        for model in models
    ]
    top = max(tops)
    return THRESHOLDS if top >= _WIDE or top <= 0 else top * np.arange(1, 50) / 49


def evaluate_model(
    model: ModelCases,
    groupings: Sequence[GroupVariable],
    resampling: Resampling,
    points: Points = Points(),
) -> ModelPart:
    """Evaluate one model.

    Parameters
    ----------
    model : ModelCases
        The model.
    groupings : sequence of GroupVariable
        Groups of all scans of the table; those that the model's scans do not differ by are left
        out.
    resampling : Resampling
        Of patients, in every bootstrap.
    points : Points
        Other thresholds and prevalences.
    """
    cases = model.cases
    own = [grouping.part(model.rows) for grouping in groupings]
    several = [grouping for grouping in own if len(grouping.order) > 1]
    found = evaluate(cases, model.threshold, resampling)
    intervals = {name: found.intervals(name) for name in METRICS}
    both = 0 < cases.n_positive < cases.n
    fewer = replace(resampling, n=min(resampling.n, _MOST_PARTIAL))
    return ModelPart(
        name=model.name,
        cases=cases,
        threshold=model.threshold,
        threshold_source=model.threshold_source,
        confusion=found.confusion,
        metrics=tuple((name, rows[0]) for name, rows in intervals.items()),
        intervals={name: rows[1:] for name, rows in intervals.items()},
        points=tuple(_points(cases, found, points)) if both else (),
        at_prevalence=(
            predictive_values_at_prevalence(cases, model.threshold, points.prevalences)
            if both
            else ()
        ),
        calibration=evaluate_calibration(cases, resampling),
        decision=decision_curve(cases, points.curve, resampling) if both else None,
        roc=roc_curve(cases) if both else None,
        precision_recall=precision_recall_curve(cases) if both else None,
        partial=tuple(partial_auc(cases, one, fewer) for one in points.partial) if both else (),
        band=_band(cases, resampling.seed) if both else None,
        subgroups=analyse_subgroups(cases, model.threshold, several, resampling),
        warnings=_warnings(model),
    )


_AT_THRESHOLDS = ("sensitivity", "specificity", "ppv", "npv")


def _points(cases: Cases, found: Evaluation, points: Points) -> Iterator[ThresholdRow]:
    """Sensitivity, specificity, PPV and NPV at the model's threshold, and at all others."""
    given = tuple((metric, found.headline(metric)) for metric in _AT_THRESHOLDS)
    yield ThresholdRow("given", found.threshold, False, given)
    for threshold in points.thresholds:
        yield _point("asked for", threshold, cases, exploratory=False)
    youden = choose_threshold(cases, "youden").threshold
    yield _point("Youden index", youden, cases)
    for target in points.sensitivities:
        chosen = choose_threshold(cases, "sensitivity", target).threshold
        yield _point(f"sensitivity at least {target:.2f}", chosen, cases)
    for target in points.specificities:
        name = f"specificity at least {target:.2f}"
        try:
            yield _point(name, choose_threshold(cases, "specificity", target).threshold, cases)
        except StatisticsError as error:
            none = Estimate.bare(float("nan"), 0, f"undefined: {error.seen}")
            yield ThresholdRow(name, float("nan"), True, tuple((m, none) for m in _AT_THRESHOLDS))


def _point(name: str, threshold: float, cases: Cases, *, exploratory: bool = True) -> ThresholdRow:
    return ThresholdRow(name, threshold, exploratory, shares_at(cases, threshold))


def shares_at(cases: Cases, threshold: float) -> tuple[tuple[str, Estimate], ...]:
    """Sensitivity, specificity, PPV and NPV at a threshold, with Wilson's limits.

    Parameters
    ----------
    cases : Cases
        Of one rater, with any scores on the threshold's scale.
    threshold : float
        At or above it a scan counts as positive.
    """
    cells = confusion(cases, threshold)
    independent = INDEPENDENT if cases.clustered else None
    values = []
    for metric in _AT_THRESHOLDS:
        hits, n = cells.share(metric)
        if not n:
            none = Estimate.bare(float("nan"), 0, f"undefined: {undefined_because(metric, cells)}")
            values.append((metric, none))
            continue
        few = few_behind(metric, cases, threshold)
        shown = Estimate(hits / n, *wilson(hits, n), "Wilson", n, few).noted(independent)
        values.append((metric, shown))
    return tuple(values)


def _band(cases: Cases, seed: int) -> RocBand | None:
    if cases.n > _MANY:
        return None
    try:
        return bootstrap_roc(cases, Resampling(500, seed))
    except StatisticsError:
        return None


def _warnings(model: ModelCases) -> tuple[str, ...]:
    cases, notes = model.cases, []
    if cases.n < _SMALL:
        noun = "scan" if cases.n == 1 else "scans"
        notes.append(f"only {cases.n} {noun}: too few for any conclusion")
    if cases.n_positive in (0, cases.n):
        kind = "every scan has" if cases.n_positive else "no scan has"
        notes.append(
            f"{kind} the outcome: AUC, calibration and decision curve are undefined, and so are "
            f"the metrics of the missing class"
        )
    if np.ptp(cases.score) == 0:
        notes.append("all predictions are equal: the model ranks nothing (AUC 0.5 by definition)")
    elif np.isin(cases.score, (0.0, 1.0)).all():
        notes.append(
            "the predictions are 0 and 1 only: the AUC is that of one operating point, "
            "(sensitivity + specificity) / 2, and does not compare with that of probabilities"
        )
    if 0 < cases.smaller_class < FEW:
        notes.append(
            f"{cases.smaller_class} patient(s) of the smaller class: every interval that rests "
            f"on them is uncertain itself"
        )
    elif 0 < cases.smaller_class < ENOUGH:
        notes.append(
            f"{cases.smaller_class} patients of the smaller class: external validation asks for "
            f"{ENOUGH} at least, calibration above all"
        )
    if model.threshold_source == "default":
        notes.append(
            "no threshold was given: 0.5 was taken, which need not be where the model is meant to "
            "be used"
        )
    if model.threshold_source == "prevalence":
        notes.append(
            "no threshold was given: the share with the outcome was taken, "
            f"{model.threshold:.3g}, since 0.5 is far from it"
        )
    return tuple(notes)


def evaluate_calibration(cases: Cases, resampling: Resampling) -> CalibrationPart:
    """Measure the calibration of one model, on all of its scans.

    Parameters
    ----------
    cases : Cases
        Of the model.
    resampling : Resampling
        Of patients; at most 500 resamples are drawn.
    """
    groups = _groups(cases)
    independent = INDEPENDENT if cases.clustered else None
    overall = (
        ("mean_predicted_risk", mean_risk(cases)),
        ("observed_expected", observed_expected(cases).noted(independent)),
    )
    fewer = replace(resampling, n=min(resampling.n, _MOST_RESAMPLES))
    unsure = None
    try:
        found = calibration_curve(cases, fewer)
    except StatisticsError as error:
        unsure = error.seen
        try:
            found = measure_calibration(cases)
        except StatisticsError as why:
            none = np.empty(0)
            reason = f"{why.seen}; expected {why.expected}"
            return CalibrationPart(overall, groups, none, none, reason)
    return _part(
        found, CalibrationPart(overall, groups, found.at, found.curve), independent, unsure
    )


def _part(
    found: Calibration, begun: CalibrationPart, independent: str | None, unsure: str | None
) -> CalibrationPart:
    """Wald for the line of independent scans, resampled patients for all else where they serve."""
    wald = found.measured or found
    lines = [
        (name, one.noted(independent), drawn)
        for name, one, drawn in (
            ("calibration_in_the_large", wald.in_the_large, found.in_the_large),
            ("calibration_slope", wald.slope, found.slope),
        )
    ]
    distances = [
        ("ici", found.ici), ("e50", found.e50), ("e90", found.e90), ("emax", found.emax)
    ]  # fmt: skip
    at, curve = found.at, found.curve
    if unsure is not None:
        why = f"no interval: {unsure[0].lower()}{unsure[1:]}"
        distances = [(name, replace(value, warning=why)) for name, value in distances]
        order = np.argsort(at, kind="stable")
        chosen = order[np.linspace(0, at.size - 1, min(_CURVE_POINTS, at.size)).astype(int)]
        at, curve = at[chosen], curve[chosen]
    clustered = independent is not None and unsure is None
    return replace(
        begun,
        metrics=(
            *begun.metrics,
            *((name, drawn if clustered else one) for name, one, drawn in lines),
            *distances,
        ),
        at=at,
        curve=curve,
        low=found.low,
        high=found.high,
        others=tuple(
            (name, one if clustered else drawn) for name, one, drawn in lines if unsure is None
        ),
    )


def _groups(cases: Cases) -> tuple[tuple[float, Estimate], ...]:
    """Groups of about equal size, never dividing scans of equal probability: at most ten."""
    probability = cases.score
    wanted = min(10, max(1, cases.n // _SCANS_PER_GROUP))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="right")
    groups = []
    independent = INDEPENDENT if cases.clustered else None
    for group in np.unique(which):
        mine = which == group
        n, hits = int(mine.sum()), int(cases.truth[mine].sum())
        few = None if hits >= FEW else f"rests on {hits} with the outcome"
        observed = Estimate(hits / n, *wilson(hits, n), "Wilson", n, few).noted(independent)
        groups.append((float(probability[mine].mean()), observed))
    return tuple(groups)
