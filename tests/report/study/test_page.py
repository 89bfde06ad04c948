from __future__ import annotations

from collections.abc import Callable

from hemocast.report.checklists.checklist import Flag, Statement, fill, read_checklist
from hemocast.report.paper.page import PaperTable
from hemocast.report.study.page import Picture, Study, study_files

STUDY = Study(
    simulated=True,
    methods=(Statement("split", "Division", "By <patient>."),),
    results=(),
    flags=(Flag("leakage", "high", "two in both"),),
    tables=(PaperTable("performance", "Performance", ("Metric", "Value"), (("AUC", "0.8"),)),),
    pictures=(Picture("roc", b"<svg/>", "ROC"),),
    checklists=(fill(read_checklist("claim"), (), ()),),
)


def test_pages_are_escaped_marked_and_led_to_each_other(
    html_faults: Callable[[str], list[str]],
) -> None:
    files = study_files(STUDY)
    page, lists = str(files["study.html"]), str(files["checklists.html"])
    for text in (page, lists):
        assert "SIMULATED" in text
        assert "<script" not in text
        assert html_faults(text) == []
    assert "By &lt;patient&gt;." in page
    assert 'href="checklists.html#claim"' in page
    assert 'id="claim"' in lists
    assert "Two in both." in page
    assert files["tables/performance.csv"] == "Metric,Value,simulated\nAUC,0.8,1\n"
    assert r"\caption{SIMULATED data, not clinical evidence. Perf" in str(
        files["tables/performance.tex"]
    )
    assert set(files) >= {"checklists.csv", "tables/performance.csv", "tables/performance.tex"}
