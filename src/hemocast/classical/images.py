"""What classical models see of a scan: a histogram of the brain, or coarse voxels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.prepare.cells import CELLS

BINS = 80
SIDES = 80
DARKEST = 0.02
_BLOCK = 4
_DIFFERENCE = 0.25
VOXELS = CELLS

Frames = NDArray[np.floating]


def histogram(frames: Frames) -> Float64Array:
    """Describe a stack by its grey values alone, and by how its sides differ.

    Parameters
    ----------
    frames : ndarray, shape (frames, H, W)
        In [0, 1]; what is 0 is no brain, or fluid.

    Returns
    -------
    ndarray of float64, shape (160,)
        Shares of the brain in 80 equal bins of its grey values. Then shares of its blocks of 4 x 4
        pixels in 80 equal bins of the absolute difference from the block opposite, up to a quarter
        of the window: the head stands upright in a stack, its midline in the middle.
    """
    brain = frames > DARKEST
    inside = frames[brain]
    counts, _ = np.histogram(inside, BINS, (0, 1))
    blocks, share = _blocks(frames), _blocks(brain.astype(np.float64))
    mean = blocks / np.maximum(share, 1 / _BLOCK**2)
    both = (share > 0.5) & (share[:, :, ::-1] > 0.5)
    difference = np.abs(mean - mean[:, :, ::-1])[both]
    apart, _ = np.histogram(np.minimum(difference, 0.999 * _DIFFERENCE), SIDES, (0, _DIFFERENCE))
    return np.concatenate([counts / max(inside.size, 1), apart / max(difference.size, 1)])


def voxels(frames: Frames) -> Float64Array:
    """Shrink a stack to 14 x 24 x 24 voxels, shape (8064,)."""
    zoom = [new / old for new, old in zip(VOXELS, frames.shape, strict=True)]
    from scipy import ndimage  # predictions by networks need none of it

    smooth = ndimage.uniform_filter(
        frames.astype(np.float64), [max(round(1 / z), 1) for z in zoom], mode="nearest"
    )
    at = np.meshgrid(
        *(
            (np.arange(new) + 0.5) * old / new - 0.5
            for new, old in zip(VOXELS, frames.shape, strict=True)
        ),
        indexing="ij",
    )
    return np.asarray(ndimage.map_coordinates(smooth, at, order=1, mode="nearest")).ravel()


def histograms_of(stacks: Iterable[Frames]) -> Measurements:
    """Give the histograms of scans as measurements."""
    names = [f"grey {i}" for i in range(BINS)] + [f"sides {i}" for i in range(SIDES)]
    values = np.array([histogram(frames) for frames in stacks])
    return Measurements(tuple(Variable(name, "linear") for name in names), values)


def voxels_of(stacks: Iterable[Frames]) -> Measurements:
    """Give the coarse voxels of scans as measurements."""
    values = np.array([voxels(frames) for frames in stacks])
    return Measurements(_voxel_variables("voxel"), values)


def maps_of(cells: NDArray[np.floating]) -> Measurements:
    """Give co-registered maps as measurements.

    Parameters
    ----------
    cells : ndarray, shape (n, 14, 24, 24)
        See `hemocast.prepare.cells`; NaN where there is no brain.
    """
    values = np.asarray(cells, np.float64).reshape(len(cells), -1)
    return Measurements(_voxel_variables("map"), values)


def _voxel_variables(stem: str) -> tuple[Variable, ...]:
    return tuple(Variable(f"{stem} {i}", "voxel") for i in range(int(np.prod(VOXELS))))


def _blocks(frames: NDArray[np.floating]) -> Float64Array:
    """Means of blocks of 4 x 4 pixels; a remainder at the edge is left out, alike on both sides."""
    n, h, w = frames.shape
    rows, columns = h // _BLOCK, w // _BLOCK
    top, left = (h - rows * _BLOCK) // 2, (w - columns * _BLOCK) // 2
    cut = frames[:, top : top + rows * _BLOCK, left : left + columns * _BLOCK]
    blocks = cut.reshape(n, rows, _BLOCK, columns, _BLOCK)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float64))
