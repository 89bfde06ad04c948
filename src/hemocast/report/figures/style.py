"""Figures made for print: 8 point letters, millimetre-thin lines, SVG and PNG of 300 dpi."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK, PAPER = "#0b5c6b", "#c2570c", "#7b8794", "#14202b", "#f4f6f8"
"""Ink that stays apart in print and to colour-blind readers."""

DPI = 300

STYLE: dict[Any, Any] = {
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
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


P = ParamSpec("P")


def in_print_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw under `STYLE`."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        from matplotlib import rc_context

        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, inches, that belongs to no global state."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def figure_of(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure, inches, and one pair of axes that fill it."""
    figure = new_figure(width, height)
    return figure, figure.add_axes((0.0, 0.0, 1.0, 1.0))


def save_figure(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``NAME.svg`` and ``NAME.png``, each whole or not at all; the same figure, same bytes.

    Parameters
    ----------
    figure : Figure
        Drawn under `STYLE`.
    folder : Path
        Must be there.
    name : str
        Without suffix.

    Returns
    -------
    tuple of Path
        The SVG and the PNG.
    """
    from matplotlib import rc_context

    paths = folder / f"{name}.svg", folder / f"{name}.png"
    metadata: tuple[dict[str, Any], ...] = ({"Date": None, "Creator": None}, {"Software": None})
    with rc_context(STYLE):
        for path, facts in zip(paths, metadata, strict=True):
            handle, temporary = tempfile.mkstemp(dir=folder, suffix=path.suffix)
            os.close(handle)
            try:
                figure.savefig(temporary, dpi=DPI, metadata=facts, facecolor="white")
                Path(temporary).chmod(0o644)
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
    return paths
