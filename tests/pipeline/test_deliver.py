"""From a DICOM folder to the objects of its study, by a real model, without any service."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from hemocast.deliver import Analysed, Refused
from hemocast.errors import NotDicom, OutputExists
from hemocast.model import Model, load_default
from hemocast.pipeline.deliver import FHIR, HL7, analyse_scan, deliver
from hemocast.simulate import Truth

pytest.importorskip("highdicom", reason="the extra 'serve' is not installed")


@pytest.fixture(scope="module")
def usual() -> Model:
    return load_default()


@pytest.fixture(scope="module")
def scan(cohort: Truth) -> Path:
    return sorted(path for path in cohort.dicom.iterdir() if path.is_dir())[0]


def files_of(scan: Path) -> list[Path]:
    return sorted(path for path in scan.rglob("*") if path.is_file())


def test_a_scan_becomes_objects_of_its_own_study(usual: Model, scan: Path, tmp_path: Path) -> None:
    result = analyse_scan(scan, usual)
    source = dcmread(files_of(scan)[0])
    names = deliver(result, tmp_path / "out")
    assert {"capture.dcm", "report.dcm", FHIR, HL7} <= {*names}
    for name in names:
        path = tmp_path / "out" / name
        if name.endswith(".dcm"):
            made = dcmread(path)
            assert made.StudyInstanceUID == source.StudyInstanceUID
            assert made.PatientID == source.PatientID
    assert source.PatientID in (tmp_path / "out" / HL7).read_text()
    assert json.loads((tmp_path / "out" / FHIR).read_text())["type"] == "transaction"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    # Again into the same folder; never into somebody's.
    deliver(result, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists):
        deliver(result, tmp_path / "mine")


def test_the_headers_are_those_of_the_slices_from_below(usual: Model, scan: Path) -> None:
    result = analyse_scan(scan, usual)
    assert isinstance(result.answer, Analysed)
    heights = [float(header.ImagePositionPatient[2]) for header in result.headers]
    assert heights == sorted(heights)
    assert len(heights) > 10
    assert result.simulated


def test_a_scan_that_is_refused_gets_a_capture_that_says_why(
    usual: Model, scan: Path, tmp_path: Path
) -> None:
    for path in files_of(scan):
        dataset = dcmread(path)
        if dataset.Modality != "CT":
            continue
        dataset.PixelData = np.full(dataset.Rows * dataset.Columns, 24, "<u2").tobytes()
        (tmp_path / "air").mkdir(exist_ok=True)
        dataset.save_as(tmp_path / "air" / path.name)
    result = analyse_scan(tmp_path / "air", usual)
    assert isinstance(result.answer, Refused)
    assert result.answer.code.startswith("HC3")
    assert deliver(result, tmp_path / "out") == ["capture.dcm", FHIR, HL7]


def test_a_folder_without_images_has_nobody_to_tell_of(usual: Model, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("no image")
    with pytest.raises(NotDicom):
        analyse_scan(tmp_path / "text", usual)
