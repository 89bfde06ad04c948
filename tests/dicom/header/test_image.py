"""Whose an image is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hemocast.dicom.header.image import Image
from hemocast.dicom.header.images import read_images


@pytest.fixture
def image(write: Any, scan: Any, tmp_path: Path) -> Image:
    return read_images(write(scan(size=4, heights=(0.0,)), tmp_path)[0])[0]


def test_two_nameless_studies_never_become_one_patient(image: Image) -> None:
    assert image.patient_key == "PID-77"
    named = replace(image, patient="Doe^Jane\x1f19310204")
    assert named.patient_key == "Doe^Jane\x1f19310204"
    nameless = replace(image, patient="\x1f")
    assert nameless.patient_key == image.study_uid
