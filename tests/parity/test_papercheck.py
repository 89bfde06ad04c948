"""The paper check against tables whose truth is known."""

from pathlib import Path

from hemocast.papercheck import check, read_printed


def test_an_honest_table_with_an_average_has_no_error(reference: Path) -> None:
    found = check(read_printed(reference / "honest_average.csv"))
    assert [f.code for f in found if f.severity == "error"] == []
    assert {f.where for f in found if f.code == "mean-row"} == {"Table 2, Average"}


def test_the_papers_whole_tables_are_found_wrong_where_they_are(reference: Path) -> None:
    found = check(read_printed(reference / "paper_tables.csv"))
    wrong = {(f.code, f.where) for f in found if f.severity == "error"}
    assert {
        ("overlap", "Table 1, patients"),
        ("count-percent", "Table 1 shares, antiplatelet test"),
        ("no-matrix", "Table 2, CTNet"),
        ("mean", "Table 2, Average clinician"),
        ("macro-f1", "Table 3, Wozniak"),
        ("counts-swapped", "Abstract and Results, patients"),
    } <= wrong
    assert not any(code == "f1" and "Average" in where for code, where in wrong)
    assert sum(f.code == "all-positive" for f in found) == 1
