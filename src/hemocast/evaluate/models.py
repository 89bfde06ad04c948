"""One model's predictions: every metric with its intervals, calibration, decision curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.calibration import evaluate_calibration
from hemocast.evaluate.result import ModelPart, ThresholdRow
from hemocast.stats import (
    Cases,
    Confusion,
    DecisionCurve,
    Estimate,
    Evaluation,
    Resampling,
    RocBand,
    bootstrap_roc,
    choose_threshold,
    clopper_pearson,
    confusion,
    decision_curve,
    evaluate,
    predictive_values_at_prevalence,
    roc_curve,
    wilson,
)
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import FEW
from hemocast.stats.resampling.extremes import rests_on

FIXED_SENSITIVITY = 0.90
THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
_SHARES = ("accuracy", "sensitivity", "ppv", "specificity", "npv")
_SMALL = 10
_MANY = 20_000
"""With more scans than this, a ROC band is thinner than its line, and none is made."""


def evaluate_model(model: ModelCases, resampling: Resampling) -> ModelPart:
    """Evaluate one model.

    Parameters
    ----------
    model : ModelCases
        The model.
    resampling : Resampling
        Of patients, in every bootstrap.
    """
    cases = model.cases
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
        decision=_decision(cases, resampling) if both else None,
        roc=roc_curve(cases) if both else None,
        band=_band(cases, resampling.seed) if both else None,
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
    return estimate, *(one.noted("takes scans of one patient as independent") for one in exact)


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
        notes.append("takes scans of one patient as independent")
    return Estimate(hits / n, *wilson(hits, n), "Wilson", n, "; ".join(notes) or None)


def _band(cases: Cases, seed: int) -> RocBand | None:
    if cases.n > _MANY:
        return None
    try:
        return bootstrap_roc(cases, Resampling(500, seed))
    except StatisticsError:
        return None


def _decision(cases: Cases, resampling: Resampling) -> DecisionCurve:
    fewer = resampling if cases.n <= _MANY else replace(resampling, n=200)
    return decision_curve(cases, THRESHOLDS, fewer)


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
    if model.threshold_source == "default":
        notes.append(
            "no threshold was given: 0.5 was taken, which need not be where the model is meant to "
            "be used"
        )
    return tuple(notes)
