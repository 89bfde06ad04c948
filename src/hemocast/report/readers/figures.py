"""Figures of a reader study: ROC with readers, confusion matrices, agreement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.readers.analysis.analyse import Rater, ReaderAnalysis
from hemocast.report.evaluation.figures import Drawn, draw
from hemocast.report.figures.agreement import AgreementPanel, agreement_matrix_figure
from hemocast.report.figures.confusion import ConfusionPanel, confusion_panels_figure
from hemocast.report.figures.roc import ReaderPoint, RocLine, print_roc_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hemocast.stats.estimate import FloatArray

_MOST_RATERS = 25


def draw_readers(
    analysis: ReaderAnalysis, lines: Sequence[RocLine], folder: Path, *, simulated: bool
) -> tuple[Drawn, ...]:
    """Draw all figures of a reader study into `folder`, which must be there.

    Parameters
    ----------
    analysis : ReaderAnalysis
        What was found.
    lines : sequence of RocLine
        The models' curves on the scans that were read.
    folder : Path
        Where the files go.
    simulated : bool
        Say so in the figures.
    """
    return tuple(
        draw(figure, folder, name, caption, wide=wide)
        for name, figure, caption, wide in _figures(analysis, lines, simulated)
    )


def reader_points(analysis: ReaderAnalysis) -> list[ReaderPoint]:
    """Where the decisions of readers and of their averages lie."""
    return [
        ReaderPoint(
            name=rater.name,
            fpr=1 - rater["specificity"].value,
            tpr=rater["sensitivity"].value,
            aided=rater.arm == "aided",
            average=rater.kind == "average",
        )
        for rater in analysis.raters
        if rater.kind != "model" and _defined(rater)
    ]


def _defined(rater: Rater) -> bool:
    return not np.isnan([rater["specificity"].value, rater["sensitivity"].value]).any()


def agreement_panels(analysis: ReaderAnalysis, arm: str) -> tuple[list[str], list[AgreementPanel]]:
    """Models and readers of one arm, and three measures of every pair that was measured."""
    pairs = [row for row in analysis.agreement.pairs if row.arm == arm]
    models = [rater.name for rater in analysis.raters if rater.kind == "model"]
    found = {row.first for row in pairs} | {row.second for row in pairs}
    readers = sorted(found - set(models)) if models else sorted(found)
    names = [*[name for name in models if name in found], *readers][:_MOST_RATERS]
    place = {name: k for k, name in enumerate(names)}

    def matrix(measure: str) -> FloatArray:
        values = np.full((len(names), len(names)), np.nan)
        for row in pairs:
            if row.first in place and row.second in place:
                i, j = place[row.first], place[row.second]
                values[i, j] = values[j, i] = getattr(row, measure).value
        return values

    titles = (("percent", "Agreement"), ("kappa", "Cohen's kappa"), ("ac1", "Gwet's AC1"))
    return names, [AgreementPanel(title, matrix(measure)) for measure, title in titles]


def _figures(
    analysis: ReaderAnalysis, lines: Sequence[RocLine], simulated: bool
) -> Iterator[tuple[str, Figure, str, bool]]:
    points = reader_points(analysis)
    if lines and points:
        caption = (
            "ROC curve of the model on the scans that were read, and the readers' yes/no decisions "
            "as points. A point on the curve means: as good as the model at that threshold."
        )
        figure = print_roc_figure(lines, points, simulated=simulated)
        yield "readers-roc", figure, caption, False
    for arm in analysis.arms:
        raters = [r for r in analysis.raters if r.cells is not None and r.arm in ("", arm)]
        panels = [
            ConfusionPanel(rater.name, rater.cells)
            for rater in raters[:_MOST_RATERS]
            if rater.cells is not None
        ]
        caption = f"Confusion matrices of the model and the readers ({arm}) on the scans read."
        figure = confusion_panels_figure(panels, simulated=simulated)
        yield f"readers-confusion-{arm}", figure, caption, len(panels) > 2
        names, measures = agreement_panels(analysis, arm)
        if len(names) > 1:
            caption = (
                f"Agreement of yes/no decisions, readers {arm}, with the model. Kappa and AC1 take "
                "away what chance alone would give; intervals are in agreement.csv."
            )
            figure = agreement_matrix_figure(names, measures, simulated=simulated)
            yield f"agreement-{arm}", figure, caption, True
