"""What a reader sees: the model's 28 frames with skull and scalp, the full series, the heatmap.

The frames lie where the model's frames lie, but show more of the head in smaller pixels, and CT
numbers rather than one window, so that a reader has any window.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.config import PrepareConfig
from hemocast.dataset.layout import Dataset
from hemocast.dataset.stacks import ScanFile
from hemocast.files import replacing
from hemocast.volume import Affine, Stack, Volume

SIZE = 320
PIXEL_MM = 0.7
"""224 mm wide: a head with its scalp."""

HEAT_SIZE = 160
"""Heatmaps are smooth: pixels twice as large lose nothing."""

HEAT_STEP = 1e-5
"""Log-odds per cm3 of one step of a kept heatmap."""

PICTURE_NAME = re.compile(r"([0-9a-f]{24}|\.\w+)\.(frames|heat|map)\.gz")
"""A kept picture, or what an earlier version left of one."""

AIR = -1024
HIGHEST = 3071
_GZIP_LEVEL = 1  # air and background go; more would cost seconds and save little


@dataclass(frozen=True)
class Pixels:
    """A block of pixels ready to be sent.

    Parameters
    ----------
    content : bytes
        int16 little-endian, slice by slice from inferior to superior, rows from anterior; gzipped
        where `zipped`.
    shape : tuple of int
        (slice, y, x).
    spacing_mm : tuple of float
        Of the same axes.
    zipped : bool
    frame_slices : tuple of float
        Of a series: its slice in the middle of each of the 28 frames.
    """

    content: bytes
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    zipped: bool
    frame_slices: tuple[float, ...] = ()


class ImageFolder:
    """Frames and heatmaps of a study's cases, made once.

    Parameters
    ----------
    dataset : Dataset
        Keeps the prepared scans.
    folder : Path
        Of the study. Files are named by a hash.
    """

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.folder = folder / "images"
        self._stacks = dataset.stacks
        self._config = PrepareConfig()

    def has(self, scan_id: str, *, heat: bool) -> bool:
        """Tell whether a case can be shown: its pictures are there and not cut short."""
        sizes = {"frames": SIZE, "map": HEAT_SIZE} if heat else {"frames": SIZE}
        return all(
            _holds(self._path(scan_id, kind), 2 * self._config.frames * size**2)
            for kind, size in sizes.items()
        )

    def make(self, scan: ScanFile, heatmap: Path | None = None, *, renew: bool = True) -> None:
        """Make a case's frames unless they are there, and its heatmap.

        Parameters
        ----------
        scan : ScanFile
        heatmap : Path, optional
            As ``hemocast predict`` writes it.
        renew : bool
            Make a heatmap that is there again: it may be another model's.

        Raises
        ------
        HemocastError
            The scan cannot be read or would be refused at prediction (blood, say), or the heatmap
            is no heatmap of it.
        """
        framed = self.has(scan.scan_id, heat=False)
        heated = heatmap is None or (not renew and self.has(scan.scan_id, heat=True))
        if framed and heated:
            return
        volume, stack = self._prepare(scan.path)
        if not framed:
            self._keep(scan.scan_id, "frames", frames_of(volume, stack))
        if heatmap is not None and not heated:
            self._keep(scan.scan_id, "map", heat_of(heatmap, stack))

    def frames(self, scan_id: str) -> Pixels:
        """Read a case's frames."""
        content = self._path(scan_id, "frames").read_bytes()
        spacing = (self._config.frame_mm, PIXEL_MM, PIXEL_MM)
        return Pixels(content, (self._config.frames, SIZE, SIZE), spacing, True)

    def heat(self, scan_id: str) -> NDArray[np.int16]:
        """Read a case's heatmap, shape (28, HEAT_SIZE, HEAT_SIZE), in `HEAT_STEP`."""
        content = gzip.decompress(self._path(scan_id, "map").read_bytes())
        return np.frombuffer(content, "<i2").reshape(-1, HEAT_SIZE, HEAT_SIZE)

    def series(self, scan: Path) -> Pixels:
        """Read a scan as it was acquired (tilt taken out), slices from inferior to superior.

        Raises
        ------
        HemocastError
            As `make`.
        """
        from hemocast.prepare.stack import frame_slices

        volume, stack = self._prepare(scan)
        slices = frame_slices(volume, stack.affine, stack.frames.shape).round(2)
        z, y, x = volume.hu.shape
        content = _whole(volume.hu).astype("<i2").tobytes()
        return Pixels(content, (z, y, x), volume.spacing, False, tuple(slices.tolist()))

    def _prepare(self, scan: Path) -> tuple[Volume, Stack]:
        from hemocast.dicom import read_nifti
        from hemocast.prepare.eligibility import eligible_stack

        volume = read_nifti(scan)
        return volume, eligible_stack(volume, self._config, cache=self._stacks)

    def _keep(self, scan_id: str, kind: str, pixels: NDArray[np.int16]) -> None:
        content = gzip.compress(pixels.astype("<i2").tobytes(), _GZIP_LEVEL, mtime=0)
        with replacing(self._path(scan_id, kind)) as temporary:
            temporary.write_bytes(content)

    def _path(self, scan_id: str, kind: str) -> Path:
        return self.folder / f"{hashlib.sha256(scan_id.encode()).hexdigest()[:24]}.{kind}.gz"


def _holds(path: Path, size: int) -> bool:
    """Gzip ends with the number of bytes that it unpacks to."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        return int.from_bytes(file.read(), "little") == size


def view_affine(stack: Stack, size: int) -> Affine:
    """Map pixel (x, y, frame, 1) of a view of `SIZE` x `PIXEL_MM` to scan mm (RAS+).

    Parameters
    ----------
    stack : Stack
        Gives the place of the frames; the view has the same centre.
    size : int
        Pixels across the view.
    """
    pixel = PIXEL_MM * SIZE / size
    ratio = pixel / stack.spacing[2]
    centre = (stack.frames.shape[2] - 1) / 2 - ratio * (size - 1) / 2
    to_stack = np.diag([ratio, ratio, 1.0, 1.0])
    to_stack[:2, 3] = centre
    return stack.affine @ to_stack


def frames_of(volume: Volume, stack: Stack) -> NDArray[np.int16]:
    """Sample a scan's CT numbers in the model's frames, shape (28, SIZE, SIZE); air outside it."""
    from hemocast.anatomy import Brain
    from hemocast.prepare.resample import sample_brain

    everything = Brain(np.ones(volume.hu.shape, np.bool_), 0.0)
    shape = (stack.frames.shape[0], SIZE, SIZE)
    hu, share = sample_brain(volume, everything, view_affine(stack, SIZE), shape)
    hu[share < 0.5] = AIR
    return _whole(hu)


def heat_of(path: Path, stack: Stack) -> NDArray[np.int16]:
    """Sample a heatmap file in the model's frames, shape (28, HEAT_SIZE, HEAT_SIZE).

    Raises
    ------
    HemocastError
        It is no NIfTI file of one volume of numbers.
    """
    from scipy import ndimage

    from hemocast.dicom.files.nifti import read_map

    values, affine = read_map(path)
    matrix = np.linalg.inv(affine) @ view_affine(stack, HEAT_SIZE)
    shape = (HEAT_SIZE, HEAT_SIZE, stack.frames.shape[0])
    sampled = ndimage.affine_transform(values, matrix[:3, :3], matrix[:3, 3], shape, order=1)
    limits = np.iinfo(np.int16)
    steps = np.clip(np.rint(sampled.transpose(2, 1, 0) / HEAT_STEP), limits.min, limits.max)
    kept: NDArray[np.int16] = steps.astype(np.int16)
    return kept


def _whole(hu: NDArray[np.float32]) -> NDArray[np.int16]:
    whole: NDArray[np.int16] = np.clip(np.rint(hu), AIR, HIGHEST).astype(np.int16)
    return whole
