"""Decision curves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.style import (
    COLOURS,
    DASHES,
    GREY,
    INK,
    fitted_axes,
    in_style,
    new_figure,
    shortened,
)
from hemocast.stats import DecisionCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def decision_figure(
    curves: Sequence[tuple[str, DecisionCurve]], *, simulated: bool = False
) -> Figure:
    """Draw the net benefit of models against treating all and treating none.

    Parameters
    ----------
    curves : sequence of (str, DecisionCurve)
        Models by name, on the same scans; with one or two, their 95 % limits are drawn too.
    simulated : bool
        Say so in the figure.
    """
    figure = new_figure(3.5, 3.0, simulated=simulated)
    axes = fitted_axes(figure, top=0.94)
    for (name, curve), colour, dash in zip(curves, cycle(COLOURS), cycle(DASHES), strict=False):
        if len(curves) <= 2:
            axes.fill_between(
                curve.threshold, curve.model_low, curve.model_high, color=colour, alpha=0.14,
                linewidth=0,
            )  # fmt: skip
        axes.plot(
            curve.threshold, curve.model, color=colour, linestyle=dash, linewidth=1.4,
            label=shortened(name),
        )  # fmt: skip
    first = curves[0][1]
    axes.plot(
        first.threshold, first.treat_all, color=GREY, linewidth=1.0, linestyle=(0, (4, 2)),
        label="treat all",
    )  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.8, label="treat none")
    end = float(first.threshold.max())
    top = max(float(np.max(curve.model_high)) for _, curve in curves)
    top = max(top, float(first.treat_all.max()), 0.02 * end)
    axes.set(xlim=(0, 1 if end > 0.5 else end), ylim=(-0.3 * top, 1.06 * top))
    axes.set(xlabel="Threshold probability", ylabel="Net benefit per scan")
    axes.legend(loc="upper right")
    return figure
