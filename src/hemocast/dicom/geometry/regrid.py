"""Slices -> the grid planned for them, and any array -> the axis order of `Volume`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.geometry.slices import Grid, Matrix
from hemocast.volume import FloatArray

AIR = np.float32(-1024.0)


def place(hu: FloatArray, shift: Matrix, out: FloatArray) -> None:
    """Move a slice by a fraction of pixels on the grown grid, air around it.

    Linear interpolation; the shear of a tilt is along one axis, so this is mostly one weighted sum
    of two shifted copies.

    Parameters
    ----------
    hu : ndarray, shape (rows, columns)
        The slice.
    shift : ndarray, shape (2,)
        Rows and columns, not negative.
    out : ndarray, shape (grown rows, grown columns)
        Overwritten.
    """
    whole = np.floor(shift + 1e-6).astype(int)
    part = np.clip(shift - whole, 0.0, 1.0).astype(np.float32)
    part[part < 1e-3] = 0.0
    if part[1]:
        wide = np.empty((hu.shape[0], hu.shape[1] + 1), np.float32)
        _between(hu.T, part[1], wide.T)
        hu = wide
    top, left = int(whole[0]), int(whole[1])
    bottom, right = top + hu.shape[0] + bool(part[0]), left + hu.shape[1]
    if part[0]:
        _between(hu, part[0], out[top:bottom, left:right])
    else:
        out[top:bottom, left:right] = hu
    out[:top], out[bottom:], out[top:bottom, :left], out[top:bottom, right:] = AIR, AIR, AIR, AIR


def _between(hu: FloatArray, part: np.float32, out: FloatArray) -> None:
    """Shift down by less than a row into one row more, with air beyond the ends."""
    np.multiply(hu, 1 - part, out=out[:-1])
    out[-1] = AIR * (1 - part)
    out[1:] += hu * part
    out[0] += AIR * part


def resample(
    read: Callable[[int, FloatArray], None], grid: Grid, rows: int, columns: int
) -> FloatArray:
    """Put slices on the grid, the lower and the upper half at the same time.

    Parameters
    ----------
    read : callable
        ``read(i, out)`` writes the i-th slice given to `plan` into `out` (rows, columns), HU.
        Called from two threads.
    grid : Grid
        From `plan`.
    rows, columns : int
        Of the slices read.

    Returns
    -------
    ndarray of float32
        Shape `grid.shape`.
    """
    out = np.empty(grid.shape, np.float32)
    middle = grid.shape[0] // 2
    with ThreadPoolExecutor(2) as pool:
        halves = [
            pool.submit(
                _resample_part, read, grid, np.empty((rows, columns), np.float32), out, part
            )
            for part in (range(middle), range(middle, grid.shape[0]))
        ]
        for half in halves:
            half.result()
    return out


def _resample_part(
    read: Callable[[int, FloatArray], None],
    grid: Grid,
    buffer: FloatArray,
    out: FloatArray,
    part: range,
) -> None:
    """Some slices of the grid; each input slice is read once, and two are held at a time."""
    held: dict[int, FloatArray] = {}

    def moved(index: int, target: FloatArray) -> FloatArray:
        if index not in held:
            read(grid.order[index], buffer)
            place(buffer, grid.shifts[index], target)
            held[index] = target
        return held[index]

    for z in part:
        blend = grid.blends[z]
        for index in [i for i in held if i < blend.low]:
            del held[index]
        if blend.low == blend.high:
            target = out[z]
            one = moved(blend.low, target)
            if one is not target:
                target[...] = one
            continue
        low = moved(blend.low, np.empty_like(out[z]))
        high = moved(blend.high, np.empty_like(out[z]))
        np.multiply(low, np.float32(1 - blend.weight), out=out[z])
        out[z] += high * np.float32(blend.weight)


def canonical(
    array: NDArray[np.generic], lps: Matrix
) -> tuple[NDArray[np.generic], Matrix, tuple[int, ...]]:
    """Turn an array so that its axes run as `Volume` wants them.

    Parameters
    ----------
    array : ndarray, shape (k, j, i)
        Voxel (i, j, k, 1) lies at ``lps @ (i, j, k, 1)``.
    lps : ndarray, shape (4, 4)
        To mm, LPS, columns at right angles.

    Returns
    -------
    array : ndarray, shape (z, y, x)
        z to superior, y to posterior, x to the patient's left, as nearly as may be.
    affine : ndarray, shape (4, 4)
        Voxel (x, y, z, 1) to mm, **RAS+**.
    turned : tuple of int
        For z, y and x, which of the given axes (k=0, j=1, i=2) it was; ``~axis`` when reversed.
    """
    directions = lps[:3, :3] / np.linalg.norm(lps[:3, :3], axis=0)
    # Of the six ways to give each patient axis its own array axis, the one nearest in angle.
    best = max(
        permutations(range(3)), key=lambda p: sum(abs(directions[w, p[w]]) for w in range(3))
    )
    turn = np.zeros((4, 4))
    turn[3, 3] = 1.0
    turned = []
    result = array.transpose([2 - best[w] for w in (2, 1, 0)])
    for world in (2, 1, 0):
        old = best[world]
        backwards = bool(directions[world, old] < 0)
        turn[old, world] = -1.0 if backwards else 1.0
        if backwards:
            turn[old, 3] = array.shape[2 - old] - 1
            result = np.flip(result, axis=2 - world)
        turned.append(~(2 - old) if backwards else 2 - old)
    # NIfTI holds single precision: with no more here, a scan comes back from it as it was.
    ras = (np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps @ turn).astype(np.float32).astype(np.float64)
    return result, ras, tuple(turned)


def whole(hu: NDArray[np.generic]) -> NDArray[np.float32]:
    """Round CT numbers to whole HU, as scanners store them.

    Resampling leaves fractions far below the noise. Without them a dataset's 16-bit NIfTI holds a
    scan exactly, and gives the same Volume as its DICOM files. The array given is overwritten where
    it can be: a scan of thin slices takes half a gigabyte.
    """
    values: NDArray[np.float32] = np.require(hu, np.float32, ["C", "W"])
    return np.rint(values, out=values)
