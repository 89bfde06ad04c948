"""One model's predictions: every metric with its intervals, calibration, decision curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.calibration import evaluate_calibration
from hemocast.evaluate.inputs.predictions import ModelScores, Predictions
from hemocast.evaluate.result import ModelPart, ThresholdRow
from hemocast.stats import (
    DecisionCurve,
    Estimate,
    Evaluation,
    RocBand,
    bootstrap_roc,
    clopper_pearson,
    confusion,
    decision_curve,
    evaluate,
    roc_curve,
    wilson,
)
from hemocast.stats.estimate import FEW, BoolArray, FloatArray, IntArray
from hemocast.stats.prevalence import PredictiveValues, rebase_predictive_values
from hemocast.stats.thresholds import choose_threshold

FIXED_SENSITIVITY = 0.90
THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
_SHARES = ("accuracy", "sensitivity", "ppv", "specificity", "npv")
_SMALL = 10
_MANY = 20_000
"""With more scans than this, a ROC band is thinner than its line, and none is made."""


def evaluate_model(
    predictions: Predictions, model: ModelScores, *, n_resamples: int, seed: int
) -> ModelPart:
    """Evaluate one model.

    Parameters
    ----------
    predictions : Predictions
        Outcomes and patients.
    model : ModelScores
        Probabilities and threshold.
    n_resamples, seed : int
        Of every bootstrap; patients are resampled.
    """
    label, patient = predictions.label[model.rows], predictions.patient[model.rows]
    found = evaluate(label, model.probability, patient, model.threshold, n_resamples, seed)
    several = found.n_patients < found.n
    intervals = {
        name: _intervals(name, estimate, found, label, model, several)
        for name, estimate in found.items()
    }
    both = 0 < found.n_positive < found.n
    return ModelPart(
        name=model.name,
        n=found.n,
        n_patients=found.n_patients,
        n_positive=found.n_positive,
        n_patients_positive=int(np.unique(patient[label]).size),
        threshold=model.threshold,
        threshold_source=model.threshold_source,
        confusion=found.confusion,
        metrics=tuple((name, rows[0]) for name, rows in intervals.items()),
        intervals={name: rows[1:] for name, rows in intervals.items()},
        points=_points(label, model, patient) if both else (),
        rebased=_rebased(label, model, patient) if both else (),
        calibration=evaluate_calibration(
            label, model.probability, patient, n_resamples=n_resamples, seed=seed
        ),
        decision=_decision(label, model.probability, patient, n_resamples, seed) if both else None,
        roc=roc_curve(label, model.probability) if both else None,
        band=_band(label, model.probability, patient, seed) if both else None,
        label=label,
        probability=model.probability,
        warnings=_warnings(found, label, model, patient),
    )


def _intervals(
    name: str,
    estimate: Estimate,
    found: Evaluation,
    label: BoolArray,
    model: ModelScores,
    several: bool,
) -> tuple[Estimate, ...]:
    """Headline first: logit DeLong for the AUC, Wilson for shares of independent scans."""
    if np.isnan(estimate.value):
        return (estimate,)
    if name == "auc":
        return found.auc_delong, estimate
    if name not in _SHARES:
        return (estimate,)
    hits, n = _share(name, label, model)
    exact = [
        Estimate(hits / n, *limits, method, n, estimate.warning)
        for limits, method in (
            (wilson(hits, n), "Wilson"),
            (clopper_pearson(hits, n), "Clopper-Pearson"),
        )
    ]
    if not several:
        return exact[0], exact[1], estimate
    note = "; ".join(filter(None, [estimate.warning, "takes scans of one patient as independent"]))
    return estimate, *(replace(one, warning=note) for one in exact)


def _share(name: str, label: BoolArray, model: ModelScores) -> tuple[int, int]:
    """Hits, and cases that the share is of."""
    cells = confusion(label, model.probability, model.threshold)
    return {
        "accuracy": (cells.tp + cells.tn, cells.n),
        "sensitivity": (cells.tp, cells.tp + cells.fn),
        "specificity": (cells.tn, cells.tn + cells.fp),
        "ppv": (cells.tp, cells.tp + cells.fp),
        "npv": (cells.tn, cells.tn + cells.fn),
    }[name]


def _points(label: BoolArray, model: ModelScores, patient: IntArray) -> tuple[ThresholdRow, ...]:
    """Sensitivity, specificity, PPV and NPV at the model's threshold and at two chosen here."""
    named = {"given": "given", "youden": "Youden index", "sensitivity": "sensitivity at least 0.90"}
    rows = [_point(named["given"], model.threshold, False, label, model, patient)]
    for rule, target in (("youden", None), ("sensitivity", FIXED_SENSITIVITY)):
        chosen = choose_threshold(label, model.probability, rule, target)  # type: ignore[arg-type]
        rows.append(_point(named[rule], chosen.threshold, True, label, model, patient))
    return tuple(rows)


def _point(
    name: str,
    threshold: float,
    exploratory: bool,
    label: BoolArray,
    model: ModelScores,
    patient: IntArray,
) -> ThresholdRow:
    at = replace(model, threshold=threshold)
    called = model.probability >= threshold
    values = []
    for metric, cases in (
        ("sensitivity", label),
        ("specificity", ~label),
        ("ppv", called),
        ("npv", ~called),
    ):
        hits, n = _share(metric, label, at)
        values.append((metric, _wilson_of(metric, hits, n, int(np.unique(patient[cases]).size))))
    return ThresholdRow(name, threshold, exploratory, tuple(values))


def _wilson_of(metric: str, hits: int, n: int, n_patients: int) -> Estimate:
    if not n:
        nan = float("nan")
        word = "positive" if metric == "ppv" else "negative"
        return Estimate(nan, nan, nan, "none", 0, f"undefined: no case was called {word}")
    notes = []
    if n_patients < FEW:
        notes.append(f"rests on {n_patients} patient(s) in the denominator")
    if n_patients < n:
        notes.append("takes scans of one patient as independent")
    return Estimate(hits / n, *wilson(hits, n), "Wilson", n, "; ".join(notes) or None)


def _rebased(
    label: BoolArray, model: ModelScores, patient: IntArray
) -> tuple[PredictiveValues, ...]:
    several = np.unique(patient).size < patient.size
    return rebase_predictive_values(
        label, model.probability, model.threshold, patient=patient if several else None
    )


def _band(
    label: BoolArray, probability: FloatArray, patient: IntArray, seed: int
) -> RocBand | None:
    if label.size > _MANY:
        return None
    try:
        return bootstrap_roc(label, probability, patient, n_resamples=500, seed=seed)
    except StatisticsError:
        return None


def _decision(
    label: BoolArray, probability: FloatArray, patient: IntArray, n_resamples: int, seed: int
) -> DecisionCurve:
    fewer = n_resamples if label.size <= _MANY else 200
    return decision_curve(label, probability, THRESHOLDS, patient, fewer, seed)


def _warnings(
    found: Evaluation, label: BoolArray, model: ModelScores, patient: IntArray
) -> tuple[str, ...]:
    notes = []
    if found.n < _SMALL:
        noun = "scan" if found.n == 1 else "scans"
        notes.append(f"only {found.n} {noun}: no number here says more than that")
    if found.n_positive in (0, found.n):
        kind = "every scan has" if found.n_positive else "no scan has"
        notes.append(
            f"{kind} the outcome: AUC, calibration and decision curve are undefined, and so are "
            f"the metrics of the missing class"
        )
    if np.ptp(model.probability) == 0:
        notes.append("all predictions are equal: the model ranks nothing (AUC 0.5 by definition)")
    elif np.isin(model.probability, (0.0, 1.0)).all():
        notes.append(
            "the predictions are 0 and 1 only: the AUC is that of one operating point, "
            "(sensitivity + specificity) / 2, and does not compare with that of probabilities"
        )
    positive, negative = np.unique(patient[label]).size, np.unique(patient[~label]).size
    if 0 < min(positive, negative) < FEW:
        notes.append(
            f"{min(positive, negative)} patient(s) of the smaller class: every interval that rests "
            f"on them is uncertain itself"
        )
    if model.threshold_source == "default":
        notes.append(
            "no threshold was given: 0.5 was taken, which need not be where the model is meant to "
            "be used"
        )
    return tuple(notes)
