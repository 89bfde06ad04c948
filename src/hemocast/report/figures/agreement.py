"""Agreement of every pair of raters, as a matrix of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.style import INK, in_style, new_figure, shortened
from hemocast.report.words import number
from hemocast.stats.estimate import Float64Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class AgreementPanel:
    """One measure: its name, and its value for every pair, shape (k, k); NaN where undefined."""

    title: str
    value: Float64Array


@in_style
def agreement_figure(
    names: Sequence[str], panels: Sequence[AgreementPanel], *, simulated: bool = False
) -> Figure:
    """Draw one lower triangle per measure.

    Parameters
    ----------
    names : sequence of str
        Raters, in the order of rows and columns.
    panels : sequence of AgreementPanel
        Left to right.
    simulated : bool
        Say so in the figure.
    """
    k = len(names)
    side = max(1.7, 0.27 * k)
    width = 0.85 + (side + 0.12) * len(panels)
    height = side + 1.05
    figure = new_figure(width, height, simulated=simulated)
    for p, panel in enumerate(panels):
        axes = figure.add_axes(
            ((0.8 + p * (side + 0.12)) / width, 0.7 / height, side / width, side / height)
        )
        _triangle(axes, names, panel, first=p == 0)
    return figure


def _triangle(axes: Axes, names: Sequence[str], panel: AgreementPanel, *, first: bool) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    k = len(names)
    shown = np.ma.masked_where(np.triu(np.ones((k, k), dtype=bool)), panel.value)
    shown = np.ma.masked_invalid(shown)
    colours = LinearSegmentedColormap.from_list("agreement", ["#ffffff", "#9cc7cd", "#0b5c6b"])
    axes.imshow(shown, cmap=colours, vmin=0, vmax=1)
    for row in range(k):
        for column in range(row):
            value = float(panel.value[row, column])
            text = "–" if np.isnan(value) else number(value, 2)  # noqa: RUF001
            ink = "white" if value > 0.78 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color=ink)
    labels = [shortened(name, 12) for name in names]
    axes.set_xticks(range(k - 1), labels[:-1], rotation=90, fontsize=7)
    axes.set_yticks(range(1, k), labels[1:] if first else [""] * (k - 1), fontsize=7)
    axes.set(xlim=(-0.5, k - 1.5), ylim=(k - 0.5, 0.5))
    axes.set_title(panel.title, fontsize=8, pad=4)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
