"""Another map of the head, such as one of perfusion, as local means over the brain of a stack."""

from __future__ import annotations

import numpy as np

from hemocast.prepare.resample import sampled
from hemocast.volume import Affine, BoolArray, FloatArray, Stack

CELLS = (14, 24, 24)
"""Cells of a stack along (frame, y, x): about 10 x 8 x 8 mm each."""

LEAST_BRAIN = 0.25
"""Share of brain from which a cell counts."""


def map_cells(values: FloatArray, affine: Affine, stack: Stack) -> FloatArray:
    """Take a map's means over the cells of a stack.

    Parameters
    ----------
    values : ndarray of float32, shape (z, y, x)
        On the grid of the scan that the stack was made from, in any unit.
    affine : ndarray of float64, shape (4, 4)
        Of that grid: maps voxel ``(x, y, z, 1)`` to the scan's mm.
    stack : Stack

    Returns
    -------
    ndarray of float32, shape `CELLS`
        NaN where there is next to no brain.
    """
    height = float(np.linalg.norm(stack.affine[:3, 2]))
    layers = max(1, round(height / float(np.linalg.norm(affine[:3, 2]))))
    to_index = np.linalg.inv(affine)
    total = np.zeros(stack.frames.shape, np.float32)
    for layer in range(layers):
        place = stack.affine.copy()
        place[:3, 3] += stack.affine[:3, 2] * ((layer + 0.5) / layers - 0.5)
        total += sampled(values, to_index @ place, stack.frames.shape)
    return cell_means(total / np.float32(layers), stack.brain)


def cell_means(values: FloatArray, brain: BoolArray) -> FloatArray:
    """Average over the brain of every cell.

    Parameters
    ----------
    values : ndarray of float32, shape (frames, H, W)
    brain : ndarray of bool, of the same shape

    Returns
    -------
    ndarray of float32, shape `CELLS`
        NaN where less than `LEAST_BRAIN` of a cell is brain.
    """
    along = [np.arange(old) * new // old for new, old in zip(CELLS, brain.shape, strict=True)]
    cell = np.ravel_multi_index(np.meshgrid(*along, indexing="ij"), CELLS).ravel()
    inside, count = brain.ravel(), int(np.prod(CELLS))
    held = np.bincount(cell[inside], minlength=count)
    total = np.bincount(cell[inside], values.ravel()[inside].astype(np.float64), count)
    enough = held >= LEAST_BRAIN * np.bincount(cell, minlength=count)
    means = np.full(count, np.nan)
    np.divide(total, held, out=means, where=enough & (held > 0))
    return means.reshape(CELLS).astype(np.float32)
