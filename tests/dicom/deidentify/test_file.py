"""One file in; a clean one out, or a refusal."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest

from hemocast.dicom.deidentify.file import clean_file, digest
from hemocast.dicom.deidentify.header import Keyed
from hemocast.errors import BurnedIn, HemocastError, MalformedFile, NoCT, TruncatedFile

KEYED = Keyed(b"k" * 32, lambda patient: "sub-0123456789ab", lambda patient: timedelta(days=9))


@pytest.fixture
def path(write: Callable[..., list[Path]], scan: Any, tmp_path: Path) -> Path:
    return write(scan(size=16, heights=(0.0,)), tmp_path)[0]


def test_the_pixels_stay_and_the_patient_goes(path: Path) -> None:
    name, content = clean_file(path, "PID-77", KEYED)
    clean, original = pydicom.dcmread(io.BytesIO(content)), pydicom.dcmread(path)
    assert clean.PixelData == original.PixelData
    assert b"PID-77" not in content
    assert b"Planted" not in content
    assert name == f"{digest(KEYED.uid(original.SOPInstanceUID))}.dcm"
    assert clean.file_meta.MediaStorageSOPInstanceUID == clean.SOPInstanceUID
    assert clean_file(path, "PID-77", KEYED) == (name, content)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"BurnedInAnnotation": "YES"}, BurnedIn),
        ({"Modality": "MR"}, NoCT),
        ({"StudyInstanceUID": ""}, MalformedFile),
    ],
)
def test_what_may_not_leave_is_refused(
    change: dict[str, Any], error: type[HemocastError], path: Path, edit: Callable[..., None]
) -> None:
    edit(path, **change)
    with pytest.raises(error):
        clean_file(path, "PID-77", KEYED)


def test_a_file_cut_off_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TruncatedFile):
        clean_file(path, "PID-77", KEYED)
