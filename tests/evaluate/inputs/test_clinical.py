from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemocast.errors import TableError
from hemocast.evaluate.inputs.clinical import groupings_of, read_clinical

PEOPLE = np.array(["sub-1", "sub-2", "sub-3"], dtype=object)
SCANS = np.array(["sub-1_ses-1", "sub-2_ses-1", "sub-3_ses-1"], dtype=object)


def test_ages_and_hours_become_bands_whose_edges_belong_above() -> None:
    table = pd.DataFrame(
        {
            "age": ["59.9", "60", "80", "n/a", ""],
            "hours_from_onset": ["5.9", "6", "24", "100", "x"],
        },
        dtype=str,
    )
    groupings, unused = groupings_of(table)
    named = {one.name: one for one in groupings}
    assert named["age, years"].values == ("< 60", "60-69", ">= 80", "missing", "missing")
    hours = named["time from onset"]
    assert hours.values == ("< 6 h", "6-24 h", ">= 24 h", ">= 24 h", "missing")
    assert hours.order == ("< 6 h", "6-24 h", ">= 24 h", "missing")
    assert unused == ()


def test_treatments_that_overlap_are_groupings_of_their_own() -> None:
    table = pd.DataFrame(
        {"treatment": ["antiplatelet;thrombolytic", "none", "unknown", "antiplatelet"]}, dtype=str
    )
    groupings, unused = groupings_of(table)
    named = {one.name: one.values for one in groupings}
    assert named["antiplatelet"] == ("yes", "no", "missing", "yes")
    assert named["thrombolytic"] == ("yes", "no", "missing", "no")
    assert [text.split(":")[0] for text in unused] == ["anticoagulant", "thrombectomy"]


def test_columns_that_group_nothing_are_named_with_the_reason() -> None:
    table = pd.DataFrame(
        {"note": [f"n{i}" for i in range(40)], "center": "one", "empty": "n/a"}, dtype=str
    )
    groupings, unused = groupings_of(table)
    assert groupings == ()
    assert unused == (
        "note: 40 different values, more than 12",
        "center: the same in all scans",
        "empty: not known of any scan",
    )


def write(folder: Path, name: str, columns: dict[str, list[object]]) -> Path:
    path = folder / name
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)
    return path


def test_a_datasets_neighbors_give_age_sex_site_and_scanner(tmp_path: Path) -> None:
    people = ["sub-1", "sub-2"]
    path = write(
        tmp_path, "clinical.tsv", {"participant_id": people, "treatment": ["none", "thrombolytic"]}
    )
    write(
        tmp_path,
        "participants.tsv",
        {"participant_id": people, "age": [50, 75], "sex": ["F", "M"], "site": ["a", "b"]},
    )
    write(
        tmp_path,
        "scans.tsv",
        {
            "participant_id": people,
            "scan_id": SCANS[:2],
            "manufacturer": ["GE", "Siemens"],
            "model": ["x", "n/a"],
            "hours_from_onset": [2, 30],
        },
    )
    (tmp_path / "dataset_description.json").write_text(json.dumps({"Simulated": True}))
    found = read_clinical(path, PEOPLE, SCANS)
    named = {one.name: one.values for one in found.groupings}
    assert named == {
        "thrombolytic": ("no", "yes", "missing"),
        "sex": ("F", "M", "missing"),
        "age, years": ("< 60", "70-79", "missing"),
        "site": ("a", "b", "missing"),
        "scanner": ("GE x", "Siemens", "missing"),
        "time from onset": ("< 6 h", ">= 24 h", "missing"),
    }
    assert (found.n_unknown, found.simulated) == (1, True)


def test_bad_cells_of_the_clinical_table_are_named(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "clinical.tsv",
        {"participant_id": ["sub-1", "sub-1"], "sex": ["F", "x"], "age": [50, 500]},
    )
    with pytest.raises(TableError) as caught:
        read_clinical(path, PEOPLE, SCANS)
    for part in ("row 3, column sex", "row 3, column age", "row 3, column participant_id"):
        assert part in str(caught.value)
