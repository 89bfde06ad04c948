"""The page of the reproduced paper and the files beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest

from hemocast.report.figures.diagrams import Step, method_figure
from hemocast.report.figures.drawing import Drawing
from hemocast.report.paper.page import PaperResult, PaperTable, paper_files

HOSTILE = "<script>alert(1)</script> 50 % & a_b {x}"


ROWS = (("C_1", "-0.2"), ("C_2", "=1+1"))


@pytest.fixture
def result() -> PaperResult:
    table = PaperTable("table1", f"Table 1. {HOSTILE}", ("Who", "AUC, %"), ROWS)
    figure = method_figure([Step("Cohort", ("4 patients",))], "SIMULATED")
    return PaperResult(
        facts=(("Patients", "4"),),
        tables=(table,),
        figures=(Drawing("figure1", figure, HOSTILE, "Figure 1. Method"),),
        limits=("Nothing here is evidence.",),
        seconds=(("simulate", 1.0),),
    )


def test_every_table_and_figure_has_its_files_and_its_place(
    result: PaperResult, html_faults: Callable[[str], list[str]]
) -> None:
    files = paper_files(result)
    assert {*files} == {
        "report.html", "tables/table1.csv", "tables/table1.tex",
        "figures/figure1.svg", "figures/figure1.png",
    }  # fmt: skip
    page = str(files["report.html"])
    assert html_faults(page) == []
    assert page.count("SIMULATED") >= 2
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    lines = str(files["tables/table1.csv"]).splitlines()
    assert list(csv.reader(lines)) == [["Who", "AUC, %"], ["C_1", "-0.2"], ["C_2", "'=1+1"]]


def test_latex_reads_no_cell_as_a_command(result: PaperResult) -> None:
    text = str(paper_files(result)["tables/table1.tex"])
    assert r"C\_1" in text
    assert r"50 \% \& a\_b \{x\}" in text


def test_a_row_with_too_few_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="table2"):
        PaperTable("table2", "t", ("a", "b"), (("1",),))
