"""Series for the benchmarks: the real GE head where it is there, and generated ones."""

from __future__ import annotations

import os
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np


def real_head(folder: Path) -> Path | None:
    """Unpack the real 28-slice GE head; None, with a line printed, where it is not there."""
    default = Path(__file__).parents[2] / "shared" / "data"
    archive = Path(os.environ.get("HEMOCAST_TEST_DATA", default)) / "ge_head_tilted.zip"
    if not archive.is_file():
        print("no ge_head_tilted.zip: set HEMOCAST_TEST_DATA to the folder that holds it")
        return None
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def generated(folder: Path, slices: int, size: int = 512, step_mm: float = 1.0) -> Path:
    """Write an egg of brain in bone as one series of uncompressed files."""
    from hemocast.dicom import CTHeader, make_uid, write_ct

    pixel = 230.0 / size
    half = (size - 1) / 2 * pixel
    y, x = np.ogrid[:size, :size]
    in_plane = ((y * pixel - half) / 85) ** 2 + ((x * pixel - half) / 70) ** 2
    heights = (np.arange(slices) - slices / 2) * step_mm
    rng = np.random.default_rng(0)
    texture = rng.normal(0, 4, (size, size))
    frames = np.empty((slices, size, size), np.float32)
    for k, height in enumerate(heights):
        radius = np.sqrt(in_plane + (height / 100) ** 2)
        frames[k] = np.where(radius < 0.9, 36, np.where(radius < 1.0, 900, -1000)) + texture
    header = CTHeader(
        "BENCHMARK", "Bench^Mark", make_uid("benchmark", slices), make_uid("series", slices),
        series_description="HEAD", acquired=datetime(2020, 1, 1), slice_thickness=step_mm,
    )  # fmt: skip
    places = np.stack([np.full(slices, -half), np.full(slices, -half), heights], axis=1)
    write_ct(frames, places, [1, 0, 0, 0, 1, 0], [pixel, pixel], header, folder)
    return folder


def simulated(folder: Path) -> Path:
    """Write a simulated head as one series: 512 x 512, 5 mm."""
    from hemocast.dicom import CTHeader, make_uid, write_ct
    from hemocast.simulate import Protocol, render_head

    volume = render_head(0, protocol=Protocol(matrix=512))
    index = np.array([[0, 0, k, 1] for k in range(len(volume.hu))])
    places = (index @ volume.affine.T)[:, :3] * [-1, -1, 1]
    pixel = volume.spacing[1:]
    header = CTHeader(
        "SIMULATED", "Simulated", make_uid("simulated"), make_uid("simulated", 1),
        image_comments="SIMULATED",
    )  # fmt: skip
    write_ct(volume.hu, places, [1, 0, 0, 0, 1, 0], pixel, header, folder)
    return folder
