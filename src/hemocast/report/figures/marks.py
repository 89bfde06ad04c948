"""What the figures of an evaluation share: their colours, and the word SIMULATED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hemocast.report.figures.style import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS: Final = (BLUE, ORANGE, "#5e4fa2", "#3f7d20", GREY, INK)
"""Told apart by colour-blind readers too, and each with a dash of its own."""
DASHES: Final = ("-", (0, (5, 1.6)), (0, (5, 1.2, 1, 1.2)), (0, (2, 1.2)), (0, (1, 1)))
SIMULATED: Final = "SIMULATED data, not clinical evidence"


def mark_simulated(figure: Figure, simulated: bool) -> None:
    """Write above a figure, over its full width, that its data are simulated."""
    if simulated:
        figure.text(
            0.5, 0.995, SIMULATED, ha="center", va="top", fontsize=8, weight="bold", color=ORANGE
        )


def shortened(name: str, most: int = 22) -> str:
    """Cut a name that would not fit, and keep it from being read as mathematics."""
    name = " ".join(name.split()).replace("$", r"\$")
    return name if len(name) <= most else name[: most - 1] + "…"
