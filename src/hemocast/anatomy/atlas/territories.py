"""Territories of the arteries of one side, by the nearest of points placed in MNI space."""

from __future__ import annotations

import numpy as np

from hemocast.anatomy.atlas.solids import Points
from hemocast.volume import FloatArray

ANCHORS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "MCA superior": (
        (45, 10, 10), (48, -20, 18), (42, 30, 12), (45, -25, 42), (40, 10, 42), (40, 45, 5),
        (40, -45, 45), (30, 12, 30),
    ),
    "MCA inferior": (
        (52, -15, -12), (50, -45, 14), (38, -58, 36), (45, 5, -25), (48, -62, 8), (54, -34, 4),
        (36, -40, 12),
    ),
    "MCA deep": ((27, 5, 2), (27, -8, 6), (14, 13, 8), (24, -4, 22), (24, 14, 0)),
    "ACA": (
        (8, 52, 10), (8, 38, 35), (8, 10, 58), (8, -22, 60), (8, -42, 50), (10, 52, -10),
        (14, 60, 22), (9, 25, -16),
    ),
    "PCA": (
        (12, -82, 5), (12, -65, 2), (26, -66, -8), (20, -88, 15), (10, -22, 6), (28, -38, -14),
        (14, -76, 25),
    ),
    "cerebellar": ((25, -60, -45), (16, -72, -32), (38, -60, -36), (14, -50, -50), (14, -48, -28)),
    "pons": ((6, -26, -28), (6, -24, -38), (5, -34, -50)),
}  # fmt: skip
"""Points (MNI x, y, z; mm) whose nearest neighbourhood stands for a territory. Ours, placed by the
usual textbook maps; coarse on purpose, the boundary is made irregular."""


def territory_margins(points: Points) -> dict[str, FloatArray]:
    """Return by how much each territory's anchors are nearer than all others', mm.

    Parameters
    ----------
    points : Points
        Of a grid on the right side; the left side is the right one mirrored.

    Returns
    -------
    dict of str -> ndarray of float32, shape (z, y, x)
        Positive inside. Besides the `ANCHORS`, ``"MCA"`` is its branches together and ``"below"``
        what lies below the tentorium.
    """
    z, y, x = points
    nearest: dict[str, FloatArray] = {}
    for name, anchors in ANCHORS.items():
        squares = [(x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2 for px, py, pz in anchors]
        nearest[name] = np.sqrt(np.minimum.reduce(squares)).astype(np.float32)
    groups = {name: {name} for name in nearest}
    groups["MCA"] = {name for name in nearest if name.startswith("MCA")}
    groups["below"] = {"cerebellar", "pons"}
    return {name: _margin(nearest, own) for name, own in groups.items()}


def _margin(nearest: dict[str, FloatArray], own: set[str]) -> FloatArray:
    """Return how much farther the nearest anchor of others is than that of one's own."""
    mine, others = (
        np.minimum.reduce([away for name, away in nearest.items() if (name in own) == inside])
        for inside in (True, False)
    )
    return np.asarray(others - mine, np.float32)
