"""Pages of the hospital's service: templates with everything escaped, no script at all."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse

from hemocast.report.language import Language
from hemocast.report.page import own_page
from hemocast.report.words import RESEARCH_NOTICE
from hemocast.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "static" / "hospital.css"


@cache
def _environment(language: Language) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
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


def page(template: str, language: Language, status: int = 200, **values: object) -> HTMLResponse:
    """Fill a template.

    Parameters
    ----------
    template : str
        A file in ``templates``.
    language : Language
    status : int
        Of HTTP.
    **values
        Escaped wherever they appear.
    """
    text = _environment(language).get_template(template).render(**values)
    return HTMLResponse(text, status)


@cache
def style() -> str:
    """Give the style of all pages: that of the reports, and our own."""
    return f"{own_page().style}\n{STYLE.read_text(encoding='utf-8')}"
