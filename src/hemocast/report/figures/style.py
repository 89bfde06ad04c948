"""The one look of all figures: 8 point letters, thin lines, colours that stay apart in print."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK, PAPER = "#0b5c6b", "#c2570c", "#7b8794", "#14202b", "#f4f6f8"
"""Ink that stays apart in print and to colour-blind readers."""

COLOURS: Final = (BLUE, ORANGE, "#5e4fa2", "#3f7d20", GREY, INK)
"""Of curves, each with a dash of its own."""
DASHES: Final = ("-", (0, (5, 1.6)), (0, (5, 1.2, 1, 1.2)), (0, (2, 1.2)), (0, (1, 1)))

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "hemocast",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Liberation Sans", "Arial", "DejaVu Sans"],
    "font.size": 8,
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.8,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

_SIMULATED: Final = "SIMULATED data, not clinical evidence"

P = ParamSpec("P")


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw under `STYLE`."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        from matplotlib import rc_context

        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def new_figure(width: float, height: float, *, simulated: bool = False) -> Figure:
    """Return an empty figure, inches, that belongs to no global state.

    Parameters
    ----------
    width, height : float
        Inches.
    simulated : bool
        Write over its full width that its data are simulated.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    if simulated:
        figure.text(
            0.5, 0.995, _SIMULATED, ha="center", va="top", size=8, weight="bold", color=ORANGE
        )
    return figure


def figure_of(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure, inches, and one pair of axes that fill it."""
    figure = new_figure(width, height)
    return figure, figure.add_axes((0.0, 0.0, 1.0, 1.0))


def shortened(name: str, most: int = 22) -> str:
    """Cut a name that would not fit, and keep it from being read as mathematics."""
    name = " ".join(name.split()).replace("$", r"\$")
    return name if len(name) <= most else name[: most - 1] + "…"
