"""A NIfTI header as nibabel writes it, byte by byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.files.nifti import write_nifti
from hemocast.dicom.files.nifti_header import SCANNER, UNKNOWN, nifti1_header


def of_nibabel(values: np.ndarray, affine: np.ndarray, words: str, code: int = SCANNER) -> bytes:
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=code)
    image.set_qform(affine, code=code)
    image.header["descrip"] = words.encode("ascii", "replace")[:79]
    return image.to_bytes()


def turned(seed: int, mirrored: bool, shear: float) -> np.ndarray:
    """Any orientation, voxel sizes and place."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if mirrored else 1)
    affine = np.eye(4)
    affine[:3, :3] = (axes + shear * rng.normal(size=(3, 3))) * rng.uniform(0.2, 8, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    return affine


@given(
    st.integers(0, 10**6),
    st.booleans(),
    st.sampled_from([0.0, 1e-7, 1e-3]),
    st.sampled_from([UNKNOWN, SCANNER]),
)
def test_any_place_is_written_as_nibabel_does(
    seed: int, mirrored: bool, shear: float, code: int
) -> None:
    affine = turned(seed, mirrored, shear)
    values = np.zeros((3, 4, 5), np.int16)
    header = nifti1_header(values.shape, values.dtype, affine, code, "words")
    assert header == of_nibabel(values, affine, "words", code)[:352]


@pytest.mark.parametrize("axes", [(1, 1, 1), (-1, -1, 1), (-1, 1, 1), (1, 1, -1)])
def test_straight_axes_are_written_as_nibabel_does(axes: tuple[int, int, int]) -> None:
    affine = np.diag([*(np.array(axes) * (0.5, 0.5, 5.0)), 1.0])
    values = np.zeros((2, 3, 4), np.float32)
    header = nifti1_header(values.shape, values.dtype, affine, SCANNER, "")
    assert header == of_nibabel(values, affine, "")[:352]


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_is_as_nibabels(kind: str, name: str, tmp_path: Path) -> None:
    values = np.arange(60).reshape(3, 4, 5)
    words = "SIMULATED " + "x" * 100 + "ü"
    write_nifti(values, turned(1, True, 0.0), tmp_path / name, dtype=kind, description=words)
    image = nibabel.load(tmp_path / name)
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, values)
    whole = of_nibabel(values.astype(kind), turned(1, True, 0.0), words)
    if name.endswith(".nii"):
        assert (tmp_path / name).read_bytes() == whole


def test_nothing_large_is_loaded_to_write_one(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path; from hemocast.dicom import write_nifti;"
        "write_nifti(np.zeros((2, 2, 2)), np.eye(4), Path(sys.argv[1]));"
        "print({'nibabel', 'pydicom'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.nii.gz")]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert loaded == "set()\n"
