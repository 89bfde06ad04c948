"""A user's tables, by the hospital's ids: what a dataset takes from them, and what stays."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from hemocast.dataset.cohort.choose import read_tables
from hemocast.dataset.layout import Dataset
from hemocast.dataset.pseudonym import participant_id
from hemocast.dataset.tables.given import take_tables
from hemocast.errors import NobodyMatched, TableError

KEY = b"k" * 32
P1, P2 = participant_id(KEY, "P1"), participant_id(KEY, "P2")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    about = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}
    (root / "dataset_description.json").write_text(json.dumps(about))
    for name, lines in {
        "participants": ("participant_id\tage\tsex\tmine", f"{P1}\t70\tF\tx", f"{P2}\tn/a\tM\ty"),
        "scans": ("participant_id\tscan_id", f"{P1}\t{P1}_ses-01", f"{P2}\t{P2}_ses-01"),
        "labels": ("participant_id\tlabel", f"{P1}\t1", f"{P2}\tn/a"),
    }.items():
        (root / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "data.key").write_text(KEY.hex())
    return root


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_column_goes_where_it_belongs_and_what_users_wrote_stays(
    dataset: Path, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "ward 7.csv",
        "patient_id,age,onset_to_first_scan_hours,label,last_imaging_hours,name",
        "P2,66,5.5,0,90,Doe",
        "P1,,7,,,Roe",
        "P9,50,1,1,2,Poe",
    )
    (taken,) = take_tables(dataset, [path])
    assert (taken.patients, taken.strangers, taken.left) == (2, 1, ("name",))
    assert str(taken).startswith("ward 7.csv: 2 patient(s) of the dataset; participants.tsv: age")
    tables = read_tables(dataset)
    assert tables.participants["age"].tolist() == [70, 66]
    assert tables.participants["mine"].tolist() == ["x", "y"]
    assert tables.clinical["onset_to_first_scan_hours"].tolist() == [7, 5.5]
    assert Dataset(dataset).labels() == {P1: 1, P2: 0}
    written = "".join(path.read_text() for path in dataset.glob("*.tsv"))
    assert not [name for name in ("Doe", "P1", "P9") if name in written]


def test_a_cell_that_says_nothing_replaces_nothing_and_notes_are_told_once(
    dataset: Path, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "c.csv", "Patient ID,age,label", "P1,n/a,HT", "P2,n/a,n/a", "P9,50,no HT"
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        take_tables(dataset, [path])
    assert read_tables(dataset).participants["age"].fillna(0).tolist() == [70, 0]
    assert Dataset(dataset).labels() == {P1: 1}
    assert [str(one.message) for one in told] == [
        "c.csv: column Patient ID was read as patient_id",
        "c.csv: column label was read as 0 for no ht, 1 for ht",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("patient_id,age", "P1,200"), "mine.csv, row 2, column age: a number from 0 to 120"),
        (("patient_id,age", "P1,60", "P1,61"), "mine.csv, row 3"),
        (("patient_id,wing", "P1,7"), "none of the columns that a dataset takes; it has wing"),
    ],
)
def test_a_table_with_faults_is_refused_before_anything_is_written(
    dataset: Path, tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    before = {path: path.read_bytes() for path in dataset.iterdir()}
    good = write(tmp_path / "good.csv", "patient_id,label", "P2,0")
    with pytest.raises(TableError, match=said):
        take_tables(dataset, [good, write(tmp_path / "mine.csv", *lines)])
    assert {path: path.read_bytes() for path in dataset.iterdir()} == before


def test_a_table_of_other_patients_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(NobodyMatched, match="0 of 1"):
        take_tables(dataset, [write(tmp_path / "l.csv", "patient_id,label", "X1,1")])
