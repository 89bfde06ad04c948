"""Subgroups as a forest: one line per group, and the whole below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.report.figures.style import BLUE, GREY, INK, in_style, new_figure, shortened
from hemocast.report.words import limits, number
from hemocast.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ForestRow:
    """One line.

    Parameters
    ----------
    name : str
        A level, or (without `estimate`) the heading of a grouping.
    estimate : Estimate or None
        The metric there.
    n_patients, n, n_positive : int
        Patients, their scans, and scans with the outcome.
    note : str
        Right of a heading: the interaction's p value.
    """

    name: str
    estimate: Estimate | None = None
    n_patients: int = 0
    n: int = 0
    n_positive: int = 0
    note: str = ""


@in_style
def forest_figure(
    rows: Sequence[ForestRow], overall: Estimate, *, metric: str = "AUC", simulated: bool = False
) -> Figure:
    """Draw a metric with its 95 % limits in every subgroup.

    Parameters
    ----------
    rows : sequence of ForestRow
        Top to bottom.
    overall : Estimate
        A vertical line.
    metric : str
        Axis title.
    simulated : bool
        Say so in the figure.
    """
    height = 0.75 + 0.17 * (len(rows) + 1)
    figure = new_figure(7.0, height, simulated=simulated)
    axes = figure.add_axes((0.42, 0.42 / height, 0.35, 1 - 0.72 / height))
    axes.axvline(overall.value, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
    axes.set(ylim=(len(rows) - 0.4, -1.1), xlim=(_left_end(rows), 1.0))
    for k, row in enumerate(rows):
        _row(axes, row, k)
    axes.set(xlabel=metric, yticks=[])
    axes.spines["left"].set_visible(False)
    for x, text, side in (
        (-0.42, "patients / scans (HT)", "center"),
        (1.03, f"{metric} (95 % CI)", "left"),
    ):
        axes.text(
            x if side == "left" else -0.2, -1, text, transform=axes.get_yaxis_transform(),
            ha=side, va="center", weight="bold", fontsize=7,
        )  # fmt: skip
    return figure


def _left_end(rows: Sequence[ForestRow]) -> float:
    """Where the axis begins: limits of groups that are too small may run out of the picture."""
    lows = [
        row.estimate.ci_low for row in rows if row.estimate is not None and not row.estimate.warning
    ]
    low = min([low for low in lows if not math.isnan(low)], default=0.4)
    return min(0.45, math.floor(low * 10) / 10)


def _row(axes: Axes, row: ForestRow, at: int) -> None:
    across = axes.get_yaxis_transform()
    if row.estimate is None:
        axes.text(-1.18, at, shortened(row.name, 30), transform=across, va="center", weight="bold")
        axes.text(1.03, at, row.note, transform=across, va="center", fontsize=7, color=INK)
        return
    axes.text(-1.15, at, shortened(row.name, 26), transform=across, va="center")
    axes.text(
        -0.2, at, f"{row.n_patients} / {row.n} ({row.n_positive})", transform=across, va="center",
        ha="center", fontsize=7,
    )  # fmt: skip
    value = row.estimate
    if math.isnan(value.value):
        axes.text(1.03, at, "not estimated", transform=across, va="center", fontsize=7, color=GREY)
        return
    few = bool(value.warning)
    if not math.isnan(value.ci_low):
        axes.plot([value.ci_low, value.ci_high], [at, at], color=BLUE, linewidth=1.0)
        left = axes.get_xlim()[0]
        if value.ci_low < left:
            axes.plot(left, at, "<", color=BLUE, markersize=3.5, clip_on=False)
    axes.plot(
        value.value, at, "s", color=BLUE, markersize=4, markerfacecolor="white" if few else BLUE
    )
    within = "no interval" if math.isnan(value.ci_low) else limits(value.ci_low, value.ci_high, 2)
    text = f"{number(value.value, 2)} ({within}){' *' if few else ''}"
    axes.text(1.03, at, text, transform=across, va="center", fontsize=7)
