"""Where everything lies, what is ours, and labels with every kind of fault."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from hemocast.dataset.layout import Dataset, nifti_of
from hemocast.dataset.scan_id import ScanId
from hemocast.errors import DatasetError, InUse, NothingThere, NotWritable, OutputExists, TableError

OURS = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast", "Version": "0.1"}]}


def _labels(root: Path, text: str) -> Dataset:
    (root / "labels.tsv").write_text(text)
    return Dataset(root)


def test_only_scans_with_both_files_are_there(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    for name in ("b", "a"):
        path = dataset.scan_path(ScanId(f"sub-{name}", "ses-01"))
        path.parent.mkdir(parents=True)
        path.with_name(path.name.replace(".nii.gz", ".json")).touch()
        if name == "a":
            path.touch()
    (found,) = dataset.sidecars()
    assert nifti_of(found) == dataset.scan_path(ScanId("sub-a", "ses-01"))


def test_labels_are_read_and_unknown_ones_left_out(tmp_path: Path) -> None:
    text = "participant_id\tlabel\tnote\na\t1\tx\nb\t0\ty\nc\tn/a\tz\nd\t\t\n"
    assert _labels(tmp_path, text).labels() == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("participant_id\tlabel\na\t2\n", "row 2, column label: 0 or 1, or n/a"),
        ("participant_id\tlabel\na\t1\na\t1\n", "row 3, column participant_id: every row once"),
        ("participant_id\tgrade\na\t1\n", "column label: the column is missing"),
        ("label\n1\n", "column participant_id: the column is missing"),
        ("", "is empty"),
    ],
)
def test_faults_of_labels_are_named_by_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        _labels(tmp_path, text).labels()


def test_many_labels_take_no_time(tmp_path: Path) -> None:
    """20,000 patients took minutes when every row was compared with all before it."""
    rows = "".join(f"sub-{i}\t{i % 2}\n" for i in range(20_000))
    dataset = _labels(tmp_path, "participant_id\tlabel\n" + rows)
    start = time.process_time()
    assert len(dataset.labels()) == 20_000
    assert time.process_time() - start < 2


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match=r"scans\.tsv"):
        Dataset(tmp_path).table("scans")


def test_the_simulators_version_is_told_and_is_1_where_none_is_named(tmp_path: Path) -> None:
    def version(**about: object) -> int | None:
        (tmp_path / "dataset_description.json").write_text(json.dumps(about))
        return Dataset(tmp_path).simulator_version()

    assert version(Name="Head CT") is None
    assert version(Simulated=False, SimulatorVersion=2) is None
    assert version(Simulated=True) == 1
    assert version(Simulated=True, SimulatorVersion=2) == 2
    assert version(Simulated=True, SimulatorVersion="two") == 1


def test_ours_is_proved_by_the_description_or_by_what_version_01_wrote_first(
    tmp_path: Path,
) -> None:
    dataset = Dataset(tmp_path)
    assert not dataset.is_ours()
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "sessions.tsv").write_text("scan_uid\tparticipant_id\tsession\n")
    assert dataset.is_ours()
    (tmp_path / "dataset_description.json").write_text('{"Name": "Mine"}')
    assert not dataset.is_ours()
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    assert dataset.is_ours()
    dataset.refuse_foreign()


def test_a_foreign_folder_and_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset that Hemocast made"):
        Dataset(tmp_path).refuse_foreign()
    with pytest.raises(NothingThere):
        Dataset(tmp_path / "none").refuse_foreign()


def test_writing_is_for_one_at_a_time_and_never_into_what_is_not_ours(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "new" / "deep")
    with dataset.writing(), pytest.raises(InUse), Dataset(dataset.root).writing():
        pass
    with Dataset(dataset.root).writing():  # free again, and known as its own
        (dataset.root / "participants.tsv").write_text("participant_id\n")
    dataset.check_writable()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotWritable):
        Dataset(tmp_path / "file").check_writable()
    with pytest.raises(OutputExists), Dataset(tmp_path).writing():
        pass


def test_a_dataset_of_version_01_is_taken_over_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    (tmp_path / "participants.tsv").write_text("participant_id\n")
    with Dataset(tmp_path).writing():
        assert (tmp_path / "participants.tsv").read_text() == "participant_id\n"
