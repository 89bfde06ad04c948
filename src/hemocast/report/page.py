"""Rendering: templates with everything escaped, one file out, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from hemocast.report.words import estimate, percent, sentence
from hemocast.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """A page's own style and script, and the policy that allows these two and no other.

    Parameters
    ----------
    style, script : Markup
        Our own files; marked safe for that reason alone.
    policy : str
        A Content-Security-Policy: pictures from ``data:``, this style, this script, no network.
    """

    style: Markup
    script: Markup
    policy: str


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "estimate": estimate, "sentence": sentence}
    return environment


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def own_page(*, script: bool) -> Page:
    """Read style and script, and allow exactly these by their hashes."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    code = (TEMPLATES / "viewer.js").read_text(encoding="utf-8") if script else ""
    allowed = f"script-src {_hash(code)}" if script else "script-src 'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    return Page(Markup(style), Markup(code), policy)  # noqa: S704 - our own files


def render(template: str, *, script: bool = True, **values: object) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        A file in ``templates``.
    script : bool
        Whether the page has a viewer.
    **values
        Escaped wherever they appear, unless they are `Markup`.
    """
    return (
        _environment()
        .get_template(template)
        .render(page=own_page(script=script), version=VERSION, **values)
    )


def write_text(text: str, path: Path) -> None:
    """Write a page under a temporary name in the same folder, then rename it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
