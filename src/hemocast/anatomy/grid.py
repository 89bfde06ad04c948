"""A coarse working grid for a Volume, and the way back: box means down, linear up.

The head is found and set upright on blocks of about 2 mm: noise and partial volume average out and
a whole scan is a few hundred thousand voxels, so that every step after costs milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.volume import Affine, BoolArray, FloatArray, Volume

IN_PLANE_MM = 2.0
SLICE_MM = 2.5


THIN_MM = 1.25
"""Thinner slices than this are taken together: noise falls, and nothing that is higher is lost."""


def slices_together(slice_mm: float) -> int:
    """Say how many slices of some distance, mm, make a layer of about `THIN_MM`; at least one."""
    return max(1, round(THIN_MM / slice_mm))


@dataclass(frozen=True)
class Coarse:
    """A Volume averaged over blocks of whole voxels.

    Parameters
    ----------
    hu : ndarray of float32, shape (z, y, x)
        Mean CT number of each block, HU.
    factors : tuple of int
        Voxels of the Volume per block, in array order (z, y, x).
    spacing : tuple of float
        Block size in mm, in array order (z, y, x).
    affine : ndarray of float64, shape (4, 4)
        Maps block ``(x, y, z, 1)`` (its centre) to patient millimetres, RAS+.
    """

    hu: FloatArray
    factors: tuple[int, int, int]
    spacing: tuple[float, float, float]
    affine: Affine


def coarsen(
    hu: FloatArray | BoolArray,
    affine: Affine,
    spacing: tuple[float, float, float],
    in_plane_mm: float = IN_PLANE_MM,
) -> Coarse:
    """Average a Volume over blocks of about 2 mm in-plane and at least 2.5 mm in height.

    Rows, columns and slices that do not fill a last block are dropped: less than one block.
    Every value takes part, so a value that is not finite leaves a block that is not finite.

    Parameters
    ----------
    hu : ndarray of float32 or bool, shape (z, y, x)
        CT numbers, HU; or a mask, whose means are shares.
    affine : ndarray of float64, shape (4, 4)
        Maps voxel ``(x, y, z, 1)`` to mm.
    spacing : tuple of float
        Voxel size in mm, (z, y, x).
    in_plane_mm : float
        Block size wanted within the slice, mm.
    """
    wanted = (SLICE_MM, in_plane_mm, in_plane_mm)
    factors = tuple(
        max(1, min(round(mm / step), n))
        for mm, step, n in zip(wanted, spacing, hu.shape, strict=True)
    )
    fz, fy, fx = factors
    # Slice by slice: what is at hand stays small.
    layers = np.stack([_block_sum(_block_sum(level, 0, fy), 1, fx) for level in hu])
    blocks = _block_sum(layers, 0, fz) / np.float32(fz * fy * fx)
    to_voxel = np.diag([fx, fy, fz, 1.0])
    to_voxel[:3, 3] = [(fx - 1) / 2, (fy - 1) / 2, (fz - 1) / 2]
    return Coarse(
        hu=blocks,
        factors=(fz, fy, fx),
        spacing=(spacing[0] * fz, spacing[1] * fy, spacing[2] * fx),
        affine=affine @ to_voxel,
    )


def coarsen_around(
    volume: Volume, mask: BoolArray, margin_mm: float = 0.0, in_plane_mm: float = IN_PLANE_MM
) -> tuple[Coarse, FloatArray]:
    """Average the box around a mask over blocks.

    Parameters
    ----------
    volume : Volume
        The scan.
    mask : ndarray of bool, shape (z, y, x)
        On its grid.
    margin_mm : float
        How much more than the mask the box takes in on all sides, mm.
    in_plane_mm : float
        As for `coarsen`.

    Returns
    -------
    Coarse
        The blocks' CT numbers.
    ndarray of float32, shape (z, y, x)
        The share of each block that lies in the mask.
    """
    z, y, x = (int(np.ceil(margin_mm / mm)) for mm in volume.spacing)
    box = bounding_box(mask, (z, y, x))
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box[::-1]]
    tissue = coarsen(volume.hu[box], affine, volume.spacing, in_plane_mm)
    share = coarsen(mask[box], affine, volume.spacing, in_plane_mm)
    return tissue, share.hu


def _block_sum(array: FloatArray | BoolArray, axis: int, factor: int) -> FloatArray:
    if factor == 1:
        return np.asarray(array, np.float32)
    length = array.shape[axis] // factor * factor
    cut = [slice(None)] * array.ndim
    total = np.zeros(0, np.float32)
    for start in range(factor):
        cut[axis] = slice(start, length, factor)
        part = array[tuple(cut)]
        total = part.astype(np.float32) if start == 0 else np.add(total, part, out=total)
    return total


def linear_weights(places: NDArray[np.floating[Any]], count: int) -> FloatArray:
    """Weights (places, points) that interpolate linearly along one axis.

    Parameters
    ----------
    places : ndarray, shape (n,)
        Where to interpolate, in points; beyond the ends the outermost point counts.
    count : int
        Points along the axis.
    """
    weights = [np.interp(places, np.arange(count), one) for one in np.eye(count)]
    return np.stack(weights, axis=1).astype(np.float32)


def weighed(values: FloatArray, weights: FloatArray, axis: int) -> FloatArray:
    """Multiply an array by a band of weights along one axis.

    Without BLAS, whose last bits depend on the number of its threads; and a band is mostly zeros.

    Parameters
    ----------
    values : ndarray of float32
        Points along `axis`.
    weights : ndarray of float32, shape (places, points)
        Of which every row has few that are not 0, side by side.
    axis : int
        Which.
    """
    used = weights != 0
    first = used.argmax(axis=1)
    width = int((weights.shape[1] - used[:, ::-1].argmax(axis=1) - first).max())
    band = []
    for step in range(width):
        at = np.minimum(first + step, weights.shape[1] - 1)
        band.append((at, np.where(first + step == at, weights[np.arange(len(at)), at], 0)))
    if axis == 0:
        return _summed(values, band, 0)
    # Slice by slice what is at hand stays small.
    return np.stack([_summed(level, band, axis - 1) for level in values])


def _summed(
    values: FloatArray, band: list[tuple[NDArray[np.intp], FloatArray]], axis: int
) -> FloatArray:
    """Add up points with their weights."""
    shape = [1] * values.ndim
    shape[axis] = -1
    total = np.zeros((), np.float32)
    for at, weight in band:
        part = np.take(values, at, axis=axis)
        part *= weight.reshape(shape)
        total = np.add(total, part, out=part)
    return total


def bounding_box(mask: BoolArray, margin: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """Return the box around a mask, grown by a margin and cut to the array."""
    box = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero(mask.any(axis=others))
        low = max(int(used[0]) - margin[axis], 0)
        high = min(int(used[-1]) + 1 + margin[axis], mask.shape[axis])
        box.append(slice(low, high))
    return box[0], box[1], box[2]
