"""Text that stands still in the air over slices is told; a head, its holder and noise are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from hemocast.dicom.deidentify.burned_in import RUN, Marks
from hemocast.dicom.deidentify.export import deidentify
from hemocast.dicom.deidentify.header import Keyed
from hemocast.dicom.header.images import read_images
from hemocast.errors import BurnedIn

LETTER = np.array([[1, 0, 0, 0, 1], [1, 1, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 1, 1],
                   [1, 0, 0, 0, 1]], bool)  # fmt: skip


def head(n_slices: int) -> np.ndarray:
    """A disc of brain in bone above a bar of plastic, with noise everywhere, whole HU."""
    y, x = np.mgrid[:128, :128]
    radius = np.hypot(y - 60, x - 64)
    hu = np.where(radius < 36, 35.0, np.where(radius < 40, 1000.0, -1000.0))
    hu[110:114, 30:98] = 60
    noise = np.random.default_rng(0).normal(0, 4, (n_slices, *hu.shape))
    return np.rint(hu + noise).astype(np.float32)


def write_text(hu: np.ndarray, slices: slice, value: float = 1000.0) -> None:
    for column in (4, 11, 18):
        hu[slices, 4:9, column : column + 5][:, LETTER] = value


def slices_told(hu: np.ndarray) -> int:
    marks = Marks()
    for frame in hu:
        marks.add(frame)
    return marks.slices


@pytest.mark.parametrize("value", [-200.0, 0.0, 1000.0, 3071.0])
def test_text_in_the_air_is_told_with_its_slices(value: float) -> None:
    hu = head(20)
    assert slices_told(hu) == 0
    write_text(hu, slice(3, 15), value)
    assert slices_told(hu) == 12


def test_text_of_too_few_slices_is_beyond_what_can_be_told() -> None:
    hu = head(20)
    write_text(hu, slice(0, RUN - 1))
    assert slices_told(hu) == 0
    write_text(hu, slice(0, RUN))
    assert slices_told(hu) == RUN


def test_metal_in_the_head_is_no_text() -> None:
    hu = head(20)
    hu[:, 60:70, 60:70] = 3071
    assert slices_told(hu) == 0


def test_slices_of_another_size_begin_anew() -> None:
    marks = Marks()
    hu = head(RUN)
    write_text(hu, slice(None))
    for frame in hu[:-1]:
        marks.add(frame)
    marks.add(hu[-1, :64, :64])
    marks.refuse()
    assert marks.slices == 0


def test_a_series_with_text_is_left_behind_whole(write: Any, scan: Any, tmp_path: Path) -> None:
    paths = write(scan(size=128, pixel=2.0, brain=True), tmp_path / "in")
    for path in paths:
        ds = pydicom.dcmread(path)
        frame = ds.pixel_array.copy()
        write_text(frame[None], slice(None), 2000)
        ds.PixelData = frame.tobytes()
        ds.save_as(path)
    keyed = Keyed(b"k" * 32, lambda _: "sub-0123456789ab", lambda _: timedelta(40000))
    report = deidentify([tmp_path / "in"], tmp_path / "out", keyed)
    (left,) = report.left_behind
    assert isinstance(left.error, BurnedIn)
    assert f"{len(paths)} slices" in str(left.error)
    assert (report.written, left.files) == (0, len(paths))
    assert list((tmp_path / "out").rglob("*.dcm")) == []


@pytest.mark.parametrize("name", ["ge_head_tilted", "phantom_tilt_plus16", "phantom_tilt0_5mm"])
def test_real_scans_give_no_alarm(name: str, unpack: Callable[[str], Path]) -> None:
    marks = Marks()
    for path in sorted(unpack(name).rglob("*.dcm")) or sorted(unpack(name).rglob("I*0")):
        marks.add_file(read_images(path))
    assert marks.slices == 0
