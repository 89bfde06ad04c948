"""Tables as people write them: units, impossible values, unknown columns, two sources of a sign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.classical.scores import facts_of, read_patients
from hemocast.errors import NothingThere, TableError


def _table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("glucose_mmol_l", "140", "row 2, column glucose_mmol_l.*probably mg/dL"),
        ("glucose_mg_dl", "7.8", "row 2, column glucose_mg_dl.*probably mmol/L"),
        ("glucose", "140", "column glucose: a name that says the unit"),
        ("platelets", "140", "column platelets: a name that says the unit"),
        ("platelets_per_mm3", "150", "probably 10.9/L"),
        ("platelets_10e9_l", "150000", "probably per mm3"),
        ("onset_to_treatment_min", "3", "probably hours"),
        ("nihss", "43", "from 0 to 42"),
        ("nihss", "12.5", "whole number"),
        ("nihss", "=1+1", "column nihss"),
        ("age", "130", "from 0 to 120"),
        ("age", "-5", "from 0 to 120"),
        ("age", "seventy", "column age"),
        ("age", "nan", "column age"),
        ("age", "inf", "column age"),
        ("systolic_mmhg", "18", "from 40 to 320"),
        ("diabetes", "perhaps", "0 or 1"),
        ("aspects", "11", "from 0 to 10"),
        ("hypodensity", "1/3", "one of none, below_third"),
        ("treatment", "tPA", "thrombolytic"),
        ("shoe_size", "42", "another that a score asks for"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(tmp_path: Path, header: str, row: str, said: str) -> None:
    path = _table(tmp_path / "c.csv", f"participant_id,{header}", f"secret,{row}")
    with pytest.raises(TableError, match=said) as refused:
        read_patients(path)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["=cmd", "+1", "-1", "@x"])
def test_a_name_that_begins_like_a_formula_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError, match="formula"):
        read_patients(_table(tmp_path / "c.csv", "participant_id,nihss", f"{name},3"))


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = _table(tmp_path / "c.csv", "participant_id,nihss,age", "a,50,60", "a,5,600")
    with pytest.raises(TableError, match="3 fault") as refused:
        read_patients(path)
    for said in ("row 2, column nihss", "row 3, column age", "every row once"):
        assert said in str(refused.value)


def test_missing_keys_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="participant_id: the column is missing"):
        read_patients(_table(tmp_path / "c.csv", "nihss", "3"))
    with pytest.raises(NothingThere):
        read_patients(tmp_path / "none.csv")


def test_two_units_must_agree(tmp_path: Path) -> None:
    head = "participant_id,glucose_mmol_l,glucose_mg_dl"
    (row,) = read_patients(_table(tmp_path / "c.csv", head, "a,8.0,144")).rows
    assert row.facts["glucose_mmol_l"].value == 8.0
    with pytest.raises(TableError, match="say the same in their units"):
        read_patients(_table(tmp_path / "c.csv", head, "a,8.0,170"))


def test_unknown_columns_are_kept_and_likely_slips_told(tmp_path: Path) -> None:
    head = "participant_id,nihss,site,dense_arteries,AGE"
    found = read_patients(_table(tmp_path / "c.csv", head, "a,3,North,1,70"))
    assert found.others == ("site", "dense_arteries", "AGE")
    assert found.rows[0].others == {"site": "North", "dense_arteries": "1", "AGE": "70"}
    assert set(found.perhaps) == {("dense_arteries", "dense_artery"), ("AGE", "age")}
    assert "dense_artery" not in found.rows[0].facts


def test_the_record_comes_before_what_was_measured(tmp_path: Path) -> None:
    clinical = _table(
        tmp_path / "c.csv", "participant_id,nihss,dense_artery,aspects", "a,3,0,", "b,4,1,7"
    )
    signs = _table(
        tmp_path / "s.csv",
        "participant_id,scan_id,dense_artery,aspects,aspects_low,aspects_high",
        "b,b_ses-01,1,5,4,6",
        "a,a_ses-01,1,6,5,8",
    )
    a, b = read_patients(clinical, signs).rows
    assert (a.facts["dense_artery"].value, a.facts["dense_artery"].overruled) == ("no", "yes")
    measured = a.facts["aspects"]
    assert (measured.value, measured.low, measured.high, measured.measured) == (6, 5, 8, True)
    assert not b.facts["dense_artery"].measured
    assert b.facts["dense_artery"].overruled is None, "both say yes"
    assert (b.facts["aspects"].value, b.facts["aspects"].low) == (7, None)
    assert (a.scan_id, b.scan_id) == ("a_ses-01", "b_ses-01")


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("participant_id,aspects", "x,5", "participant_id of the clinical table"),
        ("participant_id,aspects,aspects_low,aspects_high", "a,5,6,7", "the value between them"),
        ("participant_id,aspects,aspects_low,aspects_high", "a,5,4,", "both ends"),
        ("participant_id,aspects", "a,50", "from 0 to 10"),
    ],
)
def test_bad_signs_are_refused(tmp_path: Path, head: str, row: str, said: str) -> None:
    clinical = _table(tmp_path / "c.csv", "participant_id,nihss", "a,3")
    with pytest.raises(TableError, match=said):
        read_patients(clinical, _table(tmp_path / "s.csv", head, row))


def test_a_dataset_gives_age_sex_treatment_and_says_simulated(tmp_path: Path) -> None:
    _table(
        tmp_path / "participants.tsv", "participant_id\tage\tsex", "sub-1\t71.5\tM", "sub-2\tn/a\tF"
    )
    clinical = _table(
        tmp_path / "clinical.tsv",
        "participant_id\ttreatment\tthrombolytic_hours\tnihss",
        "sub-1\tthrombolytic\t3.5\t12",
        "sub-2\tnone\tn/a\t4",
    )
    (tmp_path / "dataset_description.json").write_text(json.dumps({"Simulated": True}))
    found = read_patients(clinical)
    one, two = found.rows
    assert {name: one.facts[name].value for name in ("age", "sex", "onset_to_treatment_min")} == {
        "age": 71, "sex": "M", "onset_to_treatment_min": 210,
    }  # fmt: skip
    assert set(two.facts) == {"sex", "treatment", "nihss"}
    assert found.simulated


def test_values_of_one_patient_are_checked_as_a_table_is() -> None:
    facts = facts_of({"diabetes": True, "age": 70.9, "nihss": None})
    assert {name: fact.value for name, fact in facts.items()} == {"age": 70, "diabetes": "yes"}
    with pytest.raises(TableError, match="column glucos"):
        facts_of({"glucos": 5})
    with pytest.raises(TableError, match="probably mg/dL"):
        facts_of({"glucose_mmol_l": 140})
