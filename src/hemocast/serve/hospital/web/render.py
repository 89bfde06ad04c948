"""Pages of the hospital's service: templates with everything escaped, no script at all."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse

from hemocast.report.language import Language
from hemocast.report.page import make_environment, own_page

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "static" / "hospital.css"


@cache
def _environment(language: Language) -> Environment:
    return make_environment(TEMPLATES, language)


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
