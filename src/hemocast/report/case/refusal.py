"""The page of a scan that was refused: why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemocast.report.language import ENGLISH, Language
from hemocast.report.page import render

if TYPE_CHECKING:
    from hemocast.errors import HemocastError


def refusal_page(
    error: HemocastError, scan_id: str, notice: str, language: Language = ENGLISH
) -> str:
    """Return a self-contained page without a number.

    Parameters
    ----------
    error : HemocastError
        The refusal.
    scan_id : str
        Name of the scan; no identifier of a patient.
    notice : str
        What every output of the model must say.
    language : Language
        Of the page.
    """
    return render(
        "refusal.html",
        style="case.css",
        language=language,
        error=error,
        scan_id=scan_id,
        notice=notice,
    )
