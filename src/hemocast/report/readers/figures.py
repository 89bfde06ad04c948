"""Figures of a reader study: ROC with readers, confusion matrices, agreement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hemocast.readers.analysis.agreement import Agreement
from hemocast.readers.analysis.analyse import Rater, ReaderAnalysis
from hemocast.report.evaluation.figures import MOST_CURVES
from hemocast.report.figures.agreement import AgreementPanel, agreement_figure
from hemocast.report.figures.confusion import ConfusionPanel, confusion_figure
from hemocast.report.figures.drawing import Drawing
from hemocast.report.figures.roc import ReaderPoint, RocLine, roc_figure
from hemocast.report.figures.scatter import scatter_figure
from hemocast.report.figures.style import shortened

if TYPE_CHECKING:
    from hemocast.stats.estimate import Float64Array

_MOST_RATERS = 25
_MOST_READER_CURVES = 10
_MOST_SCATTERED = 7


def draw_readers(analysis: ReaderAnalysis, *, simulated: bool) -> tuple[Drawing, ...]:
    """Draw all figures of a reader study.

    Parameters
    ----------
    analysis : ReaderAnalysis
        What was found.
    simulated : bool
        Say so in the figures.
    """
    return tuple(_drawings(analysis, simulated))


def reader_lines(analysis: ReaderAnalysis) -> list[RocLine]:
    """Curves of the models on the scans that somebody read."""
    models = [rater for rater in analysis.raters if rater.kind == "model"]
    return _lines(models[:MOST_CURVES])


def probability_lines(analysis: ReaderAnalysis, arm: str) -> list[RocLine]:
    """Curves of the first model and of the readers of one arm, from their probabilities."""
    readers = [r for r in analysis.raters if r.kind == "reader" and r.arm == arm and r.roc]
    models = [rater for rater in analysis.raters if rater.kind == "model"]
    return _lines([*models[:1], *readers[:_MOST_READER_CURVES]]) if readers else []


def _lines(raters: Sequence[Rater]) -> list[RocLine]:
    return [
        RocLine(
            shortened(rater.name, 18), rater.roc, rater.auc,
            point=(1 - rater["specificity"].value, rater["sensitivity"].value),
        )
        for rater in raters
        if rater.roc is not None
    ]  # fmt: skip


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
    titles = (("percent", "Agreement"), ("kappa", "Cohen's kappa"), ("ac1", "Gwet's AC1"))
    return names, [
        AgreementPanel(title, _matrix(pairs, names, measure)) for measure, title in titles
    ]


def _matrix(pairs: Sequence[Agreement], names: Sequence[str], measure: str) -> Float64Array:
    """One measure of every pair, symmetric; NaN where it was not measured."""
    place = {name: k for k, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    for row in pairs:
        if row.first in place and row.second in place:
            i, j = place[row.first], place[row.second]
            values[i, j] = values[j, i] = getattr(row, measure).value
    return values


def _drawings(analysis: ReaderAnalysis, simulated: bool) -> Iterator[Drawing]:
    lines, points = reader_lines(analysis), reader_points(analysis)
    if lines and points:
        yield Drawing(
            "readers-roc", roc_figure(lines, points, simulated=simulated),
            "ROC curve of the model on the scans that were read, and the readers' yes/no decisions "
            "as points. A point on the curve means: as good as the model at that threshold.",
        )  # fmt: skip
    for arm in analysis.arms:
        if curves := probability_lines(analysis, arm):
            yield Drawing(
                f"readers-curves-{arm}", roc_figure(curves, simulated=simulated),
                f"ROC curves of the readers' probabilities ({arm}), on the scans that each read. "
                f"Dots: where their yes/no decisions lie.{_not_drawn(analysis, arm)}",
            )  # fmt: skip
        yield from _scatters(analysis, arm, simulated)
        raters = [r for r in analysis.raters if r.arm in ("", arm)]
        panels = confusion_panels(raters)[:_MOST_RATERS]
        yield Drawing(
            f"readers-confusion-{arm}", confusion_figure(panels, simulated=simulated),
            f"Confusion matrices of the model and the readers ({arm}) on the scans read.",
            wide=len(panels) > 2,
        )  # fmt: skip
        names, measures = agreement_panels(analysis, arm)
        if len(names) > 1:
            yield Drawing(
                f"agreement-{arm}", agreement_figure(names, measures, simulated=simulated),
                f"Agreement of yes/no decisions, readers {arm}, with the model. Kappa and AC1 take "
                "away what chance alone would give; intervals are in agreement.csv.",
                wide=True,
            )  # fmt: skip


def _scatters(analysis: ReaderAnalysis, arm: str, simulated: bool) -> Iterator[Drawing]:
    """Draw the probabilities of one arm, where there are any of two raters."""
    for one in analysis.ratings:
        if one.arm == arm:
            shown = slice(_MOST_SCATTERED)
            more = len(one.names[_MOST_SCATTERED:])
            figure = scatter_figure(
                one.names[shown], one.probability[shown], one.truth, simulated=simulated
            )
            yield Drawing(
                f"readers-scatter-{arm}", figure,
                f"Probabilities of models and readers ({arm}), a point a scan: those of the row "
                "against those of the column. On the dotted line both give the same."
                + (f" {more} more are not drawn." if more else ""),
                wide=len(one.names) > 3,
            )  # fmt: skip


def _not_drawn(analysis: ReaderAnalysis, arm: str) -> str:
    """Say which readers of an arm have no curve."""
    own = [rater for rater in analysis.raters if rater.kind == "reader" and rater.arm == arm]
    more = sum(rater.roc is not None for rater in own) - _MOST_READER_CURVES
    without = sum(rater.roc is None for rater in own)
    said = f" {more} more are not drawn." if more > 0 else ""
    if without:
        said += f" {without} of {len(own)} readers gave no probability for some scans: no curve."
    return said


def confusion_panels(raters: Sequence[Rater]) -> list[ConfusionPanel]:
    """Matrices of the raters that have one: averages have none."""
    return [ConfusionPanel(r.name, r.cells) for r in raters if r.cells is not None]
