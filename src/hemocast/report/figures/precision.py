"""Precision-recall curves for print: what share of the scans called positive have the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from hemocast.report.figures.style import (
    COLOURS,
    DASHES,
    GREY,
    fitted_axes,
    in_style,
    new_figure,
    shortened,
)
from hemocast.report.words import limits
from hemocast.stats import Estimate, PrecisionRecall

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class PrecisionLine:
    """A model's curve.

    Parameters
    ----------
    name : str
        For the legend.
    curve : PrecisionRecall
        Its points, and the prevalence.
    area : Estimate
        Average precision, for the legend.
    point : tuple of float or None
        Sensitivity and PPV at the threshold; None where no scan is called positive.
    """

    name: str
    curve: PrecisionRecall
    area: Estimate
    point: tuple[float, float] | None = None


@in_style
def precision_figure(lines: Sequence[PrecisionLine], *, simulated: bool = False) -> Figure:
    """Draw precision-recall curves of models by steps, and the prevalence.

    Parameters
    ----------
    lines : sequence of PrecisionLine
        In the order of the legend.
    simulated : bool
        Say so in the figure.
    """
    figure = new_figure(3.5, 3.4 + 0.145 * len(lines), simulated=simulated)
    axes = fitted_axes(figure, top=0.94)
    for line, colour, dash in zip(lines, cycle(COLOURS), cycle(DASHES), strict=False):
        _curve(axes, line, colour, dash)
    shares = sorted({line.curve.prevalence for line in lines})
    for k, share in enumerate(shares):
        axes.axhline(
            share, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1,
            label=None if k else "share with HT: a useless score",
        )  # fmt: skip
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015))
    axes.set(xlabel="Sensitivity (recall)", ylabel="PPV (precision)")
    figure.legend(loc="outside lower left")
    return figure


def _curve(axes: Axes, line: PrecisionLine, colour: str, dash: object) -> None:
    name = f"{shortened(line.name, 18)}, AP {line.area.value:.2f}"
    if line.area.ci_low == line.area.ci_low:
        name += f" ({limits(line.area.ci_low, line.area.ci_high, 2)})"
    axes.step(
        line.curve.recall, line.curve.precision, where="pre", color=colour, linewidth=1.4,
        linestyle=dash, label=name,
    )  # fmt: skip
    if line.point is not None:
        axes.plot(*line.point, "o", color=colour, markersize=5, markeredgecolor="white", zorder=5)
