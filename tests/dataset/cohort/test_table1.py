"""Table 1: its rows add up, it says nothing it need not, and it survives LaTeX and HTML."""

from __future__ import annotations

import io
import warnings
from typing import cast

import pandas as pd
import pytest
from openpyxl import load_workbook

from hemocast.dataset.cohort.table1 import Table1, describe_patients, make_table1
from hemocast.errors import MissingExtra, TooFewPatients


@pytest.fixture
def patients(tables_of, cohort_rows) -> pd.DataFrame:
    rows = cohort_rows(40)
    rows["participants"][0] |= {"sex": "n/a", "site": "<b>50 % & co</b>"}
    patients = describe_patients(tables_of(**rows))
    return patients.assign(group=patients["label"].map({True: "HT", False: "no HT"}))


def _counts(made: Table1, name: str, column: str) -> dict[str, int]:
    table = made.table
    start = table.index[table["Characteristic"].str.startswith(name)][0]
    rows = table.loc[start:]
    named = rows["Characteristic"].ne("").cumsum() == 1
    return {
        level: int(cell.split()[0])
        for level, cell in zip(rows.loc[named, "Level"], rows.loc[named, column], strict=True)
    }


def test_the_rows_of_each_category_add_up_to_the_total(patients: pd.DataFrame) -> None:
    made = make_table1(patients, "group")
    for column, total in (("Overall", 40), ("HT", 20), ("no HT", 20)):
        assert made.table.loc[0, column] == str(total)
        for name in ("Sex", "Treatment", "Site"):
            assert sum(_counts(made, name, column).values()) == total
    assert _counts(made, "Treatment", "Overall") == {"thrombolytic": 13, "none": 14, "unknown": 13}
    assert _counts(made, "Sex", "Overall")["unknown"] == 1


def test_it_gives_standardised_differences_and_no_p_values(patients: pd.DataFrame) -> None:
    made = make_table1(patients, "group")
    assert list(made.table.columns) == [
        "Characteristic",
        "Level",
        "Missing",
        "Overall",
        "HT",
        "no HT",
        "SMD",
    ]
    age = made.table.set_index("Characteristic").loc["Age, years, mean (SD)"]
    values = patients.groupby("group")["age"]
    expected = (values.mean()["no HT"] - values.mean()["HT"]) / (values.var().mean() ** 0.5)
    assert float(age["SMD"]) == pytest.approx(expected, abs=6e-4)


def test_it_neither_prints_nor_warns(patients: pd.DataFrame, capsys) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_table1(patients, "group")
        make_table1(patients)
    assert capsys.readouterr() == ("", "")


def test_all_files_hold_every_row(patients: pd.DataFrame) -> None:
    made = make_table1(patients, "group", simulated=True)
    files = made.files()
    csv, html, latex = (str(files[f"table1.{kind}"]) for kind in ("csv", "html", "tex"))
    book = load_workbook(io.BytesIO(cast("bytes", files["table1.xlsx"])))
    assert len(list(book.active.rows)) == len(made.table) + 1
    assert len(pd.read_csv(io.StringIO(csv))) == len(made.table)
    assert "<b>50" not in html
    assert "&lt;b&gt;50 % &amp; co" in html
    assert r"50 \% \& co" in latex
    assert r"n (\%)" in latex
    assert "%" not in latex.replace(r"\%", ""), "a bare % would comment out the rest of its row"
    assert all("SIMULATED, not patients" in text for text in (csv, html, latex))


def test_columns_without_values_are_left_out(patients: pd.DataFrame) -> None:
    made = make_table1(patients.assign(nihss=pd.NA))
    assert not made.table["Characteristic"].str.contains("NIHSS|Glucose").any()


def test_three_groups_have_no_single_difference(patients: pd.DataFrame) -> None:
    parts = patients.assign(part=[("train", "test", "tune")[i % 3] for i in range(40)])
    columns = make_table1(parts, "part").table.columns
    assert {"train", "test", "tune"} <= set(columns)
    assert "SMD" not in columns


def test_nobody_or_somebody_without_a_group_is_refused(patients: pd.DataFrame) -> None:
    with pytest.raises(TooFewPatients):
        make_table1(patients.iloc[:0])
    with pytest.raises(TooFewPatients):
        make_table1(patients.assign(group=None), "group")


def test_without_tableone_the_extra_is_named(
    patients: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemocast.dataset.cohort.table1.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"hemocast\[cohort\]"):
        make_table1(patients, "group")
