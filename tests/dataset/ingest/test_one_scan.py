"""One scan: its folder whole or not there, and nothing of a user's removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from hemocast import files
from hemocast.anatomy.orientation import SIDES_UNKNOWN
from hemocast.config import PrepareConfig
from hemocast.dataset import Dataset
from hemocast.dataset.ingest.one_scan import Job, ingest_scan
from hemocast.dataset.ingest.sources import gather
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import read_sidecar
from hemocast.dataset.stacks import prepare_scans, scans_of
from hemocast.dicom import read_nifti, write_nifti
from hemocast.dicom.files.archive import Opened
from hemocast.errors import NotWritable
from hemocast.prepare import eligibility
from hemocast.prepare.eligibility import eligible_stack
from hemocast.simulate import Protocol, render_head

SCAN = ScanId("sub-0123456789ab", "ses-01")


@pytest.fixture
def job_of(tmp_path: Path, write_study: Callable[..., Path]) -> Callable[..., Job]:
    """Return a function that writes a study and gives the job to take it in."""

    def make(**fields: object) -> Job:
        folder = write_study(tmp_path / "s", "DOE-1", age=97, **fields)
        (candidate,) = gather(Opened(folder)).candidates
        return Job(SCAN, "scan-1", "study-1", datetime(1911, 1, 8, 12, 30, 5, 999), candidate)

    return make


def test_a_scan_and_its_sidecar_appear_together(tmp_path: Path, job_of: Callable[..., Job]) -> None:
    dataset = Dataset(tmp_path / "out")
    assert ingest_scan(job_of(), dataset) is None
    (path,) = dataset.sidecars()
    sidecar = read_sidecar(path)
    assert sidecar.scan == SCAN
    assert (sidecar.age, sidecar.sex, sidecar.acq_time) == (
        90,
        "F",
        datetime(1911, 1, 8, 12, 30, 5),
    )
    assert sidecar.scan_uid == "scan-1"
    assert sorted(p.name for p in path.parent.parent.iterdir()) == ["ct"]
    assert "DOE" not in path.read_text()


def test_a_scan_prepared_on_the_way_is_what_preparing_it_later_gives(
    tmp_path: Path, job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, config = Dataset(tmp_path / "out"), PrepareConfig(size=96, pixel_mm=2)
    assert ingest_scan(job_of(), dataset, config) is None
    (scan,) = scans_of(dataset)
    later = eligible_stack(read_nifti(scan.path), config)

    def fail(_: object) -> None:
        raise AssertionError("the brain was looked for again")

    monkeypatch.setattr(eligibility, "find_brain", fail)
    (prepared,) = prepare_scans(dataset, [scan], config)
    assert prepared.stack is not None
    assert np.array_equal(prepared.stack.frames, later.frames)
    assert np.array_equal(prepared.stack.affine, later.affine)
    assert prepared.stack.record == later.record


def test_a_scan_with_blood_enters_and_no_stack_of_it_is_kept(
    tmp_path: Path, job_of: Callable[..., Job]
) -> None:
    dataset = Dataset(tmp_path / "out")
    assert ingest_scan(job_of(clot_mm=22), dataset, PrepareConfig()) is None
    (path,) = dataset.sidecars()
    assert read_sidecar(path).signs.blood
    assert not dataset.stacks.exists()


@pytest.fixture
def lying(tmp_path: Path) -> Callable[[float], Job]:
    """Return a function that gives the job to take in a head turned by some degrees."""

    def make(degrees: float) -> Job:
        protocol = Protocol(matrix=128, rotation_degrees=(0.0, 0.0, degrees), field_mm=250.0)
        volume = render_head(8, protocol=protocol)
        path = tmp_path / "s" / "sub-DOE_ct.nii.gz"
        path.parent.mkdir()
        write_nifti(volume.hu, volume.affine, path)
        (candidate,) = gather(Opened(path.parent)).candidates
        return Job(SCAN, "scan-1", "study-1", None, candidate)

    return make


def test_a_head_that_may_lie_so_enters_without_known_sides(
    tmp_path: Path, lying: Callable[[float], Job]
) -> None:
    dataset = Dataset(tmp_path / "out")
    assert ingest_scan(lying(60.0), dataset) is None
    sidecar = read_sidecar(dataset.sidecars()[0])
    assert sidecar.signs.sides_known is False
    assert SIDES_UNKNOWN in sidecar.doubts


def test_a_head_that_lies_as_no_patient_does_is_refused(
    tmp_path: Path, lying: Callable[[float], Job]
) -> None:
    refused = ingest_scan(lying(180.0), Dataset(tmp_path / "out"))
    assert refused is not None
    assert refused.code == "HC306"


def test_a_refusal_carries_pseudonyms_alone(tmp_path: Path, job_of: Callable[..., Job]) -> None:
    dataset = Dataset(tmp_path / "out")
    refused = ingest_scan(job_of(phantom=True), dataset)
    assert refused is not None
    assert (refused.participant_id, refused.code, refused.study) == (
        SCAN.participant_id, "HC302", "study-1",
    )  # fmt: skip
    assert "DOE" not in repr(refused)
    assert not dataset.root.exists()


def test_somebodys_folder_in_its_place_is_refused_and_stays(
    tmp_path: Path, job_of: Callable[..., Job]
) -> None:
    dataset = Dataset(tmp_path / "out")
    mine = dataset.scan_path(SCAN).with_name("mask.nii.gz")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    refused = ingest_scan(job_of(), dataset)
    assert refused is not None
    assert refused.code == "HC004"
    assert [p.name for p in mine.parent.iterdir()] == ["mask.nii.gz"]
    assert not list(mine.parent.parent.glob(f"{files.TEMPORARY}*"))


def test_a_place_that_cannot_be_written_to_ends_the_run(
    tmp_path: Path, job_of: Callable[..., Job]
) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(NotWritable):
        ingest_scan(job_of(), Dataset(tmp_path / "out"))
