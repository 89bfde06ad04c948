"""The tables together: keys, times, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.dataset.cohort.choose import check_tables, read_tables
from hemocast.errors import NothingThere, TableError

A, B = {"participant_id": "sub-a"}, {"participant_id": "sub-b"}


def test_scan_times_come_from_the_first_scan_where_not_given(tables_of) -> None:
    scans = [
        A | {"scan_id": "sub-a_ses-01", "hours_from_first": 0},
        A | {"scan_id": "sub-a_ses-02", "hours_from_first": 20.5},
        B | {"scan_id": "sub-b_ses-01", "hours_from_onset": 7, "hours_from_first": 0},
    ]
    tables = tables_of(scans=scans, clinical=[A | {"onset_to_first_scan_hours": 3.5}])
    assert tables.scans["hours_from_onset"].tolist() == [3.5, 24, 7]


def test_two_times_that_disagree_are_refused(text_of) -> None:
    scan = A | {"scan_id": "sub-a_ses-01", "hours_from_first": 0, "hours_from_onset": 9}
    with pytest.raises(TableError, match=r"row 2, column hours_from_onset"):
        check_tables(text_of(scans=[scan], clinical=[A | {"onset_to_first_scan_hours": 3}]))


def test_faults_of_all_tables_come_in_one_refusal(text_of) -> None:
    text = text_of(
        participants=[A | {"age": 200, "sex": "F"}, A | {"age": 70, "sex": "w"}],
        labels=[B | {"label": 2}],
        clinical=[A | {"nihss": "many"}],
    )
    with pytest.raises(TableError) as refusal:
        check_tables(text)
    message = str(refusal.value)
    for part in (
        "participants.tsv, row 2, column age",
        "participants.tsv, row 3, column sex",
        "participants.tsv, row 3, column participant_id: every row once",
        "labels.tsv, row 2, column label: 0 or 1",
        "labels.tsv, row 2, column participant_id: a participant_id of participants.tsv",
        "clinical.tsv, row 2, column nihss",
    ):
        assert part in message
    assert "6 fault(s)" in message


def test_a_dataset_folder_is_read_without_its_optional_tables(
    tmp_path: Path, text_of, cohort_rows
) -> None:
    text = text_of(**cohort_rows(4))
    for name in ("participants", "scans", "labels"):
        text[name].to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    tables = read_tables(tmp_path)
    assert len(tables.participants) == 4
    assert len(tables.scans) == 8
    assert tables.labels["label"].tolist() == [False, True, False, True]
    assert tables.clinical.empty
    assert tables.nihss.empty
    (tmp_path / "labels.tsv").unlink()
    with pytest.raises(NothingThere, match="labels"):
        read_tables(tmp_path)
