"""The one look of all figures: 8 point letters, thin lines, colours that stay apart in print."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from hemocast.errors import MissingFont

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK, PAPER = "#0b5c6b", "#c2570c", "#7b8794", "#14202b", "#f4f6f8"
"""Ink that stays apart in print and to colour-blind readers."""

COLOURS: Final = (BLUE, ORANGE, "#5e4fa2", "#3f7d20", GREY, INK)
"""Of curves, each with a dash of its own."""
DASHES: Final = ("-", (0, (5, 1.6)), (0, (5, 1.2, 1, 1.2)), (0, (2, 1.2)), (0, (1, 1)))

LATIN: Final = ["Liberation Sans", "Arial", "Helvetica", "DejaVu Sans"]
"""What journals set figures in, or letters of the same widths; DejaVu comes with matplotlib."""

CHINESE: Final = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei", "PingFang SC",
    "Noto Serif CJK SC", "Noto Serif CJK JP",
)  # fmt: skip
"""Fonts that draw Chinese, the first installed one of which is used. Of a collection matplotlib
knows the first member alone; Noto's, the Japanese, holds the Chinese characters too."""

_WIDE_FROM: Final = 0x2E7F
_FILES: Final = ("CJK", "SourceHan", "wqy", "LiberationSans")

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "hemocast",
    "svg.fonttype": "none",
    "font.sans-serif": LATIN,
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

log = logging.getLogger(__name__)

_SIMULATED: Final = "SIMULATED data, not clinical evidence"

P = ParamSpec("P")


@functools.cache
def families() -> tuple[str, ...]:
    """Return the first installed font of `LATIN`, and of `CHINESE` if there is any."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    listed = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():
        # Matplotlib keeps its list of fonts for good: one installed later is not in it.
        if path not in listed and any(part in path for part in _FILES):
            fontManager.addfont(path)
    known = {font.name for font in fontManager.ttflist}
    first = (next((one for one in fonts if one in known), None) for fonts in (LATIN, CHINESE))
    return tuple(font for font in first if font is not None)


_changed: ContextVar[dict[Any, Any]] = ContextVar("changed")


def style() -> dict[Any, Any]:
    """Return `STYLE` with the fonts that are here, and what `restyled` changes."""
    return STYLE | {"font.family": [*families(), "sans-serif"]} | _changed.get({})


@contextmanager
def restyled(**changes: object) -> Iterator[None]:
    """Draw and save figures in a style of one's own.

    Parameters
    ----------
    **changes
        Matplotlib's settings, with ``_`` for the first ``.``: ``font_size=10``. What a figure
        draws by a colour of its own is changed on the figure, which is Matplotlib's.

    Examples
    --------
    >>> with restyled(font_size=10, axes_linewidth=1.2):  # doctest: +SKIP
    ...     for drawing in draw_evaluation(result):
    ...         drawing.figure.axes[0].set_title("Ours")
    ...         drawing.figure.savefig(f"{drawing.name}.pdf")
    """
    token = _changed.set({name.replace("_", ".", 1): value for name, value in changes.items()})
    try:
        yield
    finally:
        _changed.reset(token)


@functools.cache
def _drawn() -> frozenset[int]:
    """Characters that the fonts draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    paths = [findfont(FontProperties(family=[family])) for family in families()]
    return frozenset(code for path in paths for code in get_font(path).get_charmap())


@functools.cache
def _say_that_a_font_lacks(code: str) -> None:
    log.warning(
        "%s",
        MissingFont(
            f"No installed font draws the character {code} of a name in a figure; the figure shows "
            "such characters by their numbers",
            "a font for every script that names are written in",
            "For Chinese install one, on Debian fonts-noto-cjk, and draw the figures again",
        ),
    )


def drawable(text: str) -> str:
    """Write characters that no font draws by their Unicode numbers, "[5F20 4E09]": never boxes."""
    lacking = {char for char in text if ord(char) not in _drawn()}
    if not lacking:
        return text
    _say_that_a_font_lacks(f"U+{ord(min(lacking)):04X}")
    parts = [
        f"[{' '.join(f'{ord(char):04X}' for char in run)}]" if missing else "".join(run)
        for missing, run in itertools.groupby(text, lacking.__contains__)
    ]
    return "".join(parts)


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw under `STYLE`."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        from matplotlib import rc_context

        with rc_context(style()):
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


def fitted_axes(figure: Figure, *, top: float) -> Axes:
    """Return axes whose labels, of whatever length and font, fit into the figure below `top`."""
    figure.set_layout_engine("constrained", rect=(0, 0, 1, top), w_pad=0.05, h_pad=0.05)
    return figure.add_subplot()


def shortened(name: str, most: int = 22) -> str:
    """Cut a name that would not fit, and keep it from being read as mathematics.

    A Chinese character is as wide as two letters. Characters that no font here draws stand as their
    numbers.
    """
    name = drawable(" ".join(name.split())).replace("$", r"\$")
    widths = list(itertools.accumulate(2 if ord(char) > _WIDE_FROM else 1 for char in name))
    if not widths or widths[-1] <= most:
        return name
    return name[: sum(width < most for width in widths)] + "…"
