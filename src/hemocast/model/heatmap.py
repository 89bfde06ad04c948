"""The class activation map: where in the stack, and in the scan, the logit comes from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.nets import MapGrid
from hemocast.prepare.resample import reach, sampled
from hemocast.volume import Affine, FloatArray, Stack, Volume

PER_FRAME = "class activation map, per frame"
ONE_FOR_ALL = "class activation map, one picture for all frames"
PER_VOXEL = "weight of every voxel times its difference from the mean, per frame"
NO_PLACES = "none: the model's answer belongs to no place in the scan"


def activation_map(maps: FloatArray, weights: FloatArray) -> FloatArray:
    """Weigh the last feature map by the predictor (Zhou 2016, 10.1109/CVPR.2016.319).

    Parameters
    ----------
    maps : ndarray of float32, shape (C, D, h, w) or (C, h, w)
        Last feature map of one scan.
    weights : ndarray of float32, shape (C,)
        Of the linear layer.

    Returns
    -------
    ndarray of float32, shape (D, h, w) or (h, w)
        In logit units: its mean plus the linear layer's bias is the logit.
    """
    return np.tensordot(weights, maps, axes=1).astype(np.float32)


def per_cm3(cam: FloatArray, stack: Stack, grid: MapGrid, slope: float) -> FloatArray:
    """Turn logit units into what each cm3 adds to the log-odds of the calibrated probability.

    Over all cm3 that the map covers these sum up to ``slope * (logit - bias)``: whatever the
    network's pooling, two scans and two models are on one scale.

    Parameters
    ----------
    cam : ndarray of float32, shape (D, h, w) or (h, w)
        As `activation_map` gives it.
    stack : Stack
        Gives the size of a voxel.
    grid : MapGrid
        Gives the size of a cell.
    slope : float
        Of the calibration's logistic curve. Where the calibration is isotonic, the sum is the
        log-odds of that logistic curve, and the probability's only roughly.
    """
    frames = 1 if grid.per_frame else stack.frames.shape[0]
    cell_mm3 = math.prod(grid.step) * frames * math.prod(stack.spacing)
    return cam * np.float32(slope * 1000 / (cam.size * cell_mm3))


def enlarge(cam: FloatArray, shape: tuple[int, int, int], grid: MapGrid) -> FloatArray:
    """Interpolate a map linearly to the stack's grid, each cell where the network looked.

    A 2D map is repeated over the frames.

    Parameters
    ----------
    cam : ndarray of float32, shape (D, h, w) or (h, w)
    shape : tuple of int
        (frames, H, W).
    grid : MapGrid
        Where the cells lie.
    """
    sizes = shape[-cam.ndim :]
    for axis, place in enumerate(zip(sizes, grid.step, grid.origin, strict=True)):
        weights = _linear(cam.shape[axis], *place)
        cam = np.moveaxis(np.tensordot(weights, cam, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(np.broadcast_to(cam, shape))


def _linear(old: int, new: int, step: float, origin: float) -> NDArray[np.float32]:
    """Return the (new, old) matrix of linear interpolation with the borders held."""
    position = np.clip((np.arange(new) - origin) / step, 0, old - 1)
    low = np.minimum(position.astype(int), max(old - 2, 0))
    matrix = np.zeros((new, old), np.float32)
    rows = np.arange(new)
    matrix[rows, low] = 1 - (position - low)
    matrix[rows, np.minimum(low + 1, old - 1)] += position - low
    return matrix


def on_scan(values: FloatArray, stack: Stack, volume: Volume) -> FloatArray:
    """Carry values from the stack's grid to the grid of the scan it was made from.

    Parameters
    ----------
    values : ndarray of float32, shape (28, H, W)
        On the stack's grid.
    stack : Stack
    volume : Volume

    Returns
    -------
    ndarray of float32, shape (z, y, x)
        On ``volume``'s grid, linearly interpolated; 0 where the stack does not reach.
    """
    carried = np.zeros(volume.hu.shape, np.float32)
    to_stack: Affine = np.linalg.inv(stack.affine) @ volume.affine
    box = _reached(values, np.linalg.inv(to_stack), volume.hu.shape)
    part = carried[box]
    start = np.eye(4)
    start[:3, 3] = [place.start for place in box[::-1]]
    # A frame is as high as several thin slices: every half frame is sampled, and those between
    # are interpolated.
    every = max(1, int(stack.spacing[0] / 2 / volume.spacing[0]))
    last = 0
    for z in sorted({*range(0, len(part), every), len(part) - 1} - {-1}):
        start[2, 3] = box[0].start + z
        part[z] = sampled(values, to_stack @ start, (1, *part.shape[1:]))[0]
        for between in range(last + 1, z):
            rise = (part[z] - part[last]) * np.float32((between - last) / (z - last))
            np.add(part[last], rise, out=part[between])
        last = z
    return carried


def _reached(
    values: FloatArray, to_scan: NDArray[np.floating[Any]], shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """Give the part of the scan's grid that values other than 0 can reach: less than half of it."""
    filled = [np.flatnonzero(values.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not filled[0].size:
        return (slice(0, 0),) * 3
    return reach([(places[0] - 1, places[-1] + 1) for places in filled], to_scan, shape)
