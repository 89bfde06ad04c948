"""What differs from head to head beside its shape: air cells, calcium, lacunes, arteries."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import ORIGIN
from hemocast.simulate.anatomy.tissue import Tissue

Side = Literal["left", "right"]

M1_COURSE = ((7, 4, -23), (15, 4, -22), (21, 4, -19), (27, 6, -19), (33, 9, -20), (39, 9, -18))
"""Middle cerebral artery from the carotid's end to its branching, MNI (x, y, z) mm: it follows the
fluid between the frontal and temporal lobes of the template."""

M1_RADIUS_MM = 1.6
"""Of the artery; textbooks give an M1 diameter of about 3 mm."""


def lay_arteries(tissue: NDArray[np.uint8], occluded: Side | None) -> None:
    """Lay the first segments of both middle cerebral arteries, one perhaps with a clot."""
    corners = np.array(M1_COURSE, dtype=np.float64)
    course = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(corners)])
    for side, sign in (("left", -1), ("right", 1)):
        kind = Tissue.CLOT if side == occluded else Tissue.ARTERY
        for x, y, z in course:
            _ball(tissue, (sign * x, y, z), M1_RADIUS_MM, kind)


def draw_structures(rng: Generator, tissue: NDArray[np.uint8], age: float) -> NDArray[np.uint8]:
    """Put in what differs from head to head: air cells, calcium, lacunes."""
    middle = int(-ORIGIN[0])
    z0, z1 = int(-40 - ORIGIN[2]), int(30 - ORIGIN[2])
    frontal = tissue[z0:z1] == Tissue.FRONTAL_SINUS
    height, width = rng.uniform(2, 22, 2), rng.uniform(8, 26, 2)
    x = np.arange(tissue.shape[2]) - middle
    z = np.arange(z0, z1) + ORIGIN[2]
    side = (x > 0).astype(int)
    filled = (z[:, None] < height[side]) & (np.abs(x) < width[side])
    tissue[z0:z1][frontal] = Tissue.BONE
    tissue[z0:z1][frontal & filled[:, None, :]] = Tissue.CAVITY
    cells = np.flatnonzero(tissue == Tissue.MASTOID)
    pneumatised = rng.uniform(0.1, 0.5, 2)[(cells % tissue.shape[2] > middle).astype(int)]
    noise = rng.random(len(cells), dtype=np.float32)
    tissue.ravel()[cells[noise < pneumatised]] = Tissue.CAVITY
    if rng.random() < np.clip(0.2 + (age - 30) / 60, 0.1, 0.85):
        _ball(tissue, (rng.normal(0, 0.7), -26, 1), rng.uniform(1.2, 3.0), Tissue.CALCIUM)
    for sign in (-1, 1):
        if rng.random() < np.clip((age - 20) / 70, 0.1, 0.8):
            at = (sign * rng.normal(22, 1.5), rng.normal(-41, 2), rng.normal(9, 3))
            _ball(tissue, at, rng.uniform(1.5, 3.5), Tissue.CALCIUM)
    for _ in range(rng.poisson(max(age - 50, 0) / 35)):
        sign = rng.choice([-1, 1])
        at = (sign * rng.uniform(10, 30), rng.uniform(-25, 18), rng.uniform(0, 26))
        _ball(tissue, at, rng.uniform(1.5, 4.0), Tissue.LACUNE)
    return tissue


def _ball(
    tissue: NDArray[np.uint8], at: tuple[float, float, float], radius: float, kind: Tissue
) -> None:
    """Fill a ball, `at` in MNI (x, y, z) mm."""
    centre = (np.array(at) - ORIGIN)[::-1]
    low = np.floor(centre - radius).astype(int)
    high = np.ceil(centre + radius).astype(int) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.ogrid[box]
    inside = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
    tissue[box][inside] = kind
