"""A result to DICOM objects: the patient's own, whatever became of the scan."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from hemocast.dicom import write_nifti
from hemocast.serve.hospital.objects import _infarct, refusal_objects


def test_a_refusal_is_told_in_an_object_of_the_patients_study(
    small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (image,) = small_study(tmp_path / "s", "P1", 1)
    made = refusal_objects(image, "HC201", "HC201 Only localizers.", revision=2, lang="en")
    assert list(made) == ["capture.dcm", "fhir.json", "oru.hl7"]
    assert json.loads(made["fhir.json"])["resourceType"] == "Bundle"
    told, source = dcmread(io.BytesIO(made["capture.dcm"])), dcmread(image)
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber"):
        assert told[name].value == source[name].value
    assert source.AccessionNumber in made["oru.hl7"].decode()
    again = refusal_objects(image, "HC201", "HC201 Only localizers.", revision=2, lang="en")
    other = dcmread(io.BytesIO(again["capture.dcm"]))
    assert other.SOPInstanceUID == told.SOPInstanceUID


@pytest.mark.parametrize("sides_known", [True, False])
def test_the_infarct_comes_back_on_its_grid(tmp_path: Path, sides_known: bool) -> None:
    mask = np.zeros((2, 3, 4), bool)
    mask[1, 2, 0] = True
    affine = np.diag([-1.0, -2.0, 5.0, 1.0])
    affine[:3, 3] = 7, 8, 9
    path = tmp_path / "infarct.nii.gz"
    write_nifti(mask, affine, path, dtype="uint8", sides_known=sides_known)
    found, grid = _infarct(path.read_bytes())
    assert (found == mask).all()
    assert np.allclose(grid, affine)
