"""Simple solids in MNI millimetres."""

from __future__ import annotations

from typing import NamedTuple

from hemocast.volume import BoolArray, FloatArray


class Points(NamedTuple):
    """MNI millimetres of a grid, shaped to broadcast to (z, y, x).

    Parameters
    ----------
    z, y, x : ndarray of float32
        Superior, anterior and right.
    """

    z: FloatArray
    y: FloatArray
    x: FloatArray


def ellipsoid(
    points: Points, at: tuple[float, float, float], radii: tuple[float, float, float]
) -> BoolArray:
    """Return which points lie inside an ellipsoid; `at` and `radii` in (x, y, z) mm."""
    z, y, x = points
    inside: BoolArray = (
        ((x - at[0]) / radii[0]) ** 2
        + ((y - at[1]) / radii[1]) ** 2
        + ((z - at[2]) / radii[2]) ** 2
    ) < 1
    return inside
