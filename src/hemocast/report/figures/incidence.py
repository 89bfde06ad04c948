"""Chances over time: hemorrhagic transformation, and death without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.style import (
    BLUE,
    DASHES,
    GREY,
    fitted_axes,
    in_style,
    new_figure,
)
from hemocast.stats import CumulativeIncidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def incidence_figure(
    curve: CumulativeIncidence, until: float, *, simulated: bool = False
) -> Figure:
    """Draw the chance of HT with its 95 % limits, and that of death without HT, as steps.

    Parameters
    ----------
    curve : CumulativeIncidence
        Of hours after onset.
    until : float
        The last hour drawn.
    simulated : bool
        Say so in the figure.
    """
    figure = new_figure(3.5, 3.0, simulated=simulated)
    axes = fitted_axes(figure, top=0.94)
    shown = curve.time <= until
    hours = np.concatenate([[0.0], curve.time[shown]])
    values = [curve.at(hour) for hour in hours.tolist()]
    low, high = (
        np.array([0.0 if np.isnan(end) else end for end in ends])
        for ends in zip(*((one.ci_low, one.ci_high) for one in values), strict=True)
    )
    axes.fill_between(hours, low, high, step="post", color=BLUE, alpha=0.14, linewidth=0)
    axes.step(
        hours, [one.value for one in values], where="post", color=BLUE, linewidth=1.4, label="HT"
    )
    axes.step(
        hours, np.concatenate([[0.0], curve.competing[shown]]), where="post", color=GREY,
        linewidth=1.2, linestyle=DASHES[1], label="death without HT",
    )  # fmt: skip
    top = max(float(high.max()), float(curve.competing[shown].max(initial=0)), 0.02)
    axes.set(xlim=(0, until), ylim=(0, min(1.0, 1.08 * top)))
    axes.set(xlabel="Hours after onset", ylabel="Chance up to this hour")
    axes.legend(loc="upper left")
    return figure
