"""``hemocast check-paper`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.check_paper import check_paper
from hemocast.errors import NotWritable, OutputExists, TableError

pytestmark = pytest.mark.usefixtures("tables_are_listed")

app = typer.Typer()
app.command()(check_paper)
DOC = Path(__file__).parents[2] / "docs" / "how-to" / "paper-check.md"
HEADER = "table,row,column,value,unit,n\n"


@pytest.fixture(scope="module")
def paper() -> str:
    """Return what is said of the paper's own tables, on one line."""
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 5
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    "fact",
    [
        "At least 24 patients are in more than one part (39.3 % of the test part",
        "male 323 + 47 - 351 = 19, female 114 + 14 - 123 = 5; together 24",
        "39.22 %, is the macro-F1",
        "The printed mean specificity is 80.67 %; the rows give 89.42",
        "No confusion matrix of 60 to 63 cases",
        "n = 60: 28/11/17/4, 0.66 points off; n = 61: 29/12/16/4",
        "it needs n = 31 or 62",
        "78.43 % beside the printed 78.94 %",
        "613 != 611 != 609",
        "outcome: HT 231, outcome: no HT 243; Results: outcome: HT 243, outcome: no HT 231",
        "44/61 = 72.131 %",
        "78.712 to 78.722 %",
        "CTNet 75.92 %, C8 75.44 %",
        "[single-point-auc] Table 2, C6",
        "[no-matrix] Table 2, C1",
        "(90.29 + 78.00 + 92.57 + 100.0 + 70.19 + 89.62 + 94.67 + 100.0) / 8 = 89.42",
        "63.9 % = 39/61",
        "[ci-unit] Abstract, CTNet",
    ],
)
def test_the_facts_about_the_paper_are_found(paper: str, fact: str) -> None:
    assert fact in paper


def test_a_clean_table_passes_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "clean.csv"
    path.write_text(HEADER + "T,M,accuracy,90.16,percent,61\nT,M,sensitivity,95.12,percent,61\n")
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0, result.output
    assert "0 error(s), 0 warning(s)" in result.output


def test_a_bad_table_is_refused_with_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + "T,M,accuracy,x,percent,61\nT,M,f1,5,shares,61\n")
    result = CliRunner().invoke(app, [str(path)])
    assert isinstance(result.exception, TableError)
    assert result.exception.exit_code == 4
    assert "row 2, column value" in str(result.exception)
    assert "row 3, column unit" in str(result.exception)


def test_findings_are_written(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "T,M,accuracy,64.52,percent,61\n")
    result = CliRunner().invoke(app, [str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 5
    assert "impossible-share,error" in (tmp_path / "out" / "findings.csv").read_text()


def test_a_file_in_the_way_of_the_folder_is_refused_before_anything_is_checked() -> None:
    result = CliRunner().invoke(app, ["--out", str(Path(__file__))])
    assert isinstance(result.exception, NotWritable)
    assert result.output == ""


def test_a_folder_of_the_users_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "findings.csv").write_text("mine")
    result = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert isinstance(result.exception, OutputExists)
    assert result.output == ""
    assert [path.name for path in tmp_path.iterdir()] == ["findings.csv"]
    assert (tmp_path / "findings.csv").read_text() == "mine"


def test_a_second_run_replaces_its_own_findings(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for value in ("64.52", "65.57"):
        path.write_text(HEADER + f"T,M,accuracy,{value},percent,61\n")
        CliRunner().invoke(app, [str(path), "--out", str(tmp_path / "out")])
    assert (tmp_path / "out" / "findings.csv").read_text().count("\n") == 1


def test_the_documentation_shows_the_output_as_it_is() -> None:
    assert CliRunner().invoke(app, []).output in DOC.read_text(encoding="utf-8")
