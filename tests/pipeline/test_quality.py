"""From a dataset to what its quality page shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.errors import DatasetError
from hemocast.pipeline.quality import write_quality_report

OURS = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Return a dataset of three scans without readable pictures, one of them with odd facts."""
    dataset = Dataset(tmp_path)
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    for session, fields in (
        ("ses-01", {"acq_time": "1911-01-08T12:00:00", "shape": [30, 128, 120],
                    "spacing_mm": [5.0, 0.9, 0.9], "facts": {"kvp": 120.0, "kernel": "H31s"}}),
        ("ses-02", {"acq_time": "1911-01-08T18:30:00", "facts": {"kvp": "x", "steps_mm": ["a"]}}),
        ("ses-03", {"age": "old"}),
    ):  # fmt: skip
        path = dataset.scan_path(ScanId("sub-1", session))
        path.parent.mkdir(parents=True)
        path.write_bytes(b"no picture")
        content = {"participant_id": "sub-1", "session": session, "scan_uid": session} | fields
        path.with_name(f"sub-1_{session}_ct.json").write_text(json.dumps(content))
    return dataset


def test_facts_hours_and_faults_reach_the_page(dataset: Dataset) -> None:
    page = write_quality_report(dataset).read_text(encoding="utf-8")
    assert "H31s, 120" in page
    assert "6.5" in page
    assert "The sidecar of sub-1_ses-03 is odd in: age" in page
    assert page.count("no picture: the NIfTI file could not be read") == 3


def test_a_table_that_cannot_be_read_is_told_and_costs_nothing_else(dataset: Dataset) -> None:
    (dataset.root / "quality").mkdir()
    (dataset.root / "quality" / "refused.tsv").write_bytes(b"code\tmessage\n\xff\xfe\n")
    (dataset.root / "quality" / "left_out.tsv").write_text(
        "participant_id\tsession\tseries\timages\tcode\treason\tstudy\n"
        "n/a\tn/a\tn/a\t12\tnot-dicom\tnot DICOM images\tn/a\n"
    )
    page = write_quality_report(dataset).read_text(encoding="utf-8")
    assert "quality/refused.tsv is not UTF-8 text" in page
    assert "not DICOM images" in page


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        write_quality_report(Dataset(tmp_path))
    assert not list(tmp_path.iterdir())
