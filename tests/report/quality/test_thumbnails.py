"""Three planes of a scan: the right way round, to one scale, marked when simulated."""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemocast.dicom import write_nifti
from hemocast.report.quality.thumbnails import WIDEST, Thumbnail, make_thumbnail

SPACING = (5.0, 0.9, 0.9)


def head(shape: tuple[int, int, int] = (30, 128, 120), spacing=SPACING) -> np.ndarray:
    """A skull around grey matter with a dark blob in the patient's right front, and a bright dot at
    the left."""
    axes = [(np.arange(n) - n / 2) * mm for n, mm in zip(shape, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    out = (x / 50) ** 2 + (y / 55) ** 2 + (z / 65) ** 2
    hu = np.where(out < 1, 35.0, -1000.0)
    hu[(out >= 1) & (out < 1.25)] = 1000.0
    hu[(x + 22) ** 2 + (y + 20) ** 2 < 12**2] = 4.0
    return hu.astype(np.float32)


def affine(spacing=SPACING) -> np.ndarray:
    """Voxel (x, y, z) of a `Volume` to RAS+ mm: x runs to the left, y to the back."""
    z, y, x = spacing
    return np.diag([-x, -y, z, 1.0])


def picture(address: str) -> np.ndarray:
    content = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii.gz"
    write_nifti(head(), affine(), path)
    return path


def test_a_simulated_scan_is_marked_by_its_own_word_or_anothers(scan: Path) -> None:
    plain, told = make_thumbnail(scan), make_thumbnail(scan, simulated=True)
    write_nifti(head(), affine(), scan, description="SIMULATED, not a patient")
    own = make_thumbnail(scan)
    assert (plain.simulated, told.simulated, own.simulated) == (False, False, True)
    assert told.address == own.address != plain.address


def test_no_letter_is_drawn_where_sides_are_not_known(scan: Path) -> None:
    marked = picture(make_thumbnail(scan).address).astype(float)
    bare = picture(make_thumbnail(scan, sides_known=False).address).astype(float)
    row = marked.shape[0] // 2
    # The letters stand at half height, at both ends of all three planes; no more is changed.
    assert np.abs(marked - bare)[row - 8 : row + 8].max() > 100
    assert np.abs(marked - bare)[: row - 12].max() < 25


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\x1f\x8b\x08"])
def test_a_damaged_file_costs_its_picture_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.nii.gz").write_bytes(content)
    found = make_thumbnail(tmp_path / "bad.nii.gz")
    assert found == Thumbnail(fault=found.fault)
    assert found.fault.startswith("the NIfTI file could not be read (")
    assert "bad" not in found.fault


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4, 4), (1, 40, 40)])
def test_what_is_no_volume_has_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), tmp_path / "a.nii.gz")
    assert not make_thumbnail(tmp_path / "a.nii.gz").address


def test_right_is_left_and_front_is_up(scan: Path) -> None:
    """The dark blob in the patient's right front lies at the upper left of the axial picture."""
    sheet = picture(make_thumbnail(scan).address).astype(float)
    axial = sheet[:, : sheet.shape[1] // 3]
    inside = axial[20:-20, 20:-20]
    rows, columns = np.nonzero(inside < 40)
    assert rows.mean() + 20 < sheet.shape[0] / 2
    assert columns.mean() + 20 < axial.shape[1] / 2


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)])
def test_axes_of_either_direction_give_the_same_picture(
    tmp_path: Path, flip: tuple[int, int, int]
) -> None:
    path = tmp_path / "scan.nii.gz"
    hu, matrix = head((40, 128, 120)), affine()
    write_nifti(hu, matrix, path)
    wanted = picture(make_thumbnail(path).address).astype(float)
    turn = np.diag([*flip, 1.0]).astype(float)
    turn[:3, 3] = [n - 1 if s < 0 else 0 for s, n in zip(flip, hu.shape[::-1], strict=True)]
    write_nifti(hu[:: flip[2], :: flip[1], :: flip[0]], matrix @ turn, path)
    assert np.abs(picture(make_thumbnail(path).address).astype(float) - wanted).mean() < 0.5


def test_planes_keep_their_true_proportions(tmp_path: Path) -> None:
    """The same head with slices of 5 and of 2.5 mm gives pictures of one size."""
    sizes = []
    for spacing, n in (((5.0, 0.9, 0.9), 30), ((2.5, 0.9, 0.45), 60)):
        path = tmp_path / f"{n}.nii.gz"
        shape = (n, 128, round(108 / spacing[2]))
        write_nifti(head(shape, spacing), affine(spacing), path)
        thumbnail = make_thumbnail(path)
        sizes.append((thumbnail.width, thumbnail.height))
        assert thumbnail.width <= WIDEST + 2
    assert np.abs(np.subtract(*sizes)).max() <= 4


def test_a_picture_without_bone_is_still_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "water.nii.gz"
    write_nifti(np.zeros((10, 40, 40), np.float32), affine(), path)
    assert make_thumbnail(path).address


def test_noise_does_not_make_a_picture_heavy(tmp_path: Path) -> None:
    path = tmp_path / "noise.nii.gz"
    rng = np.random.default_rng(0)
    write_nifti(
        np.where(head((30, 256, 256)) > 900, 900, rng.normal(40, 200, (30, 256, 256))),
        affine(),
        path,
    )
    start = time.process_time()
    thumbnail = make_thumbnail(path)
    assert time.process_time() - start < 3
    assert len(thumbnail.address) < 10_100
