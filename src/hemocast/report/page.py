"""Rendering: templates with everything escaped, one file out, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from hemocast.report.language import ENGLISH, Language
from hemocast.report.pictures.frames import FLOOR, OPACITY, TOP
from hemocast.report.words import METRIC_TITLES, RESEARCH_NOTICE, formatted, number
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


def make_environment(folder: Path, language: Language) -> Environment:
    """Prepare templates: all they are told is escaped, and said in the language.

    Parameters
    ----------
    folder : Path
        Of the templates.
    language : Language
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "percent": language.percent,
        "told": language.told,
        "shown": language.shown,
    }
    environment.globals |= {
        "language": language,
        "version": VERSION,
        "research_notice": RESEARCH_NOTICE,
    }
    return environment


@cache
def _environment(language: Language) -> Environment:
    environment = make_environment(TEMPLATES, language)
    environment.filters |= {
        "format": formatted,
        "sentence": language.sentence,
        "told_sentence": language.told_sentence,
        "told_title": language.told_title,
    }
    environment.globals |= {
        "titles": METRIC_TITLES,
        "number": number,
        "heat_top": TOP,
        "heat_least": FLOOR * TOP,
        "heat_opacity": OPACITY,
    }
    return environment


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def content_policy(sources: Mapping[str, str]) -> str:
    """Give a Content-Security-Policy for every page of ours: it allows only what is named.

    Parameters
    ----------
    sources : mapping
        Directive -> what it allows, such as ``img-src`` -> ``data:``.
    """
    named = "".join(f"{directive} {allowed}; " for directive, allowed in sources.items())
    return f"default-src 'none'; {named}base-uri 'none'; form-action 'none'"


@cache
def own_page(style: str = "", script: str = "") -> Page:
    """Read style and script, and allow exactly these by their hashes.

    Parameters
    ----------
    style : str
        A file in ``templates`` that adds to ``style.css``, or "".
    script : str
        A file in ``templates``, or "" for a page that runs none.
    """
    styles = _read("style.css") + (_read(style) if style else "")
    code = _read(script) if script else ""
    allowed = _hash(code) if script else "'none'"
    named = {"img-src": "data:", "style-src": _hash(styles), "script-src": allowed}
    policy = content_policy(named)
    return Page(Markup(styles), Markup(code), policy)  # noqa: S704 - our own files


def render(
    template: str,
    *,
    style: str = "",
    script: str = "",
    language: Language = ENGLISH,
    **values: object,
) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        A file in ``templates``.
    style, script : str
        As for `own_page`.
    language : Language
        Of the page.
    **values
        Escaped wherever they appear, unless they are `Markup`.
    """
    page = own_page(style, script)
    return _environment(language).get_template(template).render(page=page, **values)
