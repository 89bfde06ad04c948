"""The tables made from the sidecars."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hemocast.dataset.layout import Dataset
from hemocast.dataset.sidecar import Sidecar, Signs
from hemocast.dataset.tables.made import check_tables, write_tables
from hemocast.errors import TableError


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path)


def _scans(dataset: Dataset, *hours: int | None, person: str = "sub-1") -> list:
    return [
        (
            dataset.root / person / f"ses-{i:02d}" / "ct" / f"{person}_ses-{i:02d}_ct.json",
            Sidecar(
                participant_id=person,
                session=f"ses-{i:02d}",
                scan_uid=f"{person}{i}",
                acq_time=None if hour is None else datetime(1911, 1, 8, hour),
                age=71,
                sex="F",
                shape=(30, 128, 120),
                spacing_mm=(5.0, 0.9, 0.9),
                signs=Signs(blood=i > 1),
                doubts=("one", "two"),
            ),
        )
        for i, hour in enumerate(hours, start=1)
    ]


def test_a_row_says_what_the_sidecar_does(dataset: Dataset) -> None:
    assert write_tables(dataset, {"sub-1": 1}, _scans(dataset, 12, 18)) == 0
    scans = dataset.table("scans")
    assert scans["hours_from_first"].tolist() == ["0", "6"]
    assert scans["blood"].tolist() == ["0", "1"]
    assert scans["filename"].tolist()[0] == "sub-1/ses-01/ct/sub-1_ses-01_ct.nii.gz"
    assert scans["doubts"].tolist()[0] == "one; two"
    assert scans["corrected"].tolist()[0] == "n/a"
    assert dataset.table("participants").to_numpy().tolist() == [["sub-1", "71", "F"]]
    assert dataset.labels() == {"sub-1": 1}


def test_an_earlier_scan_moves_the_clock_and_a_corrected_time_counts(dataset: Dataset) -> None:
    write_tables(dataset, {}, _scans(dataset, 12, 18))
    write_tables(dataset, {}, _scans(dataset, 12, 18, 9))
    assert dataset.table("scans")["hours_from_first"].tolist() == ["3", "9", "0"]
    table = dataset.table("scans")
    table.loc[2, "acq_time"] = "1911-01-08T10:00:00"
    table.to_csv(dataset.root / "scans.tsv", sep="\t", index=False)
    write_tables(dataset, {}, _scans(dataset, 12, 18, 9))
    assert dataset.table("scans")["hours_from_first"].tolist() == ["2", "8", "0"]


def test_hours_that_a_user_knows_where_no_time_is_stay(dataset: Dataset) -> None:
    write_tables(dataset, {}, _scans(dataset, None, None))
    table = dataset.table("scans")
    assert set(table["hours_from_first"]) == {"n/a"}
    table["hours_from_first"] = ["0", "30"]
    table["acq_time"] = "some time"
    table.to_csv(dataset.root / "scans.tsv", sep="\t", index=False)
    write_tables(dataset, {}, _scans(dataset, None, None))
    assert dataset.table("scans")["hours_from_first"].tolist() == ["0", "30"]


def test_those_without_a_label_are_counted_once_each(dataset: Dataset) -> None:
    scans = [*_scans(dataset, 12, 18), *_scans(dataset, 12, person="sub-2")]
    assert write_tables(dataset, {}, scans) == 2
    assert write_tables(dataset, {"sub-2": 0}, scans) == 1
    assert write_tables(dataset, {}, scans) == 1  # the label of before stands


def test_tables_that_could_not_be_completed_are_refused_beforehand(dataset: Dataset) -> None:
    check_tables(dataset)
    (dataset.root / "scans.tsv").write_text("filename\nx\n")
    with pytest.raises(TableError, match="scan_id"):
        check_tables(dataset)
