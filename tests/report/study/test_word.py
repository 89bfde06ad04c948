from __future__ import annotations

import io
import sys

import pytest

from hemocast.errors import MissingExtra
from hemocast.report.checklists.checklist import Flag, Statement, fill, read_checklist
from hemocast.report.paper.page import PaperTable
from hemocast.report.study.page import Study
from hemocast.report.study.word import study_docx

STUDY = Study(
    simulated=True,
    methods=(Statement("split", "Division", "By patient.\x07"),),
    results=(),
    flags=(Flag("leakage", "high", "two in both"),),
    tables=(PaperTable("performance", "Performance", ("Metric", "Value"), (("AUC", "0.812"),)),),
    pictures=(),
    checklists=(fill(read_checklist("claim"), (), ()),),
)


def test_the_document_holds_what_the_page_holds() -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(study_docx(STUDY)))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    for part in ("SIMULATED", "By patient.", "Two in both.", "CLAIM 2024"):
        assert part in text
    assert [cell.text for cell in document.tables[0].rows[1].cells] == ["AUC", "0.812"]
    assert len(document.tables[1].rows) == 1 + 44


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hemocast.report.study.word.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "docx", raising=False)
    with pytest.raises(MissingExtra, match=r"hemocast\[word\]"):
        study_docx(STUDY)
