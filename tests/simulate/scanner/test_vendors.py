from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

import hemocast
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.simulate import Head, Person, Protocol, build_head, scan_head
from hemocast.simulate.scanner.scan import Frames
from hemocast.simulate.scanner.vendors import VENDORS, Vendor

DCIODVFY = shutil.which("dciodvfy")


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(np.random.default_rng(3), Person(60, male=False))


def write(vendor: Vendor, frames: Frames, folder: Path, tilt: float = 0.0) -> list[Path]:
    order = slice(None, None, -1 if vendor.top_first else 1)
    header = CTHeader(
        "SIM1",
        "SIMULATED^SIM1",
        make_uid(vendor.model),
        make_uid(vendor.model, "series"),
        study_description=vendor.study_description,
        series_description=vendor.description,
        acquired=datetime(2022, 1, 2, 3, 4, 5),
        age=60,
        sex="F",
        manufacturer=vendor.manufacturer,
        model=vendor.model,
        kernel=vendor.kernel,
        kvp=vendor.kvp,
        gantry_tilt=vendor.tilt_sign * tilt,
        image_type=vendor.image_type,
        image_comments="SIMULATED - not a patient",
        signed=vendor.signed,
        intercept=vendor.intercept,
        padding=vendor.padding,
        slice_thickness=frames.thickness_mm[order],
    )
    return write_ct(
        frames.hu[order],
        frames.positions[order],
        frames.orientation,
        (frames.pixel_mm, frames.pixel_mm),
        header,
        folder,
    )


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda v: v.manufacturer)
def test_every_style_is_read_back_to_the_same_ct_numbers(vendor, head, tmp_path):
    frames = scan_head(head, Protocol(matrix=128, holder=vendor.holder))
    write(vendor, frames, tmp_path)
    volume = hemocast.read(tmp_path)
    y, x = np.indices((128, 128)) - 63.5
    inside = np.hypot(y, x) < 63
    expected = np.clip(np.rint(frames.hu), -1024, 3071)
    np.testing.assert_array_equal(volume.hu[:, inside], expected[:, inside])
    assert (volume.hu[:, 0, 0] <= -990).all()
    assert volume.source.facts["manufacturer"] == vendor.manufacturer.upper()


def test_styles_differ_as_makers_do():
    for field in ("manufacturer", "kernel", "description", "blur_mm"):
        assert len({getattr(vendor, field) for vendor in VENDORS}) >= 4
    assert {v.signed for v in VENDORS} == {v.top_first for v in VENDORS} == {True, False}
    assert {v.tilt_sign for v in VENDORS} == {-1, 1}
    assert all(vendor.model.startswith("Simulated ") for vendor in VENDORS)


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy (Debian's dicom3tools) is not installed")
@pytest.mark.parametrize("tilt", [0.0, 15.0])
@pytest.mark.parametrize("vendor", VENDORS, ids=lambda v: v.manufacturer)
def test_files_are_valid_dicom(vendor, tilt, head, tmp_path):
    frames = scan_head(head, Protocol(matrix=64, tilt_degrees=tilt, mixed=True))
    paths = write(vendor, frames, tmp_path, tilt)
    for path in (paths[0], paths[-1]):
        said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True)
        lines = (said.stdout + said.stderr).splitlines()
        assert not [line for line in lines if line.startswith("Error")]
        # Makers' own fourth value of the image type is allowed, and warned of.
        warned = [line for line in lines if line.startswith("Warning")]
        assert all("attribute <Image Type>" in line for line in warned)
        assert "CTImage" in lines


def test_padding_is_in_the_header(head, tmp_path):
    ge = VENDORS[0]
    path = write(ge, scan_head(head, Protocol(matrix=64)), tmp_path)[0]
    dataset = pydicom.dcmread(path)
    assert dataset.PixelPaddingValue == dataset.pixel_array[0, 0] == ge.padding
