"""The page of the reproduced paper and the files beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.report.figures.diagrams import Step, method_figure
from hemocast.report.paper.page import (
    PaperFigure,
    PaperResult,
    PaperTable,
    escape_latex,
    write_paper,
)

HOSTILE = "<script>alert(1)</script> 50 % & a_b {x}"


@pytest.fixture
def result() -> PaperResult:
    table = PaperTable("table1", f"Table 1. {HOSTILE}", ("Who", "AUC, %"), (("C_1", "84.2"),))
    figure = method_figure([Step("Cohort", ("4 patients",))], "SIMULATED")
    return PaperResult(
        facts=(("Patients", "4"),),
        tables=(table,),
        figures=(PaperFigure("figure1", "Figure 1. Method", HOSTILE, figure),),
        limits=("Nothing here is evidence.",),
        seconds=(("simulate", 1.0),),
    )


def test_every_table_and_figure_has_its_files_and_its_place(
    result: PaperResult, tmp_path: Path
) -> None:
    page = write_paper(result, tmp_path).read_text(encoding="utf-8")
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        "report.html", "tables/table1.csv", "tables/table1.tex",
        "figures/figure1.svg", "figures/figure1.png",
    }  # fmt: skip
    assert page.count("SIMULATED") >= 2
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    with (tmp_path / "tables/table1.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["Who", "AUC, %"], ["C_1", "84.2"]]


def test_latex_reads_no_cell_as_a_command(result: PaperResult, tmp_path: Path) -> None:
    write_paper(result, tmp_path)
    text = (tmp_path / "tables/table1.tex").read_text(encoding="utf-8")
    assert r"C\_1" in text
    assert r"50 \% \& a\_b \{x\}" in text
    assert escape_latex("\\") == r"\textbackslash{}"


def test_a_row_with_too_few_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="table2"):
        PaperTable("table2", "t", ("a", "b"), (("1",),))
