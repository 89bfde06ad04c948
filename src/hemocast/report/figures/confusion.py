"""Confusion matrices side by side, as in the paper's Figure 2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.style import BLUE, INK, ORANGE, in_style, new_figure, shortened
from hemocast.stats import Confusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 5
_COLUMN_WIDTH = 3.0
"""Inches of a journal's column that the matrices fill."""


@dataclass(frozen=True)
class ConfusionPanel:
    """One matrix: whose decisions, and the cells."""

    name: str
    cells: Confusion


@in_style
def confusion_figure(panels: Sequence[ConfusionPanel], *, simulated: bool = False) -> Figure:
    """Draw one confusion matrix per model or reader.

    Parameters
    ----------
    panels : sequence of ConfusionPanel
        Left to right, top to bottom. Depth of colour is the share of the true class.
    simulated : bool
        Say so in the figure.
    """
    columns = min(_MOST_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    side = max(1.38, _COLUMN_WIDTH / columns) if columns > 1 else 2.2
    width, height = 0.5 + side * columns, 0.5 + (side + 0.2) * rows + (0.16 if simulated else 0)
    figure = new_figure(width, height, simulated=simulated)
    grid = figure.add_gridspec(
        rows, columns, left=0.46 / width, right=1 - 0.06 / width, bottom=0.42 / height,
        top=1 - (0.36 if simulated else 0.2) / height, wspace=0.16, hspace=0.3,
    )  # fmt: skip
    for k, panel in enumerate(panels):
        axes = figure.add_subplot(grid[k // columns, k % columns])
        last = k + columns >= len(panels)
        _matrix(axes, panel, left=k % columns == 0, bottom=last)
    figure.text(0.5, 0.02, "Predicted", ha="center", va="bottom")
    figure.text(0.01, 0.5, "True", ha="left", va="center", rotation=90)
    return figure


def _matrix(axes: Axes, panel: ConfusionPanel, *, left: bool, bottom: bool) -> None:
    cells = panel.cells
    counts = np.array([[cells.tn, cells.fp], [cells.fn, cells.tp]])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row in range(2):
        for column in range(2):
            share = float(shares[row, column])
            axes.fill_between(
                [column - 0.48, column + 0.48], row - 0.48, row + 0.48,
                color=BLUE if row == column else ORANGE, alpha=0.07 + 0.83 * share, linewidth=0,
            )  # fmt: skip
            ink = "white" if share > (0.55 if row == column else 0.8) else INK
            count = str(counts[row, column])
            size = 11 if len(count) < 5 else 8
            axes.text(column, row - 0.02, count, ha="center", size=size, color=ink)
            axes.text(column, row + 0.27, f"{share:.0%}", ha="center", size=7, color=ink)
    axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), aspect="equal")
    axes.set_title(shortened(panel.name), fontsize=8, pad=3)
    axes.set_xticks([0, 1], ["no HT", "HT"] if bottom else ["", ""])
    axes.set_yticks([0, 1], ["no HT", "HT"] if left else ["", ""], rotation=90, va="center")
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
