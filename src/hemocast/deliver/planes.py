"""The planes of the source images, and what lies in them: every object is on the scan's own grid.

A Volume may have been straightened (gantry tilt, uneven steps); its images were not. Values are
therefore carried to each image's own plane, as its header places it, and not to the Volume's grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.anatomy.grid import bounding_box
from hemocast.prepare.resample import sampled
from hemocast.volume import Affine, BoolArray, FloatArray

if TYPE_CHECKING:
    from pydicom import Dataset

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_NEEDED = (
    "FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "Rows", "Columns", "SOPClassUID", "SOPInstanceUID",
)  # fmt: skip
_ALIKE = ("FrameOfReferenceUID", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
_HALF = 0.5


@dataclass(frozen=True, repr=False)
class Plane:
    """One source image's plane.

    Parameters
    ----------
    header : pydicom.Dataset
        Of the image.
    to_mm : ndarray of float64, shape (4, 4)
        Maps its pixel ``(column, row, 0, 1)`` to the scan's millimetres (RAS+); the third column is
        the unit vector across it.
    shape : tuple of int
        Rows and columns.
    """

    header: Dataset
    to_mm: Affine
    shape: tuple[int, int]

    @property
    def height_mm(self) -> float:
        """Where it lies along its normal."""
        return float(self.to_mm[:3, 2] @ self.to_mm[:3, 3])


def planes_of(headers: Sequence[Dataset]) -> tuple[Plane, ...]:
    """Return the planes of single-frame images on one grid; none where they are not that.

    Equations: PS3.3, C.7.6.2.1.1.
    """
    whole = all(header.get(name) not in (None, "") for header in headers for name in _NEEDED)
    if not whole or any(int(header.get("NumberOfFrames") or 1) > 1 for header in headers):
        return ()
    if any(headers[0].get(name) != header.get(name) for header in headers for name in _ALIKE):
        return ()
    return tuple(_plane(header) for header in headers)


def _plane(header: Dataset) -> Plane:
    along_row, down_column = np.reshape([float(v) for v in header.ImageOrientationPatient], (2, 3))
    row_step, column_step = (float(value) for value in header.PixelSpacing)
    to_lps = np.eye(4)
    to_lps[:3, 0] = along_row * column_step
    to_lps[:3, 1] = down_column * row_step
    to_lps[:3, 2] = np.cross(along_row, down_column)
    to_lps[:3, 3] = [float(value) for value in header.ImagePositionPatient]
    return Plane(header, _LPS_TO_RAS @ to_lps, (int(header.Rows), int(header.Columns)))


def on_planes(values: FloatArray, affine: Affine, planes: Sequence[Plane]) -> FloatArray:
    """Carry values to planes, linearly interpolated; 0 where they do not reach.

    Parameters
    ----------
    values : ndarray of float32, shape (z, y, x)
        On a grid of their own.
    affine : ndarray of float64, shape (4, 4)
        Maps its voxel ``(x, y, z, 1)`` to the scan's millimetres (RAS+).
    planes : sequence of Plane

    Returns
    -------
    ndarray of float32, shape (plane, row, column)
    """
    shape = planes[0].shape
    carried = np.zeros((len(planes), *shape), np.float32)
    if not values.any():
        return carried
    # What is not 0 alone, with a rim of 0: of thin slices the rest takes half a gigabyte.
    box = bounding_box(values != 0, (1, 1, 1))
    start = np.eye(4)
    start[:3, 3] = [part.start for part in box[::-1]]
    cut = np.ascontiguousarray(values[box])
    to_index = np.linalg.inv(affine @ start)
    for found, plane in zip(carried, planes, strict=True):
        found[...] = sampled(cut, to_index @ plane.to_mm, (1, *shape))[0]
    return carried


def mask_on_planes(mask: BoolArray, affine: Affine, planes: Sequence[Plane]) -> BoolArray:
    """Carry a mask to planes: where more than half of it is."""
    return np.asarray(on_planes(mask.astype(np.float32), affine, planes) > _HALF, np.bool_)


def spaced(planes: Sequence[Plane], least_mm: float) -> list[int]:
    """Choose planes from the first on that lie at least so far from each other."""
    chosen: list[int] = []
    for index, plane in enumerate(planes):
        before = planes[chosen[-1]].height_mm if chosen else None
        if before is None or abs(plane.height_mm - before) >= least_mm:
            chosen.append(index)
    return chosen


def outline(mask: BoolArray, most: int = 400) -> FloatArray:
    """Return the longest closed outline of a mask in a plane.

    Parameters
    ----------
    mask : ndarray of bool, shape (row, column)
        Not empty.
    most : int
        Points at most.

    Returns
    -------
    ndarray of float32, shape (point, 2)
        Column and row, as SCOORD counts them (PS3.3, C.18.6.1.1: the top left pixel's middle is at
        0.5, 0.5); the last point is the first.
    """
    from contourpy import contour_generator

    padded = np.pad(mask, 1).astype(np.float64)
    lines = [np.asarray(line) for line in contour_generator(z=padded).lines(_HALF)]
    longest = max(lines, key=len)
    step = -(-(len(longest) - 1) // (most - 1))
    points = longest[:-1:step]
    # A pixel of padding lies before the first one, whose middle is at half a pixel.
    return np.asarray(np.vstack([points, points[:1]]) - 1 + 0.5, np.float32)
