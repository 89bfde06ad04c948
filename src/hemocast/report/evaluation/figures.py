"""Which figures an evaluation has, and how its results become them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hemocast.evaluate.result import EvaluationResult, ModelPart
from hemocast.report.figures.calibration import calibration_figure
from hemocast.report.figures.confusion import ConfusionPanel, confusion_figure
from hemocast.report.figures.decision import decision_figure
from hemocast.report.figures.drawing import Drawing
from hemocast.report.figures.forest import ForestRow, forest_figure
from hemocast.report.figures.incidence import incidence_figure
from hemocast.report.figures.precision import PrecisionLine, precision_figure
from hemocast.report.figures.roc import RocLine, roc_figure
from hemocast.report.figures.style import shortened

MOST_CURVES = 6
_MOST_PANELS = 15
_MOST_FOREST_ROWS = 60


def draw_evaluation(result: EvaluationResult) -> tuple[Drawing, ...]:
    """Draw all figures of the models."""
    return tuple(_drawings(result, result.models[:MOST_CURVES]))


def roc_lines(models: Sequence[ModelPart]) -> list[RocLine]:
    """Curves of the models that have one."""
    lines = []
    for model in models:
        if model.roc is None:
            continue
        cells = model.confusion
        point = (cells.fp / (cells.fp + cells.tn), cells.tp / (cells.tp + cells.fn))
        lines.append(RocLine(shortened(model.name, 18), model.roc, model["auc"], model.band, point))
    return lines


def precision_lines(models: Sequence[ModelPart]) -> list[PrecisionLine]:
    """Precision-recall curves of the models that have one."""
    lines = []
    for model in models:
        if model.precision_recall is None:
            continue
        at = (model["sensitivity"].value, model["ppv"].value)
        point = None if np.isnan(at[1]) else at
        area = model["average_precision"]
        lines.append(PrecisionLine(model.name, model.precision_recall, area, point))
    return lines


def forest_rows(model: ModelPart) -> list[ForestRow]:
    """Headings and levels of the subgroups of a model, by AUC."""
    rows: list[ForestRow] = []
    for found in model.subgroups:
        p = found.auc_interaction.p
        rows.append(
            ForestRow(found.variable, note="" if np.isnan(p) else f"interaction p = {p:.2g}")
        )
        for group in found.groups:
            own = group.evaluation
            area = dict(group.metrics)["auc"]
            rows.append(ForestRow(group.name, area, own.n_patients, own.n, own.n_positive))
    return rows[:_MOST_FOREST_ROWS]


def _drawings(result: EvaluationResult, models: Sequence[ModelPart]) -> Iterator[Drawing]:
    simulated = result.simulated
    if lines := roc_lines(models):
        band = "; shaded: pointwise 95 % band" if len(lines) <= 2 and lines[0].band else ""
        yield Drawing(
            "roc", roc_figure(lines, simulated=simulated),
            f"ROC curves; AUC with 95 % limits. Dots: the thresholds used{band}. The dotted line "
            "is guessing.",
        )  # fmt: skip
    if steps := precision_lines(models):
        yield Drawing(
            "precision-recall", precision_figure(steps, simulated=simulated),
            "Precision-recall curves; AP, the average precision, is the area under the steps, with "
            "95 % limits. Dots: the thresholds used. A useless score has the share with HT "
            "(dotted), so that areas of samples with other shares do not compare.",
        )  # fmt: skip
    panels = [ConfusionPanel(model.name, model.confusion) for model in result.models[:_MOST_PANELS]]
    yield Drawing(
        "confusion", confusion_figure(panels, simulated=simulated),
        "Confusion matrices at the thresholds used: scans, and shares of the true class.",
        wide=len(panels) > 2,
    )  # fmt: skip
    for k, model in enumerate(models):
        figure = calibration_figure(model, simulated=simulated)
        yield Drawing(f"calibration-{k + 1}", figure, _calibration_caption(model))
    if curves := [(model.name, model.decision) for model in models if model.decision is not None]:
        limits = "; shaded: 95 % limits" if len(curves) <= 2 else ""
        yield Drawing(
            "decision", decision_figure(curves, simulated=simulated),
            "Decision curves: what acting on the model gains, in true positives per scan, against "
            f"treating all and none{limits}. They hold for this sample's prevalence, "
            f"{100 * models[0].prevalence:.3g} %.{_few(models)}",
        )  # fmt: skip
    if found := result.incidence:
        yield Drawing(
            "incidence", incidence_figure(found.curve, found.chances[-1][0], simulated=simulated),
            "Chance of HT up to each hour after onset, with pointwise 95 % limits, where death "
            "without HT makes it impossible (Aalen-Johansen). HT counts from the scan that "
            "showed it.",
        )  # fmt: skip
    for k, model in enumerate(models):
        rows = forest_rows(model)
        if rows and np.isfinite(model["auc"].ci_low):
            yield Drawing(
                f"subgroups-{k + 1}", forest_figure(rows, model["auc"], simulated=simulated),
                f"AUC of {model.name} in subgroups. Dotted line: all scans. Open squares and *: "
                "too few patients to be relied on, or another warning; see subgroups.csv.",
                wide=True,
            )  # fmt: skip


def _few(models: Sequence[ModelPart]) -> str:
    """Say of which models the limits of the decision curve rest on few patients."""
    said = {model.decision.warning for model in models if model.decision}
    return "".join(f" A limit {text}." for text in sorted(filter(None, said)))


def _calibration_caption(model: ModelPart) -> str:
    text = (
        f"Calibration of {model.name}: observed share with HT against predicted probability, and "
        "how the predictions lie (HT up, no HT down)."
    )
    if model.calibration.low is not None:
        text += " The band is pointwise, from resampled patients."
    reason = model.calibration.reason
    return f"{text} No curve: {reason}." if reason else text
