"""A study as a Word document: methods, results, tables and checklists, to go on writing in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from hemocast.errors import MissingExtra
from hemocast.report.study.page import Study
from hemocast.report.words import RESEARCH_NOTICE, sentence

if TYPE_CHECKING:
    from docx.document import Document

DOCUMENT = "study.docx"
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))
"""Characters that no XML can hold."""


def require_word() -> None:
    """Refuse where python-docx is not installed.

    Raises
    ------
    MissingExtra
        It is not.
    """
    if find_spec("docx") is None:
        raise MissingExtra(
            "A Word document needs python-docx, which is not installed",
            "the extra `word`",
            'Install it with: pip install "hemocast[word]"',
        )


def study_docx(study: Study) -> bytes:
    """Return a study as a Word document (python-docx): the same words and digits as its pages.

    Parameters
    ----------
    study : Study
        What it tells; figures are not in it.

    Raises
    ------
    MissingExtra
        python-docx is not installed.
    """
    require_word()
    import docx

    document = docx.Document()
    document.core_properties.author = ""
    document.core_properties.comments = ""
    _heading(document, "One study, told from its own records", 0)
    if study.simulated:
        document.add_paragraph().add_run("SIMULATED data: not clinical evidence.").bold = True
    document.add_paragraph(RESEARCH_NOTICE)
    if study.flags:
        _heading(document, "Risk of bias that the records show by themselves", 1)
        for flag in study.flags:
            text = _clean(f"{flag.severity}: {sentence(flag.text)}")
            document.add_paragraph(text, style="List Bullet")
    for title, statements in (("Methods", study.methods), ("Results", study.results)):
        _heading(document, title, 1)
        for one in statements:
            _heading(document, one.title, 2)
            document.add_paragraph(_clean(one.text))
    for table in study.tables:
        _heading(document, table.title, 2)
        _table(document, table.columns, table.rows)
        for note in table.notes:
            document.add_paragraph(_clean(sentence(note)))
    for filled in study.checklists:
        if filled.count("does not apply") == len(filled.answers):
            continue
        _heading(document, f"{filled.checklist.name} {filled.checklist.edition}", 1)
        document.add_paragraph(f"{filled.checklist.reference}, {filled.checklist.doi}")
        rows = [
            (
                answer.item.number, answer.item.asks, answer.status,
                "; ".join(one.title for one in answer.statements),
                answer.author,
            )
            for answer in filled.answers
        ]  # fmt: skip
        _table(document, ("Item", "Asks", "Status", "Where", "Author must write"), rows)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _clean(text: str) -> str:
    return text.translate(_CONTROL)


def _heading(document: Document, text: str, level: int) -> None:
    document.add_heading(_clean(text), level)


def _table(document: Document, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=1 + len(rows), cols=len(columns), style="Light Grid")
    # Cells by number are slow in python-docx: each access walks the whole table.
    cells = iter(table._cells)
    for row in (columns, *rows):
        for text in row:
            next(cells).text = _clean(text)
