"""One model's predictions: every metric with its intervals, calibration, curves, subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import CalibrationPart, ModelPart, ThresholdRow
from hemocast.stats import (
    Calibration,
    Cases,
    Confusion,
    Estimate,
    Evaluation,
    GroupVariable,
    Resampling,
    RocBand,
    analyse_subgroups,
    bootstrap_roc,
    calibration_curve,
    choose_threshold,
    clopper_pearson,
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
from hemocast.stats.estimate import ENOUGH, FEW, Float64Array
from hemocast.stats.resampling.limits import rests_on

FIXED_SENSITIVITY = 0.90
THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
_WIDE = 0.5
"""With risks up to here or above, the decision curve is drawn at `THRESHOLDS`."""
_SHARES = ("accuracy", "sensitivity", "ppv", "specificity", "npv")
_SMALL = 10
_MANY = 20_000
"""With more scans than this, a ROC band is thinner than its line, and none is made."""

_MOST_RESAMPLES = 500
_CURVE_POINTS = 200
_SCANS_PER_GROUP = 30
_INDEPENDENT = "takes scans of one patient as independent"


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
    thresholds: Float64Array = THRESHOLDS,
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
    thresholds : ndarray of float64, shape (k,)
        Where the decision curve is drawn.
    """
    cases = model.cases
    own = [grouping.part(model.rows) for grouping in groupings]
    several = [grouping for grouping in own if len(grouping.order) > 1]
    found = evaluate(cases, model.threshold, resampling)
    intervals = {name: _intervals(name, estimate, found, cases) for name, estimate in found.items()}
    both = 0 < cases.n_positive < cases.n
    return ModelPart(
        name=model.name,
        cases=cases,
        threshold=model.threshold,
        threshold_source=model.threshold_source,
        confusion=found.confusion,
        metrics=tuple((name, rows[0]) for name, rows in intervals.items()),
        intervals={name: rows[1:] for name, rows in intervals.items()},
        points=_points(cases, model.threshold) if both else (),
        at_prevalence=predictive_values_at_prevalence(cases, model.threshold) if both else (),
        calibration=evaluate_calibration(cases, resampling),
        decision=decision_curve(cases, thresholds, resampling) if both else None,
        roc=roc_curve(cases) if both else None,
        band=_band(cases, resampling.seed) if both else None,
        subgroups=analyse_subgroups(cases, model.threshold, several, resampling),
        warnings=_warnings(model),
    )


def _intervals(
    name: str, estimate: Estimate, found: Evaluation, cases: Cases
) -> tuple[Estimate, ...]:
    """Headline first: logit DeLong for the AUC, Wilson for shares of independent scans."""
    if np.isnan(estimate.value):
        return (estimate,)
    if name == "auc":
        return found.auc_delong, estimate
    if name not in _SHARES:
        return (estimate,)
    hits, n = _share(name, found.confusion)
    exact = [
        Estimate(hits / n, *limits, method, n, estimate.warning)
        for limits, method in (
            (wilson(hits, n), "Wilson"),
            (clopper_pearson(hits, n), "Clopper-Pearson"),
        )
    ]
    if not cases.clustered:
        return exact[0], exact[1], estimate
    return estimate, *(one.noted(_INDEPENDENT) for one in exact)


def _share(name: str, cells: Confusion) -> tuple[int, int]:
    """Hits, and cases that the share is of."""
    return {
        "accuracy": (cells.tp + cells.tn, cells.n),
        "sensitivity": (cells.tp, cells.tp + cells.fn),
        "specificity": (cells.tn, cells.tn + cells.fp),
        "ppv": (cells.tp, cells.tp + cells.fp),
        "npv": (cells.tn, cells.tn + cells.fn),
    }[name]


def _points(cases: Cases, threshold: float) -> tuple[ThresholdRow, ...]:
    """Sensitivity, specificity, PPV and NPV at the model's threshold and at two chosen here."""
    youden = choose_threshold(cases, "youden").threshold
    sensitive = choose_threshold(cases, "sensitivity", FIXED_SENSITIVITY).threshold
    return (
        _point("given", threshold, False, cases),
        _point("Youden index", youden, True, cases),
        _point("sensitivity at least 0.90", sensitive, True, cases),
    )


def _point(name: str, threshold: float, exploratory: bool, cases: Cases) -> ThresholdRow:
    cells = confusion(cases, threshold)
    values = []
    for metric in ("sensitivity", "specificity", "ppv", "npv"):
        n_patients = cases.patients(rests_on(metric, cases, threshold))
        values.append((metric, _wilson_of(metric, *_share(metric, cells), n_patients)))
    return ThresholdRow(name, threshold, exploratory, tuple(values))


def _wilson_of(metric: str, hits: int, n: int, n_patients: int) -> Estimate:
    if not n:
        word = "positive" if metric == "ppv" else "negative"
        return Estimate.bare(float("nan"), 0, f"undefined: no case was called {word}")
    notes = []
    if n_patients < FEW:
        notes.append(f"rests on {n_patients} patient(s) in the denominator")
    if n_patients < n:
        notes.append(_INDEPENDENT)
    return Estimate(hits / n, *wilson(hits, n), "Wilson", n, "; ".join(notes) or None)


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
        notes.append(f"only {cases.n} {noun}: no number here says more than that")
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
    independent = _INDEPENDENT if cases.clustered else None
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
    for group in np.unique(which):
        mine = which == group
        n, hits = int(mine.sum()), int(cases.truth[mine].sum())
        observed = Estimate(hits / n, *wilson(hits, n), "Wilson", n)
        groups.append((float(probability[mine].mean()), observed))
    return tuple(groups)
