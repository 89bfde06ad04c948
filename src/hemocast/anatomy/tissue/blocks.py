"""A scan on the blocks of 3 mm that the tissue map works on, and what the network sees of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy.grid import linear_weights, weighed
from hemocast.volume import FloatArray, Volume

BLOCK_MM = 3.0

MULTIPLE = 8
"""The network halves its blocks three times: their number along each axis divides by this."""

AIR_HU = -1000.0

# Middle and half width of what each channel shows, HU: everything, soft tissue, brain.
_WINDOWS = ((500.0, 1500.0), (50.0, 150.0), (40.0, 40.0))


@dataclass(frozen=True)
class Blocks:
    """A scan averaged (thin slices) or interpolated (thick ones) to blocks of 3 mm.

    Parameters
    ----------
    hu : ndarray of float32, shape (z, y, x)
        CT numbers, HU; the axes are the Volume's.
    first : tuple of float
        Place of block 0 along z, y, x, in voxels of the Volume.
    step : tuple of float
        Voxels from block to block.
    """

    hu: FloatArray
    first: tuple[float, float, float]
    step: tuple[float, float, float]


def to_blocks(volume: Volume) -> Blocks:
    """Bring a scan to blocks.

    Parameters
    ----------
    volume : Volume
        The scan.
    """
    steps = [BLOCK_MM / mm for mm in volume.spacing]
    counts = [max(1, round(n / step)) for n, step in zip(volume.hu.shape, steps, strict=True)]
    first = [(n - (m - 1) * s - 1) / 2 for n, m, s in zip(volume.hu.shape, counts, steps,
                                                         strict=True)]  # fmt: skip
    hu = volume.hu
    for axis in (1, 2, 0):  # in the plane first, where it shrinks most
        weights = block_weights(volume.hu.shape[axis], counts[axis], first[axis], steps[axis])
        hu = weighed(hu, weights, axis)
    return Blocks(hu, (first[0], first[1], first[2]), (steps[0], steps[1], steps[2]))


def block_weights(n: int, count: int, first: float, step: float) -> FloatArray:
    """Return weights (blocks, voxels): means over a block, or linear where voxels are larger.

    Parameters
    ----------
    n, count : int
        Voxels and blocks.
    first, step : float
        Place of the first block and distance between blocks, in voxels.
    """
    middle = first + step * np.arange(count)
    if step <= 1:
        return linear_weights(middle, n)
    voxel = np.arange(n)
    low, high = middle[:, None] - step / 2, middle[:, None] + step / 2
    covered = np.minimum(high, voxel + 0.5) - np.maximum(low, voxel - 0.5)
    weights = np.maximum(covered, 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def channels(hu: FloatArray) -> FloatArray:
    """Return what the network sees, shape (3, z, y, x): three windows of CT numbers, -1 to 1.

    Parameters
    ----------
    hu : ndarray, shape (z, y, x)
    """
    shown = [np.clip((hu - middle) / half, -1, 1) for middle, half in _WINDOWS]
    return np.stack(shown).astype(np.float32)


def padded(values: FloatArray, fill: float) -> tuple[FloatArray, tuple[slice, ...]]:
    """Pad the last three axes to multiples of `MULTIPLE`; also return where the values lie.

    Parameters
    ----------
    values : ndarray, shape (..., z, y, x)
    fill : float
        What is put outside.
    """
    widths: list[tuple[int, int]] = [(0, 0)] * (values.ndim - 3)
    where: list[slice] = []
    for n in values.shape[-3:]:
        more = -n % MULTIPLE
        widths.append((more // 2, more - more // 2))
        where.append(slice(more // 2, more // 2 + n))
    return np.pad(values, widths, constant_values=fill), tuple(where)
