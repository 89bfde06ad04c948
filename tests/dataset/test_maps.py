"""A scan's map is found by its name, lies on the scan's grid voxel by voxel, or is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset.maps import find_map, read_cells
from hemocast.dicom import write_nifti
from hemocast.errors import HemocastError, MapNotAligned, MapNotFinite, NoMap
from hemocast.prepare.cells import CELLS
from hemocast.volume import Source, Stack, StackRecord, Volume

AFFINE = np.array([[-3.0, 0, 0, 72], [0, -3.0, 0, 72], [0, 0, 5.0, 0], [0, 0, 0, 1]])
SHAPE = (28, 48, 48)


@pytest.fixture
def volume() -> Volume:
    return Volume(np.zeros(SHAPE, np.float32), AFFINE, ((),) * 28, Source("array", ""))


@pytest.fixture
def stack() -> Stack:
    record = StackRecord("", "", (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0)
    return Stack(np.zeros(SHAPE, np.float32), np.ones(SHAPE, bool), AFFINE, record)


def test_it_is_found_by_name_or_is_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "sub-A_ses-01_map.nii.gz"
    path.touch()
    assert find_map(tmp_path, "sub-A_ses-01") == path
    assert find_map(path, "whatever") == path
    with pytest.raises(NoMap, match="HC506"):
        find_map(tmp_path, "sub-B_ses-01")


def test_means_over_cells_come_from_it(tmp_path: Path, volume: Volume, stack: Stack) -> None:
    values = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE) % 97
    path = tmp_path / "map.nii.gz"
    write_nifti(values, AFFINE, path, dtype=np.float32, description="SIMULATED map")
    cells, simulated = read_cells(path, volume, stack)
    assert simulated
    expected = values.reshape(14, 2, 24, 2, 24, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(cells, expected, rtol=1e-3)
    assert cells.shape == CELLS


@pytest.mark.parametrize("change", ["slices", "pixels", "shifted", "scaled", "unknown"])
def test_another_grid_is_refused(tmp_path: Path, volume: Volume, stack: Stack, change: str) -> None:
    values, affine = np.ones(SHAPE, np.float32), AFFINE.copy()
    if change == "slices":
        values = values[1:]
    elif change == "pixels":
        values = values[:, 1:]
    elif change == "shifted":
        affine[0, 3] += 1
    elif change == "scaled":
        affine[:3, :3] *= 1.01
    path = tmp_path / "map.nii.gz"
    write_nifti(values, affine, path, dtype=np.float32, sides_known=change != "unknown")
    with pytest.raises(MapNotAligned, match="HC308"):
        read_cells(path, volume, stack)


def test_gaps_and_files_that_are_none_are_refused(
    tmp_path: Path, volume: Volume, stack: Stack
) -> None:
    values = np.ones(SHAPE, np.float32)
    values[3, 4, 5] = np.nan
    path = tmp_path / "map.nii.gz"
    write_nifti(values, AFFINE, path, dtype=np.float32)
    with pytest.raises(MapNotFinite, match=r"HC309.*1 values"):
        read_cells(path, volume, stack)
    path.write_bytes(b"no image")
    with pytest.raises(HemocastError):
        read_cells(path, volume, stack)
