from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from hemocast.errors import NothingThere, TableError
from hemocast.papercheck import Finding
from hemocast.papercheck.printed import PAPER, findings_csv, read_printed

HEADER = "table,row,stratum,column,value,unit,ci_low,ci_high,n,count,mean_of,note\n"


def write(folder: Path, *rows: str) -> Path:
    path = folder / "table.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_reads_every_field(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "T,M,,auc,0.842,fraction,75.8,92.1,60-63,,,remark",
        "T,X,sex: male,share,72.130,percent,,,61,44,R1; R2,",
    )
    first, second = read_printed(path)
    assert first.number.text == "0.842"
    assert first.ci is not None
    assert first.ci[0].value == Fraction("0.758")
    assert (first.n, first.note, first.stratum) == ((60, 63), "remark", "")
    assert second.number.half == Fraction(1, 200_000)
    assert (second.n, second.count, second.mean_of) == ((61, 61), 44, ("R1", "R2"))
    assert second.stratum == "sex: male"


def test_what_a_number_is_a_mean_over_is_one_of_a_few_words(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    head = "table,row,column,value,unit,mean_over\n"
    path.write_text(head + "T,M,f1,78.94,percent,folds\n", encoding="utf-8")
    assert read_printed(path)[0].mean_over == "folds"
    path.write_text(head + "T,M,f1,78.94,percent,moons\n", encoding="utf-8")
    with pytest.raises(TableError, match="folds, resamples, runs, raters"):
        read_printed(path)


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("table,row,column,value,unit\nT,M,f1,78.94,percent\n", encoding="utf-8")
    assert read_printed(path)[0].n is None


def test_all_faults_at_once_by_row_and_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "T,M,,accuracy,about 70,percent,,,61,,,",
        "T,M,,ppv,170,percent,,,,,,",
        "T,M,,f1,0.7,share,,,,,,",
        "T,M,,auc,80,percent,90,70,,,,",
        "T,M,,npv,80,percent,,,63-60,,,",
        "T,M,,npv,81,percent,,,,,,",
        "T,M,,train,61.5,count,,,,,,",
        "T,M,,share,50,percent,,,,7,,",
        "T,M,,specificity,80,count,,,,,,",
    )
    with pytest.raises(TableError) as caught:
        read_printed(path)
    message = str(caught.value)
    for part in (
        "table.csv, row 2, column value",
        "row 3, column value + unit: at most 100",
        "row 4, column unit: one of",
        "row 5, column ci_low + ci_high",
        "row 6, column n: from the smaller",
        "rows 7, column table + row",
        "row 8, column value + unit: a count is a whole number",
        "row 9, column n + count",
        "row 10, column column + unit",
    ):
        assert part in message, part


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"table\n", HEADER.encode(), b'a,b\n"1,2']
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(TableError):
        read_printed(path)
    with pytest.raises(NothingThere):
        read_printed(tmp_path / "none.csv")


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="row 2, column row") as caught:
        read_printed(write(tmp_path, "T,\x1b[2J,,accuracy,50,percent,,,61,,,"))
    assert "\x1b" not in str(caught.value)


def test_what_would_take_for_ever_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="at most 20 wide"):
        read_printed(write(tmp_path, "T,M,,accuracy,50,percent,,,1-20000,,,"))
    many = [f"T,M{k},,accuracy,50,percent,,,61,,," for k in range(2001)]
    with pytest.raises(TableError, match="more than 2000 rows"):
        read_printed(write(tmp_path, *many))


def test_the_papers_table_comes_with_the_package() -> None:
    printed = read_printed(PAPER)
    assert len(printed) > 30
    assert {p.table for p in printed} >= {"Abstract", "Table 1", "Table 2", "Table 3"}


def test_findings_as_a_table() -> None:
    text = findings_csv([Finding("f1", "error", "T, M", 'a "b"', "1, 2", "So.")])
    assert text.splitlines() == [
        "code,severity,where,seen,arithmetic,sentence",
        'f1,error,"T, M","a ""b""","1, 2",So.',
    ]
