"""Where ventricles, venous sinuses and usual calcifications lie in an upright head, as lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment
from hemocast.anatomy.template import CENTRE_MM
from hemocast.anatomy.tissue import TissueMap
from hemocast.volume import Affine, FloatArray

Line = tuple[tuple[float, float, float], ...]

VENTRICLES: tuple[Line, ...] = (
    ((16, 28, 4), (6, 18, 9), (6, 6, 15), (9, -8, 22), (13, -22, 23), (19, -36, 18), (26, -44, 8),
     (31, -56, 4), (29, -68, 4)),
    ((26, -44, 8), (33, -32, -8), (31, -14, -18)),
    ((0, 4, -6), (0, -14, -2), (0, -24, 2)),
    ((0, -40, -26), (0, -48, -34), (0, -46, -42)),
)  # fmt: skip
"""Middles of the right lateral (body, temporal horn), the third and the fourth ventricle: x, y, z
in mm of the MNI152 2009a template (Fonov 2011, 10.1016/j.neuroimage.2010.07.033), read from its T1.
"""

DENSE: tuple[Line, ...] = (
    ((0, -96, -12), (22, -90, -21), (42, -76, -26), (54, -58, -30), (50, -46, -36)),
    ((0, -46, 4), (0, -72, -6), (0, -96, -12)),
    ((0, -46, 4), (16, -50, -9), (34, -56, -20), (54, -58, -30)),
    ((0, -68, -5), (20, -72, -17), (42, -76, -26)),
    ((14, -36, -8), (26, -44, -16), (42, -54, -24)),
    ((0, -96, -12), (0, -96, 12), (0, -84, 42), (0, -58, 66), (0, -16, 78), (0, 24, 66)),
    ((24, -38, 12), (26, -46, 6)),
    ((0, -26, 1), (0, -30, 1)),
)
"""What is dense in most people: transverse and sigmoid, straight and superior sagittal sinus with
the tentorium between them; where the choroid plexus is thickest; the pineal gland.
"""

FAR_MM = 99.0
_INSIDE = 0.02


def distances(
    tissue: TissueMap, to_mm: Affine, pose: Alignment, lines: tuple[Line, ...]
) -> FloatArray:
    """Distance of every block of the tissue map from the nearest of some lines.

    Parameters
    ----------
    tissue : TissueMap
        Its blocks.
    to_mm : ndarray of float64, shape (4, 4)
        The Volume's affine: maps voxel ``(x, y, z, 1)`` to the scan's mm.
    pose : Alignment
        How the head is set upright, and its size against the template's.
    lines : tuple of Line
        Right of the midline or on it; their mirror images count as well.

    Returns
    -------
    ndarray of float32, shape (z, y, x)
        mm of the template; `FAR_MM` outside the dura.
    """
    within = tissue.inside > _INSIDE
    blocks = tissue.blocks
    voxel = np.argwhere(within) * np.array(blocks.step) + np.array(blocks.first)
    to_upright = np.linalg.inv(pose.matrix) @ to_mm
    upright = voxel[:, ::-1] @ to_upright[:3, :3].T + to_upright[:3, 3]
    place = (upright / np.array(pose.stretch) + np.array(CENTRE_MM)).astype(np.float32)
    place[:, 0] = np.abs(place[:, 0])
    away = np.full(within.shape, FAR_MM, np.float32)
    squared = np.full(len(place), FAR_MM**2, np.float32)
    for line in lines:
        for start, end in pairwise(line):
            np.minimum(squared, _squared(place, np.array(start), np.array(end)), out=squared)
    away[within] = np.sqrt(squared)
    return away


def _squared(place: FloatArray, start: NDArray[np.int_], end: NDArray[np.int_]) -> FloatArray:
    """Squared distance of points from one piece of a line."""
    x, y, z = (place[:, axis] - np.float32(start[axis]) for axis in range(3))
    along = (end - start).astype(np.float32)
    share = (x * along[0] + y * along[1] + z * along[2]) / float((along**2).sum())
    np.clip(share, 0, 1, out=share)
    rest = (x - share * along[0], y - share * along[1], z - share * along[2])
    return np.asarray(rest[0] ** 2 + rest[1] ** 2 + rest[2] ** 2, np.float32)
