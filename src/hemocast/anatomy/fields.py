"""Smooth fields with slopes, sampled linearly: what the two alignments share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.volume import FloatArray

_BLOCK_ROWS = 512
_BLOCK_POINTS = 16384
"""So many places are sampled at a time: what they need stays in the cache."""


def sample(fields: FloatArray, index: FloatArray) -> FloatArray:
    """Sample fields linearly; outside their grid they are 0.

    Parameters
    ----------
    fields : ndarray of float32, shape (z, y, x, ...)
        Any number of values at every grid point.
    index : ndarray of float32, shape (n, 3)
        Places as grid indices, (z, y, x).

    Returns
    -------
    ndarray of float32, shape (n, ...)
    """
    flat = fields.reshape(-1, int(np.prod(fields.shape[3:], initial=1)))
    total = np.empty((len(index), flat.shape[1]), np.float32)
    for start in range(0, len(index), _BLOCK_POINTS):
        block = slice(start, start + _BLOCK_POINTS)
        _sample_block(flat, fields.shape[:3], index[block], total[block])
    return total.reshape(len(index), *fields.shape[3:])


def _sample_block(
    flat: FloatArray, shape: Sequence[int], index: FloatArray, total: FloatArray
) -> None:
    """Fill `total`, shape (n, values), with the samples of a few places."""
    # Column by column: reductions over an axis of length three are slow.
    cell = np.zeros(len(index), np.intp)
    outside = np.zeros(len(index), np.bool_)
    shares = []
    for axis, length in enumerate(shape):
        column = index[:, axis]
        outside |= (column < 0) | (column > length - 1)
        place = np.clip(column, 0, length - 1)
        low = np.minimum(place.astype(np.intp), length - 2)
        cell = cell * length + low
        share = place - low.astype(np.float32)
        shares.append((1 - share, share))
    below, above = shares[0]
    shares[0] = np.where(outside, 0, below), np.where(outside, 0, above)
    total[:] = 0
    part = np.empty_like(total)
    _, rows, columns = shape
    for dz, dy, dx in np.ndindex(2, 2, 2):
        weight = shares[0][dz] * shares[1][dy] * shares[2][dx]
        corner = cell + ((dz * rows + dy) * columns + dx)
        # Into one buffer, unchecked: the cells are within the grid. Three times as fast.
        np.take(flat, corner, axis=0, out=part, mode="clip")
        part *= weight[:, None]
        total += part


def on_axes(values: FloatArray, at: Sequence[NDArray[np.floating]]) -> FloatArray:
    """Interpolate a map linearly to another grid with the same axes.

    Parameters
    ----------
    values : ndarray of float32
        Any number of axes.
    at : sequence of ndarray
        For every axis, where the new points lie, in points of the old grid; beyond its ends the
        last slope goes on.

    Returns
    -------
    ndarray of float32
        One point for every place along each axis.
    """
    out = values
    for axis, place in enumerate(at):
        low = np.clip(place.astype(np.intp), 0, values.shape[axis] - 2)
        weight = (place - low).astype(np.float32)
        weight = weight.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        below, above = np.take(out, low, axis=axis), np.take(out, low + 1, axis=axis)
        out = below + weight * (above - below)
    return out


def rotation(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrix (3, 3) of a rotation vector in radians (Rodrigues 1840)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: NDArray[np.float64] = (
        np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    )
    return turn


def turned(points: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """``points @ matrix`` for many points and 3 x 3 matrices, the same bits with any thread count.

    Parameters
    ----------
    points : ndarray, shape (..., 3)
    matrix : ndarray, shape (3, 3) or (m, 3, 3)
        One for all points, or one for each of m sets, points being (m, n, 3).
    """
    axes = "...i,ij->...j" if matrix.ndim == 2 else "mni,mij->mnj"
    return np.asarray(np.einsum(axes, points, matrix))


def robust_step(
    residual: FloatArray, jacobian: FloatArray, scale: float, damping: float
) -> NDArray[np.float64]:
    """One damped Gauss-Newton step under Geman-McClure weights, for any number of fits at once.

    Parameters
    ----------
    residual : ndarray of float32, shape (..., n)
    jacobian : ndarray of float32, shape (..., n, p)
    scale : float
        Residuals far above this hardly count.
    damping : float
        Levenberg-Marquardt factor on the diagonal.

    Returns
    -------
    ndarray of float64, shape (..., p)
    """
    weight = 1 / (1 + (residual / scale) ** 2) ** 2
    weighted = jacobian * weight[..., None]
    normal = _product(weighted, jacobian)
    diagonal = np.arange(normal.shape[-1])
    normal[..., diagonal, diagonal] *= 1 + damping
    normal[..., diagonal, diagonal] += 1e-9
    slope = _product(weighted, residual[..., None])
    return np.asarray(-np.linalg.solve(normal, slope)[..., 0], np.float64)


def _product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """``left.T @ right`` of tall matrices, the same bits with any number of threads.

    BLAS splits a large product between its threads, which changes the order of the sum; blocks of
    this size it leaves whole.
    """
    rows = left.shape[-2] - left.shape[-2] % _BLOCK_ROWS
    across, other = (
        x[..., :rows, :].reshape(*x.shape[:-2], -1, _BLOCK_ROWS, x.shape[-1]) for x in (left, right)
    )
    parts = across.swapaxes(-1, -2) @ other
    rest = left[..., rows:, :].swapaxes(-1, -2) @ right[..., rows:, :]
    return np.asarray(parts.sum(axis=-3, dtype=np.float64) + rest, np.float64)
