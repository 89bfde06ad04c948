"""ROC curves for print: models as curves with a band, readers as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from hemocast.report.figures.style import COLOURS, DASHES, GREY, INK, ORANGE, in_style, new_figure
from hemocast.stats import Estimate, RocBand, RocCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RocLine:
    """A model's curve.

    Parameters
    ----------
    name : str
        For the legend.
    curve : RocCurve
        Its points.
    auc : Estimate
        For the legend.
    band : RocBand or None
        Pointwise 95 % limits.
    point : tuple of float or None
        1 - specificity and sensitivity at the threshold.
    """

    name: str
    curve: RocCurve
    auc: Estimate
    band: RocBand | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class ReaderPoint:
    """Where a reader's yes/no decisions lie.

    Parameters
    ----------
    name : str
        Written beside the point; "" for none.
    fpr, tpr : float
        1 - specificity and sensitivity.
    aided : bool
        With the model's result at hand.
    average : bool
        The mean of the readers, drawn larger.
    """

    name: str
    fpr: float
    tpr: float
    aided: bool = False
    average: bool = False


@in_style
def roc_figure(
    lines: Sequence[RocLine], points: Sequence[ReaderPoint] = (), *, simulated: bool = False
) -> Figure:
    """Draw ROC curves of models, with readers as points.

    Parameters
    ----------
    lines : sequence of RocLine
        In the order of the legend; the first has its band drawn, others only where they are few.
    points : sequence of ReaderPoint
        Unaided and aided readers, and their averages.
    simulated : bool
        Say so in the figure.
    """
    n_named = len(lines) + len({(p.aided, p.average) for p in points})
    below = 0.145 * n_named if points else 0.0
    height = 3.7 + below
    figure = new_figure(3.5, height, simulated=simulated)
    axes = figure.add_axes((0.135, (0.46 + below) / height, 0.835, 2.92 / height))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
    for line, colour, dash in zip(lines, cycle(COLOURS), cycle(DASHES), strict=False):
        _curve(axes, line, colour, dash, band=len(lines) <= 2)
    _readers(axes, points)
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")  # noqa: RUF001 - a minus sign
    if points:
        # Readers may lie anywhere, so the legend has a place of its own.
        figure.legend(loc="lower left", bbox_to_anchor=(0.1, 0))
    else:
        axes.legend(loc="lower right", frameon=True, framealpha=0.85, edgecolor="none")
    return figure


def _curve(axes: Axes, line: RocLine, colour: str, dash: object, *, band: bool) -> None:
    if band and line.band is not None:
        axes.fill_between(
            line.band.fpr, line.band.low, line.band.high, color=colour, alpha=0.14, linewidth=0
        )
    name = f"{line.name}, AUC {line.auc.value:.2f}"
    if line.auc.ci_low == line.auc.ci_low:
        name += f" ({line.auc.ci_low:.2f}–{line.auc.ci_high:.2f})"  # noqa: RUF001 - a range
    axes.plot(
        line.curve.fpr, line.curve.tpr, color=colour, linewidth=1.4, linestyle=dash, label=name
    )
    if line.point is not None:
        axes.plot(*line.point, "o", color=colour, markersize=5, markeredgecolor="white", zorder=5)


def _readers(axes: Axes, points: Sequence[ReaderPoint]) -> None:
    """Open marks without the model, full ones with it; an average is a large diamond."""
    named: set[str] = set()
    for point in points:
        kind = "with the model" if point.aided else "alone" if _both(points) else ""
        who = "mean reader" if point.average else "reader"
        label = f"{who} {kind}".strip()
        axes.plot(
            point.fpr,
            point.tpr,
            marker="D" if point.average else "s" if point.aided else "o",
            linestyle="none",
            markersize=6.5 if point.average else 4,
            markeredgecolor=INK if point.average else ORANGE,
            markeredgewidth=1.1 if point.average else 0.9,
            markerfacecolor=ORANGE if point.aided else "white",
            label=None if label in named else label,
            zorder=6 if point.average else 4,
        )
        named.add(label)
        if point.name and not point.average and not _both(points):
            axes.annotate(
                point.name,
                (point.fpr, point.tpr),
                xytext=(3.5, -1),
                textcoords="offset points",
                fontsize=6,
                va="top",
                color=INK,
            )


def _both(points: Sequence[ReaderPoint]) -> bool:
    return len({point.aided for point in points}) == 2
