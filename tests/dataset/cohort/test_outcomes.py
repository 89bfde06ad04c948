"""Every definition at once, from anybody's tables; what is not known stays unknown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hemocast.dataset.cohort.outcomes import read_outcomes
from hemocast.dataset.cohort.symptomatic import DEFINITIONS
from hemocast.errors import NothingThere, TableError, UsageError

CLINICAL = "participant_id,treatment,thrombolytic_hours,nihss\n"
LABELS = (
    "participant_id,label,ht_grade,ht_detected_hours,death_hours,major_intervention,"
    "ht_is_main_cause\n"
)
SERIES = "participant_id,hours,nihss\n"


def _answers(folder: Path, clinical: str, labels: str, series: str | None = None) -> dict:
    files = {"c.csv": clinical, "l.csv": labels} | ({"n.csv": series} if series else {})
    for name, text in files.items():
        (folder / name).write_text(text)
    nihss = folder / "n.csv" if series else None
    row = read_outcomes(folder / "c.csv", folder / "l.csv", nihss).iloc[0]
    return {name: None if pd.isna(row[name]) else row[name] for name in row.index}


def test_all_definitions_of_a_clear_case(tmp_path: Path) -> None:
    found = _answers(
        tmp_path,
        CLINICAL + "P 1,thrombolytic,2,10\n",
        LABELS + "P 1,1,PH2,20,,0,1\n",
        SERIES + "P 1,18,16\n",
    )
    assert found.pop("participant_id") == "P 1"
    assert len(found) == 7
    assert all(found.values())


def test_the_series_lies_beside_the_labels(tmp_path: Path) -> None:
    (tmp_path / "nihss.tsv").write_text("participant_id\thours\tnihss\na\t18\t16\n")
    found = _answers(tmp_path, CLINICAL + "a,none,,10\n", LABELS + "a,1,HI2,20,,0,1\n")
    assert (found["ecass_ii"], found["sits_most"], found["parenchymal_hematoma"]) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("clinical", "labels", "series", "unknown"),
    [
        ("a,thrombolytic,2,10", "a,1,PH2,20,,,", None,
         set(DEFINITIONS)),
        ("a,thrombolytic,,10", "a,1,PH2,20,,0,1", "a,18,16",
         set(DEFINITIONS)),
        ("a,thrombolytic,2,10", "a,1,PH2,,,0,1", "a,18,16",
         set(DEFINITIONS)),
        ("a,thrombolytic,2,10", "a,1,,20,,0,1", "a,18,16", {"sits_most", "parenchymal_hematoma"}),
        ("a,thrombolytic,2,10", "a,1,PH2,20,,0,", "a,18,16", {"ecass_iii", "heidelberg"}),
        ("a,,,", "a,n/a,,,,,", None,
         {"any_ht", "parenchymal_hematoma", *DEFINITIONS}),
        ("a,thrombolytic,,", "a,0,none,,,,", None, set()),
    ],
)  # fmt: skip
def test_what_depends_on_the_unknown_is_unknown(
    tmp_path: Path, clinical: str, labels: str, series: str | None, unknown: set[str]
) -> None:
    found = _answers(
        tmp_path, f"{CLINICAL}{clinical}\n", f"{LABELS}{labels}\n", series and f"{SERIES}{series}\n"
    )
    assert {name for name, answer in found.items() if answer is None} == unknown


def test_without_a_column_of_deaths_no_death_is_known(tmp_path: Path) -> None:
    clinical, series = CLINICAL + "a,thrombolytic,2,10\n", SERIES + "a,18,10\n"
    head = LABELS.replace("death_hours,", "")
    found = _answers(tmp_path, clinical, head + "a,1,PH2,20,0,1\n", series)
    assert (found["ecass_ii"], found["ninds"], found["heidelberg"]) == (None, None, False)
    with_column = _answers(tmp_path, clinical, LABELS + "a,1,PH2,20,,0,1\n", series)
    assert (with_column["ecass_ii"], with_column["ninds"]) == (False, False)


@pytest.mark.parametrize(
    ("row", "hematoma"),
    [
        ("a,1,PH1,2", True),
        ("a,1,HI2,2", False),
        ("a,0,none,", False),
        ("a,0,,", False),
        ("a,1,,2", None),
    ],
)
def test_a_hematoma_by_its_grade(tmp_path: Path, row: str, hematoma: bool | None) -> None:
    found = _answers(tmp_path, CLINICAL + "a,none,,\n", LABELS + row + ",,,\n")
    assert found["parenchymal_hematoma"] == hematoma


def test_bad_tables_are_refused(tmp_path: Path) -> None:
    good = CLINICAL + "a,none,,3\n"
    with pytest.raises(TableError, match=r"n\.csv, row 2, column participant_id"):
        _answers(tmp_path, good, LABELS + "a,0,,,,,\n", SERIES + "b,3,3\n")
    with pytest.raises(TableError, match="label 1 with a grade"):
        _answers(tmp_path, good, LABELS + "a,0,PH2,,,,\n")
    with pytest.raises(NothingThere):
        read_outcomes(tmp_path / "c.csv", tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="also given as the table of labels"):
        read_outcomes(tmp_path / "c.csv", tmp_path / "c.csv")
