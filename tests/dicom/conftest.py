"""A smooth head known at every point in space, and a scanner that writes it in any way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from hemocast.dicom.files.write import CTHeader, make_uid, write_ct
from hemocast.dicom.header.images import read_images
from hemocast.dicom.series.find import Series

LANDMARK = np.array([20.0, -25.0, 10.0])  # LPS mm


def head_hu(points: np.ndarray, spot: bool = True) -> np.ndarray:
    """HU of the head at points (..., 3), LPS mm: an egg of 40 HU in air, one bright spot."""
    x, y, z = np.moveaxis(points, -1, 0)
    radius = np.sqrt((x / 70) ** 2 + ((y + 5) / 85) ** 2 + (z / 75) ** 2)
    egg = -1024 + 1064 / (1 + np.exp(np.clip((radius - 0.9) * 11, -50, 50)))
    if not spot:
        return egg
    return egg + 300 * np.exp(-((points - LANDMARK) ** 2).sum(-1) / (2 * 9.0**2))


def brain_hu(points: np.ndarray) -> np.ndarray:
    """HU of a head with skin, skull and an uneven brain with ventricles at points, LPS mm."""
    x, y, z = np.moveaxis(points, -1, 0)
    # It leans: of an upright egg two slices are alike, whose order would be doubted.
    radius = np.sqrt((x / 70) ** 2 + ((y - 0.2 * z) / 85) ** 2 + (z / 75) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[radius < 1] = 36
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    hu[radius < 1] += np.random.default_rng(0).normal(0, 4, (radius < 1).sum())
    return hu.round()


@dataclass(frozen=True)
class Acquisition:
    """One way to scan the head."""

    row: tuple[float, ...] = (1, 0, 0)
    column: tuple[float, ...] = (0, 1, 0)
    size: int = 72
    pixel: float = 3.0
    heights: tuple[float, ...] = tuple(np.arange(-90.0, 91.0, 5.0))
    tilt: float = 0.0  # degrees about x; the table still moves along z
    syntax: str = "1.2.840.10008.1.2.1"
    order: int | None = None  # seed of a shuffle of the files
    study: str = "study"
    series: str = "series"
    brain: bool = False  # a brain in a skull, not the smooth egg
    header: tuple[tuple[str, Any], ...] = ()

    def with_header(self, **fields: Any) -> Acquisition:
        return replace(self, header=(*self.header, *fields.items()))

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        row, column = np.array(self.row, float), np.array(self.column, float)
        table = np.cross(row, column)
        angle = np.radians(self.tilt)
        # The gantry leans about the row axis; the slices stay stacked along the table.
        return row, np.cos(angle) * column + np.sin(angle) * table, table

    def covers(self, points: np.ndarray) -> np.ndarray:
        """Which points (..., 3) lie between the first and last slice and inside their edges."""
        half = (self.size - 1) / 2 * self.pixel
        across, down, up = np.moveaxis(points @ np.linalg.inv(np.stack(self.axes)), -1, 0)
        low, high = min(self.heights), max(self.heights)
        inside = (np.abs(across) <= half) & (np.abs(down) <= half)
        return inside & (up >= low) & (up <= high)

    def slices(self) -> tuple[np.ndarray, np.ndarray]:
        row, column, table = self.axes
        half = (self.size - 1) / 2 * self.pixel
        positions = np.stack([h * table - half * (row + column) for h in self.heights])
        index = np.arange(self.size) * self.pixel
        plane = index[:, None, None] * column + index[None, :, None] * row
        points = positions[:, None, None, :] + plane
        return (brain_hu if self.brain else head_hu)(points), positions


@pytest.fixture(scope="session")
def head() -> Callable[[np.ndarray], np.ndarray]:
    return head_hu


@pytest.fixture(scope="session")
def landmark() -> np.ndarray:
    return LANDMARK


@pytest.fixture(scope="session")
def scan() -> type[Acquisition]:
    return Acquisition


def _write(acquisition: Acquisition, folder: Path) -> list[Path]:
    frames, positions = acquisition.slices()
    row, column, _ = acquisition.axes
    names = [f"IM{i:03d}" for i in range(len(frames))]
    if acquisition.order is not None:
        names = list(np.random.default_rng(acquisition.order).permutation(names))
    fields = {
        "patient_id": "PID-77",
        "patient_name": "Planted^Name",
        "study_uid": make_uid(acquisition.study),
        "series_uid": make_uid(acquisition.study, acquisition.series),
        "series_description": "HEAD 5MM",
        **dict(acquisition.header),
    }
    return write_ct(
        frames,
        positions,
        [*row, *column],
        [acquisition.pixel, acquisition.pixel],
        CTHeader(**fields, transfer_syntax=acquisition.syntax),
        [folder / str(name) for name in names],
    )


@pytest.fixture(scope="session")
def write() -> Callable[[Acquisition, Path], list[Path]]:
    """Return a function that writes an acquisition into a folder."""
    return _write


@pytest.fixture(scope="session")
def series_of() -> Callable[[Path], Series]:
    """Return a function that takes all files of a folder as one stack, whatever they are."""

    def _series(folder: Path) -> Series:
        images = [image for path in sorted(folder.iterdir()) for image in read_images(path)]
        return Series(tuple(images))

    return _series


@pytest.fixture(scope="session")
def edit() -> Callable[..., None]:
    """Return a function that changes header fields of a DICOM file in place."""

    def _edit(path: Path, **fields: Any) -> None:
        dataset = pydicom.dcmread(path)
        for keyword, value in fields.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)
        dataset.save_as(path)

    return _edit


@pytest.fixture
def no_litter(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Point temporary folders at an empty one, and check that it is empty again afterwards."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
