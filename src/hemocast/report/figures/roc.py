"""ROC curves for print: models as curves with a band, readers as points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hemocast.report.figures.style import (
    COLOURS,
    DASHES,
    GREY,
    INK,
    ORANGE,
    in_style,
    new_figure,
    shortened,
)
from hemocast.report.words import limits
from hemocast.stats import Estimate, RocBand, RocCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_MOST_INSIDE = 4
"""So many curves are named inside the axes; a longer legend would hide them."""

_DISTANCES = (4, 6, 10, 15, 21, 28, 36, 45, 55, 66, 78)
_ANGLES = tuple(math.radians(turn) for turn in (-25, 25, -90, 90, 155, -155, 0, 180, -55, 55))
"""Where a reader's name may stand, points from the reader's mark; best first."""


@dataclass(frozen=True)
class RocLine:
    """A model's curve.

    Parameters
    ----------
    name : str
        For the legend.
    curve : RocCurve
        Its points.
    auc : Estimate
        For the legend.
    band : RocBand or None
        Pointwise 95 % limits.
    point : tuple of float or None
        1 - specificity and sensitivity at the threshold.
    """

    name: str
    curve: RocCurve
    auc: Estimate
    band: RocBand | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class ReaderPoint:
    """Where a reader's yes/no decisions lie.

    Parameters
    ----------
    name : str
        Written beside the point; "" for none.
    fpr, tpr : float
        1 - specificity and sensitivity.
    aided : bool
        With the model's result at hand.
    average : bool
        The mean of the readers, drawn larger.
    """

    name: str
    fpr: float
    tpr: float
    aided: bool = False
    average: bool = False


@in_style
def roc_figure(
    lines: Sequence[RocLine], points: Sequence[ReaderPoint] = (), *, simulated: bool = False
) -> Figure:
    """Draw ROC curves of models, with readers as points.

    Parameters
    ----------
    lines : sequence of RocLine
        In the order of the legend; the first has its band drawn, others only where they are few.
    points : sequence of ReaderPoint
        Unaided and aided readers, and their averages.
    simulated : bool
        Say so in the figure.
    """
    n_named = len(lines) + len({(p.aided, p.average) for p in points})
    apart = bool(points) or len(lines) > _MOST_INSIDE
    below = 0.145 * n_named if apart else 0.0
    height = 3.7 + below
    figure = new_figure(3.5, height, simulated=simulated)
    axes = figure.add_axes((0.135, (0.46 + below) / height, 0.835, 2.92 / height))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
    for line, colour, dash in zip(lines, cycle(COLOURS), cycle(DASHES), strict=False):
        _curve(axes, line, colour, dash, band=len(lines) <= 2)
    _readers(axes, points)
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")
    if not _both(points):
        _name_readers(axes, points)
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")  # noqa: RUF001 - a minus sign
    if apart:
        # Readers may lie anywhere, and many curves everywhere: the legend has its own place.
        figure.legend(loc="lower left", bbox_to_anchor=(0.1, 0))
    else:
        axes.legend(loc="lower right", frameon=True, framealpha=0.85, edgecolor="none")
    return figure


def _curve(axes: Axes, line: RocLine, colour: str, dash: object, *, band: bool) -> None:
    if band and line.band is not None:
        axes.fill_between(
            line.band.fpr, line.band.low, line.band.high, color=colour, alpha=0.14, linewidth=0
        )
    name = f"{line.name}, AUC {line.auc.value:.2f}"
    if line.auc.ci_low == line.auc.ci_low:
        name += f" ({limits(line.auc.ci_low, line.auc.ci_high, 2)})"
    axes.plot(
        line.curve.fpr, line.curve.tpr, color=colour, linewidth=1.4, linestyle=dash, label=name
    )
    if line.point is not None:
        axes.plot(*line.point, "o", color=colour, markersize=5, markeredgecolor="white", zorder=5)


def _readers(axes: Axes, points: Sequence[ReaderPoint]) -> None:
    """Open marks without the model, full ones with it; an average is a large diamond."""
    named: set[str] = set()
    for point in points:
        kind = "with the model" if point.aided else "alone" if _both(points) else ""
        who = "mean reader" if point.average else "reader"
        label = f"{who} {kind}".strip()
        axes.plot(
            point.fpr,
            point.tpr,
            marker="D" if point.average else "s" if point.aided else "o",
            linestyle="none",
            markersize=6.5 if point.average else 4,
            markeredgecolor=INK if point.average else ORANGE,
            markeredgewidth=1.1 if point.average else 0.9,
            markerfacecolor=ORANGE if point.aided else "white",
            label=None if label in named else label,
            zorder=6 if point.average else 4,
        )
        named.add(label)


def _name_readers(axes: Axes, points: Sequence[ReaderPoint]) -> None:
    """Write names beside points: the nearest place where none hides a name, a point or a curve.

    Readers at one point share a line of text; a name that has to stand apart is led to its point.
    """
    names: dict[tuple[float, float], list[str]] = {}
    for point in points:
        if point.name and not point.average:
            names.setdefault((point.fpr, point.tpr), []).append(shortened(point.name, 16))
    axes.apply_aspect()
    renderer = _renderer(axes)
    edge = axes.get_window_extent()
    taken = _along(axes)
    for place, whose in names.items():
        word = axes.annotate(
            ", ".join(whose), place, (0, 0), textcoords="offset points", fontsize=6, color=INK
        )
        for distance, angle in product(_DISTANCES, _ANGLES):
            word.set_position((distance * math.cos(angle), distance * math.sin(angle)))
            word.set(ha=_side(math.cos(angle), "left", "center", "right"))
            word.set(va=_side(math.sin(angle), "bottom", "center", "top"))
            box = word.get_window_extent(renderer)
            within = all(edge.contains(*corner) for corner in (box.min, box.max))
            if within and not box.count_overlaps(taken):
                break
        taken.append(word.get_window_extent(renderer))
        if distance > _DISTANCES[1]:
            _lead(axes, place, taken[-1])


def _renderer(axes: Axes) -> RendererAgg:
    """Measures text at the figure's own resolution; an SVG's would change that to 72 dpi."""
    from matplotlib.backends.backend_agg import RendererAgg

    figure = axes.figure
    return RendererAgg(figure.bbox.width, figure.bbox.height, figure.dpi)  # type: ignore[no-untyped-call]


def _around(middle: ArrayLike, reach: float) -> Bbox:
    """The square about a place, pixels."""
    from matplotlib.transforms import Bbox

    middle = np.asarray(middle)
    return Bbox([middle - reach, middle + reach])


def _along(axes: Axes) -> list[Bbox]:
    """Small squares along every curve, and about the points on them."""
    squares = []
    for line in axes.lines:
        path = axes.transData.transform(line.get_xydata())
        if len(path) == 1:
            squares.append(_around(path[0], 4))
        elif len(path) > 2:
            walked = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
            at = np.arange(0, walked[-1], 4)
            places = np.stack([np.interp(at, walked, part) for part in path.T], axis=1)
            squares += [_around(place, 1) for place in places]
    return squares


def _lead(axes: Axes, place: tuple[float, float], box: Bbox) -> None:
    """Draw a line from a point to the nearest part of its name."""
    x, y = axes.transData.transform(place)
    end = (min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1))
    xs, ys = zip(place, axes.transData.inverted().transform(end), strict=True)
    axes.plot(xs, ys, color=GREY, linewidth=0.4, zorder=3)


def _side(part: float, positive: str, middle: str, negative: str) -> str:
    return positive if part > 0.3 else negative if part < -0.3 else middle


def _both(points: Sequence[ReaderPoint]) -> bool:
    return len({point.aided for point in points}) == 2
