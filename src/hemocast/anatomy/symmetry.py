"""The midline: roll, yaw and sideways shift on which a brain is most like its mirror image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.fields import robust_step, rotation, sample, turned
from hemocast.anatomy.grid import Coarse
from hemocast.volume import Affine, BoolArray, FloatArray

Places = NDArray[np.float64]

_STEPS = 10
_SMOOTH_MM = 3.0
_POINT_MM = 7.0
# Half a head and its margin, upright: right of the midline, back to front, foot to vertex.
_BOX_MM = ((3.0, 84.0), (-102.0, 102.0), (-78.0, 90.0))
_SCALE_OF_MISFIT = 0.15
_MIRROR = np.array([-1.0, 1.0, 1.0])
# CT numbers of fluid to blood, over which a brain's own contrast is spread.
_LOW_HU, _HIGH_HU = 0.0, 50.0


def onto_midline(tissue: Coarse, share: FloatArray, matrix: Affine) -> Affine:
    """Refine a pose so that the brain's plane of symmetry is x = 0.

    Shape and CT numbers of both sides are compared; places that differ much, such as a lesion of
    one side, hardly count. Pitch, height and depth are left as they are.

    Parameters
    ----------
    tissue : Coarse
        Coarse CT numbers around the brain.
    share : ndarray of float32, shape (z, y, x)
        Share of brain in each block.
    matrix : ndarray of float64, shape (4, 4)
        Upright mm to scan mm, from the template.
    """
    fields = _fields(tissue, share)
    axes = [np.arange(low, high, _POINT_MM, dtype=np.float64) for low, high in _BOX_MM]
    right = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    to_block = np.linalg.inv(tissue.affine)
    right = right[_near_brain(fields, to_block @ matrix, right)]
    left = right * _MIRROR
    size = np.array(share.shape)
    for _ in range(_STEPS):
        move = to_block @ matrix
        seen, slope, within = [], [], np.ones(len(right), np.bool_)
        for side in (right, left):
            index = (turned(side, move[:3, :3].T) + move[:3, 3])[:, ::-1].astype(np.float32)
            within &= ((index >= 0) & (index <= size - 1)).all(axis=1)
            here = sample(fields, index)
            seen.append(here[..., 0])
            # Slopes per block along x, y, z, turned into upright millimetres.
            slope.append(turned(here[..., 1:], move[:3, :3].astype(np.float32)))
        residual = (seen[0] - seen[1])[within]
        jacobian = (_plane_slopes(slope[0], right) - _plane_slopes(slope[1], left))[within]
        step = robust_step(residual.reshape(-1), jacobian.reshape(-1, 3), _SCALE_OF_MISFIT, 1e-3)
        change = np.eye(4)
        change[:3, :3] = rotation(np.array([0.0, step[0], step[1]]))
        change[0, 3] = step[2]
        matrix = matrix @ change
        if np.abs(step[:2]).max() < 5e-4 and abs(step[2]) < 0.04:
            break
    return matrix


def _near_brain(fields: FloatArray, move: Affine, right: Places) -> BoolArray:
    """Return which places, or their mirror images, lie in or near the brain."""
    near = np.zeros(len(right), np.bool_)
    for side in (right, right * _MIRROR):
        index = (turned(side, move[:3, :3].T) + move[:3, 3])[:, ::-1].astype(np.float32)
        near |= sample(fields[..., 0, 0], index) > 0.02
    return near


def _fields(tissue: Coarse, share: FloatArray) -> FloatArray:
    """Brain and brightness (0 to 1) with their slopes per block: (z, y, x, 2, 4)."""
    from scipy import ndimage

    bright = np.clip((tissue.hu - _LOW_HU) / (_HIGH_HU - _LOW_HU), 0, 1) * share
    sigma = [_SMOOTH_MM / mm for mm in tissue.spacing]
    channels = []
    for field in (share, bright):
        smooth = ndimage.gaussian_filter(field, sigma, mode="nearest", truncate=3.0)
        dz, dy, dx = np.gradient(smooth)
        channels.append(np.stack([smooth, dx, dy, dz], axis=-1))
    return np.stack(channels, axis=-2).astype(np.float32)


def _plane_slopes(slope: FloatArray, points: Places) -> FloatArray:
    """Slopes along a roll about y, a yaw about z and a shift along x: (n, channel, 3)."""
    x, y, z = (points[:, None, axis] for axis in range(3))
    about_y = slope[..., 0] * z - slope[..., 2] * x
    about_z = slope[..., 1] * x - slope[..., 0] * y
    return np.stack([about_y, about_z, slope[..., 0]], axis=-1).astype(np.float32)
