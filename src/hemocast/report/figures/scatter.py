"""Probabilities of every pair of raters, scan by scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hemocast.report.figures.style import BLUE, GREY, ORANGE, in_style, new_figure, shortened
from hemocast.stats.estimate import BoolArray, Float64Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT, _BOTTOM, _GAP = 0.62, 0.5, 0.1
_WIDEST = 6.6
"""Inches."""


@in_style
def scatter_figure(
    names: Sequence[str],
    probability: Float64Array,
    truth: BoolArray,
    *,
    simulated: bool = False,
) -> Figure:
    """Draw the probabilities of every pair against each other, as a lower triangle of squares.

    Outcomes differ in form and filling, so that they stay apart in grey.

    Parameters
    ----------
    names : sequence of str, length k
        Raters, in the order of columns and rows.
    probability : ndarray of float64, shape (k, n)
        NaN where a rater gave none.
    truth : ndarray of bool, shape (n,)
        Which scans have HT.
    simulated : bool
        Say so in the figure.
    """
    k = len(names) - 1
    side = min(1.9, (_WIDEST - _LEFT) / k - _GAP)
    width = max(_LEFT + k * (side + _GAP), 2.6)
    height = _BOTTOM + k * (side + _GAP) + 0.45
    figure = new_figure(width, height, simulated=simulated)
    for row in range(1, k + 1):
        for column in range(row):
            left = _LEFT + column * (side + _GAP)
            bottom = _BOTTOM + (k - row) * (side + _GAP)
            axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
            _square(axes, probability[column], probability[row], truth)
            _name(axes, names[column] if row == k else "", names[row] if column == 0 else "", side)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="upper right", bbox_to_anchor=(1, 1 - 0.17 / height), ncols=3,
        handletextpad=0.3, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _square(axes: Axes, x: Float64Array, y: Float64Array, truth: BoolArray) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    axes.plot(
        x[~truth], y[~truth], "o", color=ORANGE, fillstyle="none", markersize=3.2,
        markeredgewidth=0.7, label="no HT",
    )  # fmt: skip
    axes.plot(
        x[truth], y[truth], "^", color=BLUE, markersize=3.6, markeredgewidth=0, alpha=0.75,
        label="HT",
    )  # fmt: skip
    axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=6, length=2, pad=2)


def _name(axes: Axes, below: str, beside: str, side: float) -> None:
    """Name the raters at the figure's edge alone."""
    letters = int(side * 13)
    axes.set_xlabel(shortened(below, letters), fontsize=7, labelpad=2)
    axes.set_ylabel(shortened(beside, letters), fontsize=7, labelpad=2)
    axes.tick_params(labelbottom=bool(below), labelleft=bool(beside))
