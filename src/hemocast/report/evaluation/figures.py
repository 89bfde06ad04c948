"""Which figures an evaluation has, and how its results become them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from hemocast.evaluate.result import EvaluationResult, ModelPart
from hemocast.report.figures.calibration import CalibrationPlot, print_calibration_figure
from hemocast.report.figures.confusion import ConfusionPanel, confusion_panels_figure
from hemocast.report.figures.decision import DecisionLine, decision_curve_figure
from hemocast.report.figures.forest import ForestRow, forest_figure
from hemocast.report.figures.inline import inline_svg
from hemocast.report.figures.marks import shortened
from hemocast.report.figures.roc import RocLine, print_roc_figure
from hemocast.report.figures.style import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CURVES = 6
_MOST_FOREST_ROWS = 60


@dataclass(frozen=True)
class Drawn:
    """A figure on the page.

    Parameters
    ----------
    name : str
        Its files are ``figures/NAME.svg`` and ``.png``.
    svg : Markup
        To stand in the page.
    caption : str
        Below it.
    wide : bool
        Takes the page's whole width.
    """

    name: str
    svg: Markup
    caption: str
    wide: bool = False


def draw(figure: Figure, folder: Path, name: str, caption: str, *, wide: bool = False) -> Drawn:
    """Save a figure as SVG and PNG, and make it fit to stand in a page."""
    save_figure(figure, folder, name)
    return Drawn(name, inline_svg(figure, name, caption), caption, wide)


def draw_evaluation(result: EvaluationResult, folder: Path) -> tuple[Drawn, ...]:
    """Draw all figures of the models into `folder`, which must be there."""
    return tuple(
        draw(figure, folder, name, caption, wide=wide)
        for name, figure, caption, wide in _figures(result)
    )


def roc_lines(models: Sequence[ModelPart]) -> list[RocLine]:
    """Curves of the models that have one, at most `MOST_CURVES`."""
    lines = []
    for model in models[:MOST_CURVES]:
        if model.roc is None:
            continue
        cells = model.confusion
        point = (cells.fp / (cells.fp + cells.tn), cells.tp / (cells.tp + cells.fn))
        lines.append(RocLine(shortened(model.name, 18), model.roc, model["auc"], model.band, point))
    return lines


def calibration_plot(model: ModelPart) -> CalibrationPlot:
    """What the calibration figure of a model shows."""
    part = model.calibration
    known = dict(part.metrics)
    words = []
    for name, title in (
        ("calibration_slope", "slope"),
        ("calibration_in_the_large", "in the large"),
    ):
        if name in known:
            e = known[name]
            words.append(f"{title} {e.value:.2f} ({e.ci_low:.2f} to {e.ci_high:.2f})")
    if "ici" in known:
        e = known["ici"]
        limits = f" ({e.ci_low:.3f} to {e.ci_high:.3f})" if np.isfinite(e.ci_low) else ""
        words.append(f"ICI {e.value:.3f}{limits}")
    return CalibrationPlot(
        label=model.label,
        probability=model.probability,
        groups=part.groups,
        at=part.at,
        curve=part.curve,
        low=part.low,
        high=part.high,
        words=tuple(words),
    )


def forest_rows(result: EvaluationResult, model: ModelPart) -> list[ForestRow]:
    """Headings and levels of the subgroups of one model, by AUC."""
    rows: list[ForestRow] = []
    tests = {
        row.grouping: row
        for row in result.interactions
        if row.model == model.name and row.metric == "auc"
    }
    last = ""
    for row in result.subgroups:
        if row.model != model.name:
            continue
        if row.grouping != last:
            test = tests.get(row.grouping)
            note = "" if test is None or test.p is None else f"interaction p = {test.p:.2g}"
            rows.append(ForestRow(row.grouping, note=note))
            last = row.grouping
        rows.append(
            ForestRow(row.level, dict(row.metrics)["auc"], row.n_patients, row.n, row.n_positive)
        )
    return rows[:_MOST_FOREST_ROWS]


def _figures(result: EvaluationResult) -> Iterator[tuple[str, Figure, str, bool]]:
    simulated = result.simulated
    lines = roc_lines(result.models)
    if lines:
        band = "; shaded: pointwise 95 % band" if len(lines) <= 2 and lines[0].band else ""
        caption = (
            "ROC curves; AUC with 95 % limits. Dots: the thresholds used" + band + ". "
            "The dotted line is guessing."
        )
        yield "roc", print_roc_figure(lines, simulated=simulated), caption, False
    panels = [ConfusionPanel(model.name, model.confusion) for model in result.models[:15]]
    caption = "Confusion matrices at the thresholds used: scans, and shares of the true class."
    yield (
        "confusion", confusion_panels_figure(panels, simulated=simulated), caption,
        len(panels) > 2,
    )  # fmt: skip
    for k, model in enumerate(result.models[:MOST_CURVES]):
        yield (
            f"calibration-{k + 1}",
            print_calibration_figure(calibration_plot(model), simulated=simulated),
            _calibration_caption(model),
            False,
        )
    decisions = [
        DecisionLine(model.name, model.decision)
        for model in result.models[:MOST_CURVES]
        if model.decision is not None
    ]
    if decisions:
        caption = (
            "Decision curves: what acting on the model gains, in true positives per scan, against "
            "treating all and none" + ("; shaded: 95 % limits" if len(decisions) <= 2 else "") +
            f". They hold for this sample's prevalence, {100 * result.models[0].prevalence:.0f} %."
        )  # fmt: skip
        yield "decision", decision_curve_figure(decisions, simulated=simulated), caption, False
    for k, model in enumerate(result.models[:MOST_CURVES]):
        rows = forest_rows(result, model)
        if rows and np.isfinite(model["auc"].ci_low):
            figure = forest_figure(rows, model["auc"], simulated=simulated)
            caption = (
                f"AUC of {model.name} in subgroups. Dotted line: all scans. Open squares and *: "
                "too few patients to be relied on, or another warning; see subgroups.csv."
            )
            yield f"subgroups-{k + 1}", figure, caption, True


def _calibration_caption(model: ModelPart) -> str:
    text = (
        f"Calibration of {model.name}: observed share with HT against predicted probability, and "
        "how the predictions lie (HT up, no HT down)."
    )
    if model.calibration.low is not None:
        text += " The band is pointwise, from resampled patients."
    reason = model.calibration.reason
    return f"{text} No curve: {reason}." if reason else text
