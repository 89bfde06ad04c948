"""A silent trial over time: scans, drift, outcomes, cumulative sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hemocast.evaluate.monitor.result import Chart, Look, Performance, Period, Time
from hemocast.report.figures.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    INK,
    ORANGE,
    PAPER,
    fitted_axes,
    in_style,
    new_figure,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DARKEST = 4.0
"""From so many times its usual size on an index is as dark as it gets."""


@in_style
def traffic_figure(periods: Sequence[Period], *, simulated: bool = False) -> Figure:
    """Draw the scans of every look by what became of them, as bars on each other."""
    figure = new_figure(6.6, 2.4, simulated=simulated)
    axes = fitted_axes(figure, top=0.93)
    place, floor = np.arange(len(periods)), np.zeros(len(periods))
    colours = {"done": BLUE, "refused": ORANGE, "failed": INK, "waiting": GREY}
    for status, colour in colours.items():
        counts = np.array([getattr(period, status) for period in periods], dtype=np.float64)
        if counts.any():
            axes.bar(place, counts, 0.8, bottom=floor, color=colour, label=status)
        floor += counts
    _dates(axes, [period.start for period in periods])
    axes.set(ylabel="Scans", xlabel="From")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


@in_style
def drift_figure(looks: Sequence[Look], *, simulated: bool = False) -> Figure:
    """Draw how many times its usual size by chance the index of every feature is, look by look.

    A cross marks an alarm, a dot too few scans.
    """
    starts = sorted({look.start for look in looks})
    names = list(dict.fromkeys(look.feature for look in looks))
    figure = new_figure(6.6, 0.9 + 0.24 * len(names), simulated=simulated)
    axes = fitted_axes(figure, top=0.96 if simulated else 1.0)
    index = np.full((len(names), len(starts)), np.nan)
    for look in looks:
        row, column = names.index(look.feature), starts.index(look.start)
        if look.drift is None:
            axes.plot(column, row, ".", color=GREY, markersize=3)
            continue
        # Where all scans are of one category there is nothing that could be usual.
        usual = look.drift.psi_usual
        index[row, column] = look.drift.psi / usual if usual else 0.0
        if look.alarm:
            axes.plot(column, row, "x", color=INK, markersize=7, markeredgewidth=1.6)
    shades = axes.imshow(index, cmap="Oranges", vmin=0, vmax=_DARKEST, aspect="auto")
    axes.set_yticks(range(len(names)), [shortened(name) for name in names])
    axes.spines[:].set_visible(False)
    _dates(axes, starts)
    axes.set(xlabel="From")
    bar = figure.colorbar(shades, ax=axes, extend="max", fraction=0.03, pad=0.01)
    bar.set_label("Index by its usual size")
    bar.outline.set_visible(False)
    return figure


@in_style
def performance_figure(parts: Sequence[Performance], *, simulated: bool = False) -> Figure:
    """Draw observed by expected events, and the AUC, of every quarter with 95 % limits."""
    figure = new_figure(6.6, 2.5, simulated=simulated)
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.93), w_pad=0.08, h_pad=0.05)
    ratio, area = figure.subplots(1, 2)
    for axes, right, label, values in (
        (ratio, 1.0, "Events by expected", [part.ratio for part in parts]),
        (area, 0.5, "AUC", [part.auc for part in parts]),
    ):
        axes.axhline(right, color=GREY, linewidth=0.8, linestyle=DASHES[1])
        for place, value in enumerate(values):
            if value is not None and np.isfinite(value.value):
                axes.plot(place, value.value, "o", color=BLUE, markersize=4)
                axes.vlines(place, value.ci_low, value.ci_high, color=BLUE, linewidth=1.2)
        axes.set_xticks(range(len(parts)), [part.name for part in parts], rotation=30, ha="right")
        axes.set(ylabel=label, xlim=(-0.5, len(parts) - 0.5))
    ratio.set_ylim(bottom=0)
    area.set_ylim(0, 1.02)
    return figure


@in_style
def charts_figure(
    charts: Sequence[Chart], names: Sequence[str], *, simulated: bool = False
) -> Figure:
    """Draw every cumulative sum as a share of its limit; an alarm where it reaches 1.

    Parameters
    ----------
    charts : sequence of Chart
    names : sequence of str
        What each looks for, in words.
    simulated : bool
        Say so in the figure.
    """
    figure = new_figure(6.6, 2.8, simulated=simulated)
    axes = fitted_axes(figure, top=0.94)
    axes.axhline(1, color=INK, linewidth=0.9, linestyle=DASHES[1])
    for chart, name, colour, dash in zip(charts, names, COLOURS, DASHES, strict=False):
        found = chart.chart
        place = np.arange(1, found.sum.size + 1)
        axes.step(
            place, found.sum / found.limit, where="post", color=colour, linestyle=dash,
            linewidth=1.2, label=name,
        )  # fmt: skip
        if found.alarm is not None:
            height = found.sum[found.alarm] / found.limit
            axes.plot(found.alarm + 1, height, "o", color=colour, markersize=6, mec=PAPER)
    axes.set(xlabel="Outcomes, in the order in which they came", ylabel="Sum by its limit")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    return figure


def _dates(axes: Axes, starts: Sequence[Time]) -> None:
    """Name every look, or every few, by its first day."""
    every = max(1, -(-len(starts) // 14))
    shown = range(0, len(starts), every)
    names = [str(starts[place].astype("datetime64[D]")) for place in shown]
    axes.set_xticks(list(shown), names, rotation=35, ha="right")
