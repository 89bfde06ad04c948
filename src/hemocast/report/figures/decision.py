"""Decision curves for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.marks import COLOURS, DASHES, mark_simulated, shortened
from hemocast.report.figures.style import GREY, INK, STYLE, new_figure
from hemocast.stats import DecisionCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class DecisionLine:
    """A model's name and its decision curve."""

    name: str
    curve: DecisionCurve


def decision_curve_figure(lines: Sequence[DecisionLine], *, simulated: bool = False) -> Figure:
    """Draw the net benefit of models against treating all and treating none.

    Parameters
    ----------
    lines : sequence of DecisionLine
        On the same scans; with one or two, their 95 % limits are drawn too.
    simulated : bool
        Say so in the figure.
    """
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = new_figure(3.5, 3.0)
        axes = figure.add_axes((0.155, 0.15, 0.815, 0.78))
        for line, colour, dash in zip(lines, cycle(COLOURS), cycle(DASHES), strict=False):
            curve = line.curve
            if len(lines) <= 2:
                axes.fill_between(
                    curve.threshold, curve.model_low, curve.model_high, color=colour, alpha=0.14,
                    linewidth=0,
                )  # fmt: skip
            axes.plot(
                curve.threshold, curve.model, color=colour, linestyle=dash, linewidth=1.4,
                label=shortened(line.name),
            )  # fmt: skip
        first = lines[0].curve
        axes.plot(
            first.threshold, first.treat_all, color=GREY, linewidth=1.0, linestyle=(0, (4, 2)),
            label="treat all",
        )  # fmt: skip
        axes.axhline(0, color=INK, linewidth=0.8, label="treat none")
        top = max(float(np.max(line.curve.model_high)) for line in lines)
        top = max(top, float(first.treat_all.max()), 0.02)
        axes.set(xlim=(0, 1), ylim=(-0.3 * top, 1.06 * top))
        axes.set(xlabel="Threshold probability", ylabel="Net benefit per scan")
        axes.legend(frameon=False, fontsize=7, loc="upper right")
        mark_simulated(figure, simulated)
    return figure
