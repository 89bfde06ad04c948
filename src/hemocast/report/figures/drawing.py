"""A drawn figure: what it shows, its files for print, and the same within a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from hemocast.report.figures.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 300


@dataclass(frozen=True)
class Drawing:
    """A figure with its name and its words.

    Parameters
    ----------
    name : str
        Its files are ``figures/NAME.svg`` and ``.png``.
    figure : Figure
        Drawn under `hemocast.report.figures.style.style()`.
    caption : str
        How to read it.
    title : str
        What it shows; "" where the caption says that.
    wide : bool
        Takes a page's whole width.
    """

    name: str
    figure: Figure
    caption: str
    title: str = ""
    wide: bool = False

    @cached_property
    def svg(self) -> str:
        """The figure as SVG: the same figure gives the same text."""
        return self._saved("svg", {"Date": None, "Creator": None}).decode("utf-8")

    @property
    def png(self) -> bytes:
        """The figure as PNG of 300 dpi."""
        return self._saved("png", {"Software": None})

    def _saved(self, kind: str, metadata: dict[str, Any]) -> bytes:
        from matplotlib import rc_context

        buffer = io.BytesIO()
        with rc_context(style()):
            self.figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata, facecolor="white")
        return buffer.getvalue()

    @property
    def inline(self) -> Markup:
        """The SVG to stand within a page, with its description for screen readers."""
        text = self.svg[self.svg.index("<svg") :]
        # The page's policy allows no style of its own to a figure: turn each into attributes.
        text = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
        text = re.sub(r' style="([^"]*)"', lambda found: _attributes(found[1]), text)
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        # Several figures share a page: their identifiers must not meet.
        text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{self.name}-", text)
        head = Markup('<svg role="img" aria-label="{}"').format(self.title or self.caption)
        return head + Markup(text[len("<svg") :])  # noqa: S704 - drawn by matplotlib from numbers


def _attributes(style: str) -> str:
    pairs = [part.split(":", 1) for part in style.split(";") if ":" in part]
    known = {name.strip(): value.strip() for name, value in pairs}
    if "font" in known:
        size, family = known.pop("font").split("px ", 1)
        known["font-size"] = size.split()[-1]
        known["font-family"] = family
    return "".join(f' {name}="{value.replace(chr(34), chr(39))}"' for name, value in known.items())


def drawing_files(drawings: Iterable[Drawing]) -> dict[str, str | bytes]:
    """Return ``figures/NAME.svg`` and ``figures/NAME.png`` of each, by their names."""
    return {
        f"figures/{drawing.name}.{end}": content
        for drawing in drawings
        for end, content in (("svg", drawing.svg), ("png", drawing.png))
    }
