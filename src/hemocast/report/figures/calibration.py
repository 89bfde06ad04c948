"""Calibration: a flexible curve, groups with intervals, and where the cases lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hemocast.evaluate.result import CalibrationPart, ModelPart
from hemocast.report.figures.style import BLUE, GREY, INK, ORANGE, in_style, new_figure
from hemocast.report.words import limits, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hemocast.stats import Estimate

_ROOM = 0.35
"""Share of the larger class's room that the other has at least, for its name."""

_WIDE = 0.5
"""Axes that would end below this show the risks there are, not 0 to 1."""


@in_style
def calibration_figure(model: ModelPart, *, simulated: bool = False) -> Figure:
    """Draw observed against predicted risk, over a histogram of both classes.

    Parameters
    ----------
    model : ModelPart
        Its calibration, labels and probabilities are drawn.
    simulated : bool
        Say so in the figure.
    """
    part = model.calibration
    end = _end(model)
    left = 0.135 if end == 1 else 0.19  # room for the digits of small risks
    figure = new_figure(3.5, 4.3, simulated=simulated)
    axes = figure.add_axes((left, 0.3, 0.97 - left, 0.655))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), label="ideal")
    if part.at.size:
        drawn = "loess curve"
        if part.low is not None and part.high is not None:
            axes.fill_between(part.at, part.low, part.high, color=BLUE, alpha=0.16, linewidth=0)
            drawn += ", 95 % band"
        axes.plot(part.at, np.clip(part.curve, 0, 1), color=BLUE, linewidth=1.4, label=drawn)
    for k, (predicted, share) in enumerate(part.groups):
        axes.plot([predicted] * 2, [share.ci_low, share.ci_high], color=INK, linewidth=0.9)
        name = None if k else "groups of equal size, 95 % CI"
        axes.plot(
            predicted, share.value, "o", color=INK, markersize=4, label=name,
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.set(xlim=(-0.015 * end, 1.015 * end), ylim=(-0.015 * end, 1.015 * end))
    axes.set(ylabel="Observed share with HT", xticklabels=[])
    axes.legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none")
    # One text per line: each keeps its right end where another font is put in its place.
    for line, words in enumerate(reversed(list(_words(part)))):
        axes.text(
            0.98, 0.02 + 0.042 * line, words, transform=axes.transAxes, ha="right",
            va="bottom", fontsize=7,
        )  # fmt: skip
    _histogram(figure.add_axes((left, 0.105, 0.97 - left, 0.165)), model, end)
    return figure


def _end(model: ModelPart) -> float:
    """Where both axes end: at 1, but for rare outcomes above nearly all risks and all groups."""
    groups = [share.ci_high for _, share in model.calibration.groups]
    end = 1.1 * max([float(np.quantile(model.probability, 0.999)), *groups])
    return end if 0 < end < _WIDE else 1.0


def _words(part: CalibrationPart) -> Iterator[str]:
    """Slope, calibration in the large and ICI, as far as they were measured."""
    known = dict(part.metrics)
    for name, title, digits in (
        ("calibration_slope", "slope", 2),
        ("calibration_in_the_large", "in the large", 2),
        ("ici", "ICI", _ici_digits(known)),
    ):
        if value := known.get(name):
            within = f" ({limits(value.ci_low, value.ci_high, digits)})"
            bounded = np.isfinite(value.ci_low)
            yield f"{title} {number(value.value, digits)}{within if bounded else ''}"


def _ici_digits(known: Mapping[str, Estimate]) -> int:
    """Three digits after the point, or two that are not 0."""
    value = known["ici"].value if "ici" in known else 1.0
    return max(3, 1 - int(np.floor(np.log10(value)))) if value > 0 else 3


def _histogram(axes: Axes, model: ModelPart, end: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    edges = np.linspace(0, end, 41)
    for group, sign, colour, name in (
        (model.label, 1, ORANGE, "HT"),
        (~model.label, -1, BLUE, "no HT"),
    ):
        counts, _ = np.histogram(np.minimum(model.probability[group], end), edges)
        axes.bar(edges[:-1] + 0.0125 * end, sign * counts, 0.021 * end, color=colour)
        axes.text(
            0.99, 0.97 if sign > 0 else 0.03, name, transform=axes.transAxes, ha="right",
            va="top" if sign > 0 else "bottom", fontsize=7, color=colour,
        )  # fmt: skip
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -_ROOM * high), max(high, -_ROOM * low))
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    beyond = " (last bar: all above, too)" if model.probability.max() > end else ""
    axes.set(xlim=(-0.015 * end, 1.015 * end), ylabel="Scans")
    axes.set_xlabel(f"Predicted probability{beyond}")
