"""A Volume's brain sampled on an upright grid without aliasing and without the skull bleeding in.

Every value is a weighted mean over brain alone: CT numbers times mask and the mask itself go
through the same linear filters and are divided at the end (normalised convolution, Knutsson &
Westin 1993, 10.1109/CVPR.1993.341081). So bone just outside does not brighten the cortex, nor
background darken it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Brain
from hemocast.anatomy.grid import bounding_box, slices_together
from hemocast.volume import Affine, FloatArray, Volume


def sample_brain(
    volume: Volume, brain: Brain, affine: Affine, shape: tuple[int, int, int]
) -> tuple[FloatArray, FloatArray]:
    """Sample a Volume's brain on another grid.

    In-plane, a finer scan is first averaged over areas of the new pixel's size. Along the frames'
    axis, scans with slices thinner than a frame are averaged over the frame's height; thicker ones
    are interpolated linearly.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    affine : ndarray of float64, shape (4, 4)
        Maps voxel ``(x, y, frame, 1)`` of the new grid to scan mm (RAS+); orthogonal columns.
    shape : tuple of int
        (frame, y, x) of the new grid.

    Returns
    -------
    hu, share : ndarray of float32, shape (frame, y, x)
        Mean CT number of the brain in each voxel (0 HU where there is none) and the share of the
        voxel that is brain, 0 to 1.
    """
    pixel = float(np.linalg.norm(affine[:3, 0]))
    height = float(np.linalg.norm(affine[:3, 2]))
    weighted, share, source = _shrink(volume, brain, pixel)
    step_mm = float(np.linalg.norm(source[:3, 2]))
    layers = max(1, int(np.ceil(height / step_mm - 1e-3)))
    total = np.zeros((2, *shape), np.float32)
    for layer in range(layers):
        place = affine.copy()
        place[:3, 3] += affine[:3, 2] * ((layer + 0.5) / layers - 0.5)
        # Nothing of the brain lies beyond its box, and much of the frames does.
        frames, rows, columns = reach(
            [(0, n - 1) for n in share.shape], np.linalg.inv(place) @ source, shape
        )
        to_source = np.linalg.inv(source) @ place
        for z in range(frames.start, frames.stop):
            cells = _Cells.around(_places(to_source, z, rows, columns), share.shape)
            for field, level in zip((weighted, share), total[:, z, rows, columns], strict=True):
                level += cells.interpolate(field)
    hu, part = total / np.float32(layers)
    np.divide(hu, part, out=hu, where=part > 1e-3)
    hu[part <= 1e-3] = 0
    return hu, part


def sampled(values: FloatArray, to_index: Affine, shape: tuple[int, ...]) -> FloatArray:
    """Sample an array linearly on another grid.

    Parameters
    ----------
    values : ndarray of float32, shape (z, y, x)
        What is sampled; its outermost voxels reach to their own ends, beyond is 0.
    to_index : ndarray of float64, shape (4, 4)
        Maps a place ``(x, y, z, 1)`` of the new grid to a voxel of the array, in the same order.
    shape : tuple of int
        Of the new grid, (z, y, x).
    """
    found = np.empty(shape, np.float32)
    everywhere = [slice(0, n) for n in shape[1:]]
    for z, level in enumerate(found):
        places = _places(to_index, z, *everywhere)
        level[...] = _Cells.around(places, values.shape).interpolate(values)
        for at, length in zip(places, values.shape, strict=True):
            level[(at < -0.5) | (at >= length - 0.5)] = 0
    return found


def reach(
    ends: Sequence[tuple[float, float]], to_grid: NDArray[np.floating[Any]], shape: Sequence[int]
) -> tuple[slice, slice, slice]:
    """Give the part of a grid that a box of another array reaches.

    Parameters
    ----------
    ends : sequence of (float, float)
        First and last voxel of the box, along z, y and x of the array.
    to_grid : ndarray of float64, shape (4, 4)
        Maps a voxel ``(x, y, z, 1)`` of the array to one of the grid, in the same order.
    shape : sequence of int
        Of the grid, (z, y, x).
    """
    corners = np.array(list(product(*ends)))
    # Affines take (x, y, z), arrays are indexed (z, y, x): rows and columns are reversed.
    reached = corners @ to_grid[2::-1, 2::-1].T + to_grid[2::-1, 3]
    low = np.clip(np.floor(reached.min(0)), 0, shape).astype(int)
    high = np.clip(np.ceil(reached.max(0)) + 1, 0, shape).astype(int)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return z, y, x


def _places(to_index: Affine, z: int, rows: slice, columns: slice) -> list[FloatArray]:
    """Give where some pixels of slice `z` of a grid lie in an array: its z, its y, its x."""
    y = np.arange(rows.start, rows.stop)[:, None]
    x = np.arange(columns.start, columns.stop)
    return [(r[0] * x + (r[1] * y + (r[2] * z + r[3]))).astype(np.float32) for r in to_index[2::-1]]


@dataclass(frozen=True)
class _Cells:
    """The eight voxels around each of many places, to interpolate between them.

    Parameters
    ----------
    first : ndarray of int
        Number of the first voxel, counted through the array.
    steps : tuple of (int, int), one for each axis
        From it to the next one along z, y and x.
    parts : tuple of ndarray of float32
        How far along each axis the place lies, 0 to 1.
    """

    first: NDArray[np.intp]
    steps: tuple[tuple[int, int], ...]
    parts: tuple[FloatArray, ...]

    @classmethod
    def around(cls, places: list[FloatArray], shape: tuple[int, ...]) -> _Cells:
        """Find them in an array of this shape, its ends prolonged."""
        first = np.zeros(places[0].shape, np.int32)
        steps, parts = [], []
        strides = (shape[1] * shape[2], shape[2], 1)
        for at, length, stride in zip(places, shape, strides, strict=True):
            part = np.clip(at, 0, length - 1)
            low = np.minimum(part.astype(np.int32), max(length - 2, 0))
            part -= low
            parts.append(part)
            steps.append((0, stride if length > 1 else 0))
            first += low * np.int32(stride)
        return cls(first.astype(np.intp), tuple(steps), tuple(parts))

    def interpolate(self, values: FloatArray) -> FloatArray:
        """Interpolate linearly: as `scipy.ndimage.affine_transform` does in twice the time."""
        flat = values.reshape(-1)
        # Unchecked: the cells are within the array.
        corners = [
            np.take(flat, self.first + sum(step), mode="clip") for step in product(*self.steps)
        ]
        for part in reversed(self.parts):
            pairs = list(zip(corners[::2], corners[1::2], strict=True))
            for low, high in pairs:
                high -= low
                high *= part
                high += low
            corners = [high for _, high in pairs]
        return corners[0]


def _shrink(volume: Volume, brain: Brain, pixel_mm: float) -> tuple[FloatArray, FloatArray, Affine]:
    """Cut out the brain, average areas finer than the pixel and thin slices (`slices_together`).

    Returns CT numbers times mask, the mask, and the affine of their grid.
    """
    box = bounding_box(brain.mask, (0, 0, 0))
    mask = brain.mask[box]
    spacing = volume.spacing
    strides = (
        float(slices_together(spacing[0])),
        max(1.0, pixel_mm / spacing[1]),
        max(1.0, pixel_mm / spacing[2]),
    )
    weights = [_area_weights(n, step) for n, step in zip(mask.shape, strides, strict=True)]
    to_voxel = np.eye(4)
    for axis, (part, step) in enumerate(zip(box[::-1], strides[::-1], strict=True)):
        to_voxel[axis, axis] = step
        # Sample 0 is padding; the centre of sample 1 is half a stride into the box.
        to_voxel[axis, 3] = part.start - 0.5 - step / 2
    hu = volume.hu[box]
    weighted = _filter(lambda z: hu[z] * mask[z], weights)
    share = _filter(lambda z: mask[z].astype(np.float32), weights)
    return weighted, share, volume.affine @ to_voxel


def _area_weights(n: int, stride: float) -> FloatArray:
    """Weights (samples + 2, n) that average over stretches of `stride` voxels.

    The first and last sample are padding: interpolation ends in 0 on both sides.
    """
    samples = int(np.ceil(n / stride - 1e-6))
    low = np.arange(samples)[:, None] * stride
    voxel = np.arange(n)[None, :]
    covered = np.minimum(low + stride, voxel + 1) - np.maximum(low, voxel)
    weights = np.zeros((samples + 2, n), np.float32)
    weights[1:-1] = np.maximum(covered, 0) / stride
    return weights


def _filter(level: Callable[[int], FloatArray], weights: list[FloatArray]) -> FloatArray:
    wz, wy, wx = weights
    found = np.zeros((len(wz), len(wy), len(wx)), np.float32)
    # Slice by slice, so that a scan of thin ones is not held several times over; and along z
    # first: what is left has fewer of them.
    for sample, row in zip(found, wz, strict=True):
        parts = [level(int(z)) * row[z] for z in np.flatnonzero(row)]
        if parts:
            sample[...] = wy @ reduce(np.add, parts) @ wx.T
    return found
