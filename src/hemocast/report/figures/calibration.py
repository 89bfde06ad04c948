"""Flexible calibration curve for print: curve, groups with intervals, and where the cases lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.evaluate.result import CalibrationGroup
from hemocast.report.figures.marks import mark_simulated
from hemocast.report.figures.style import BLUE, GREY, INK, ORANGE, STYLE, new_figure
from hemocast.stats.estimate import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class CalibrationPlot:
    """What the figure shows.

    Parameters
    ----------
    label, probability : ndarray, shape (n,)
        Outcomes and predictions, for the histogram.
    groups : tuple of CalibrationGroup
        From lowest to highest probability.
    at, curve : ndarray of float64, shape (k,)
        The smooth curve, sorted; empty where there is none.
    low, high : ndarray of float64, shape (k,), or None
        Pointwise 95 % limits of the curve.
    words : tuple of str
        Written into the figure: slope, intercept, ICI.
    """

    label: BoolArray
    probability: FloatArray
    groups: tuple[CalibrationGroup, ...]
    at: FloatArray
    curve: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    words: tuple[str, ...] = ()


def print_calibration_figure(plot: CalibrationPlot, *, simulated: bool = False) -> Figure:
    """Draw observed against predicted risk, over a histogram of both classes.

    Parameters
    ----------
    plot : CalibrationPlot
        All that is drawn.
    simulated : bool
        Say so in the figure.
    """
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = new_figure(3.5, 4.3)
        axes = figure.add_axes((0.135, 0.3, 0.835, 0.655))
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), label="ideal")
        if plot.at.size:
            curve, drawn = np.clip(plot.curve, 0, 1), "loess curve"
            if plot.low is not None and plot.high is not None:
                axes.fill_between(plot.at, plot.low, plot.high, color=BLUE, alpha=0.16, linewidth=0)
                drawn += ", 95 % band"
            axes.plot(plot.at, curve, color=BLUE, linewidth=1.4, label=drawn)
        for k, group in enumerate(plot.groups):
            axes.plot([group.predicted] * 2, [group.low, group.high], color=INK, linewidth=0.9)
            name = None if k else "groups of equal size, 95 % CI"
            axes.plot(
                group.predicted, group.observed, "o", color=INK, markersize=4, label=name,
                markeredgecolor="white", markeredgewidth=0.5,
            )  # fmt: skip
        axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015))
        axes.set(ylabel="Observed share with HT", xticklabels=[])
        axes.legend(loc="upper left", frameon=False, fontsize=7)
        # One text per line: each keeps its right end where another font is put in its place.
        for line, words in enumerate(reversed(plot.words)):
            axes.text(
                0.98, 0.02 + 0.042 * line, words, transform=axes.transAxes, ha="right",
                va="bottom", fontsize=7,
            )  # fmt: skip
        _histogram(figure.add_axes((0.135, 0.105, 0.835, 0.165)), plot)
        mark_simulated(figure, simulated)
    return figure


def _histogram(axes: Axes, plot: CalibrationPlot) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    edges = np.linspace(0, 1, 41)
    for group, sign, colour, name in (
        (plot.label, 1, ORANGE, "HT"),
        (~plot.label, -1, BLUE, "no HT"),
    ):
        counts, _ = np.histogram(plot.probability[group], edges)
        axes.bar(edges[:-1] + 0.0125, sign * counts, 0.021, color=colour)
        axes.text(
            0.99, 0.97 if sign > 0 else 0.03, name, transform=axes.transAxes, ha="right",
            va="top" if sign > 0 else "bottom", fontsize=7, color=colour,
        )  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    axes.set(xlim=(-0.015, 1.015), xlabel="Predicted probability", ylabel="Scans")
