"""The clinical record: what a dataset says of its patients, and what it cannot say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.record import VARIABLES, read_record, read_record_file, treatments_of
from hemocast.dataset import Dataset
from hemocast.errors import TableError


def write(folder: Path, **tables: str) -> Dataset:
    for name, text in tables.items():
        (folder / f"{name}.tsv").write_text(text.replace(" ", "\t"))
    return Dataset(folder)


PEOPLE = "participant_id age sex\nsub-A 70 F\nsub-B n/a M\n"
CLINICAL = "participant_id nihss treatment\nsub-B 12 antiplatelet;thrombolytic\nsub-A 3 unknown\n"


def test_rows_follow_the_patients_asked_for(tmp_path: Path) -> None:
    dataset = write(tmp_path, participants=PEOPLE, clinical=CLINICAL)
    record = read_record(dataset, ["sub-B", "sub-A", "sub-B", "sub-C"])
    names = [one.name for one in record.variables]
    age, nihss, sex = (record.values[:, names.index(x)] for x in ("age", "nihss", "sex"))
    np.testing.assert_array_equal(age, [np.nan, 70, np.nan, np.nan])
    np.testing.assert_array_equal(nihss, [12, 3, 12, np.nan])
    np.testing.assert_array_equal(sex, [1, 0, 1, np.nan])
    assert list(treatments_of(record)) == [
        "antiplatelet+thrombolytic", "unknown", "antiplatelet+thrombolytic", "unknown",
    ]  # fmt: skip


def test_tables_that_are_not_there_leave_everything_missing(tmp_path: Path) -> None:
    record = read_record(Dataset(tmp_path), ["sub-A"])
    assert record.variables == VARIABLES
    assert np.isnan(record.values).all()


@pytest.mark.parametrize(
    ("people", "clinical", "said"),
    [
        (PEOPLE.replace("70", "700"), CLINICAL, "age"),
        (PEOPLE, CLINICAL.replace("12", "severe"), "nihss"),
        (PEOPLE.replace("F", "W"), CLINICAL, "sex"),
        (PEOPLE, CLINICAL.replace("unknown", "prayer"), "treatment"),
        (PEOPLE + "sub-A 71 F\n", CLINICAL, "participants.tsv has a patient twice"),
    ],
)
def test_cells_that_cannot_be_are_refused(
    tmp_path: Path, people: str, clinical: str, said: str
) -> None:
    dataset = write(tmp_path, participants=people, clinical=clinical)
    with pytest.raises(TableError, match=said):
        read_record(dataset, ["sub-A", "sub-B"])


def test_no_treatment_is_none(tmp_path: Path) -> None:
    dataset = write(tmp_path, clinical="participant_id treatment\nsub-A none\n")
    assert list(treatments_of(read_record(dataset, ["sub-A"]))) == ["none"]


def test_one_table_or_a_dataset_serves(tmp_path: Path) -> None:
    table = tmp_path / "c.csv"
    table.write_text("participant_id,age,nihss,ward\np1,70,12,7B\n")
    record = read_record_file(table, ["p1", "p2"])
    np.testing.assert_array_equal(record.values[:, :2], [[70, 12], [np.nan, np.nan]])
    write(tmp_path, participants=PEOPLE)
    assert read_record_file(tmp_path, ["sub-A"]).values[0, 0] == 70
    table.write_text("patient,age\np1,70\n")
    with pytest.raises(TableError, match="no participant_id"):
        read_record_file(table, ["p1"])
