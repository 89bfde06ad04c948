"""Pictures of a case: the head and the heatmap at one place, and what is made again."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.stacks import ScanFile
from hemocast.dicom import read_nifti, write_nifti
from hemocast.errors import BloodPresent, MalformedFile, Unreadable
from hemocast.readers.study.create import choose_scans
from hemocast.readers.study.images import AIR, HEAT_SIZE, HEAT_STEP, PICTURE_NAME, SIZE, ImageFolder

Head = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def scan(dataset: Dataset) -> ScanFile:
    return choose_scans(dataset, None)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Keeps the prepared scans of all tests."""
    return Dataset(tmp_path_factory.mktemp("home"))


@pytest.fixture
def heatmap(scan: ScanFile, tmp_path: Path, head_hu: Head) -> Path:
    """0.02 per cm3 where the dark lesion is, on the scan's own grid."""
    hu = head_hu(40)
    z, y, x = np.nonzero(np.abs(hu - 20) < 6)
    ours = (np.abs(x - 39.5 - 40 / 2.6) < 5) & (np.abs(y - 39.5) < 5) & (np.abs(z - 14.5) < 3)
    heat = np.zeros(hu.shape, np.float32)
    heat[z[ours], y[ours], x[ours]] = 0.02
    path = tmp_path / "heatmap.nii.gz"
    write_nifti(heat, read_nifti(scan.path).affine, path, dtype=np.float32)
    return path


def test_a_heatmap_lies_where_the_scan_shows_it(
    scan: ScanFile, home: Dataset, tmp_path: Path, heatmap: Path
) -> None:
    """The dark lesion, marked as a heatmap on the scan's grid, is dark and hot at one place."""
    images = ImageFolder(home, tmp_path)
    images.make(scan, heatmap)
    pixels = images.frames(scan.scan_id)
    assert pixels.shape == (28, SIZE, SIZE)
    frames = np.frombuffer(gzip.decompress(pixels.content), "<i2").reshape(pixels.shape)
    assert frames.min() == AIR
    hot = images.heat(scan.scan_id)
    assert hot.shape == (28, HEAT_SIZE, HEAT_SIZE)
    assert hot.max() == pytest.approx(0.02 / HEAT_STEP, abs=1)
    fine = hot.repeat(2, axis=1).repeat(2, axis=2)
    assert np.median(frames[fine > 1500]) == pytest.approx(20, abs=4)
    assert np.argwhere(fine > 1500)[:, 2].mean() > SIZE / 2 + 30  # the patient's left


def test_a_frames_slice_of_the_series_shows_the_same_height(
    scan: ScanFile, home: Dataset, tmp_path: Path
) -> None:
    images = ImageFolder(home, tmp_path)
    series = images.series(scan.path)
    assert series.shape == (30, 80, 80)
    assert len(series.frame_slices) == 28
    np.testing.assert_allclose(np.diff(series.frame_slices), 1, atol=0.05)  # both of 5 mm


def test_what_is_there_is_not_made_again_but_for_an_unfinished_studys_heatmap(
    scan: ScanFile, home: Dataset, tmp_path: Path, heatmap: Path
) -> None:
    images = ImageFolder(home, tmp_path)
    assert not images.has(scan.scan_id, heat=False)
    images.make(scan)
    assert images.has(scan.scan_id, heat=False)
    assert not images.has(scan.scan_id, heat=True)
    images.make(scan, heatmap)
    first = {path: path.read_bytes() for path in images.folder.iterdir()}
    heatmap.unlink()
    images.make(scan, heatmap, renew=False)
    images.make(scan)
    assert {path: path.read_bytes() for path in images.folder.iterdir()} == first
    with pytest.raises(Unreadable):
        images.make(scan, heatmap)  # another run's, asked for again
    assert {path: path.read_bytes() for path in images.folder.iterdir()} == first


@pytest.mark.parametrize("kept", [0, 3, 1000, -1])
def test_a_picture_cut_short_is_not_there_and_made_again(
    scan: ScanFile, home: Dataset, tmp_path: Path, kept: int
) -> None:
    images = ImageFolder(home, tmp_path)
    images.make(scan)
    (path,) = images.folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    assert not images.has(scan.scan_id, heat=False)
    images.make(scan)
    assert path.read_bytes() == whole


def test_a_heatmap_that_is_none_is_refused(scan: ScanFile, home: Dataset, tmp_path: Path) -> None:
    (tmp_path / "heatmap.nii.gz").write_bytes(b"nonsense")
    with pytest.raises(MalformedFile):
        ImageFolder(home, tmp_path).make(scan, tmp_path / "heatmap.nii.gz")


def test_a_scan_that_prediction_refuses_has_no_pictures(
    dataset: Dataset, home: Dataset, tmp_path: Path
) -> None:
    images = ImageFolder(home, tmp_path)
    with pytest.raises(BloodPresent):
        images.make(choose_scans(dataset, None)[-1])
    assert not images.folder.exists()


def test_our_pictures_are_told_from_other_files(
    scan: ScanFile, home: Dataset, tmp_path: Path
) -> None:
    images = ImageFolder(home, tmp_path)
    images.make(scan)
    assert all(PICTURE_NAME.fullmatch(path.name) for path in images.folder.iterdir())
    for name in ("mine.frames.gz", "0" * 24 + ".frames", "notes.txt", "x" * 24 + ".heat.gz"):
        assert not PICTURE_NAME.fullmatch(name)
