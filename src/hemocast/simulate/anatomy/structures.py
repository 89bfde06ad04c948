"""What differs from head to head beside its shape: air cells, calcium, lacunes, arteries."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from hemocast.simulate.anatomy.atlas import DISTANCE_STEP, DISTANCE_ZERO, ORIGIN, SHAPE, load_atlas
from hemocast.simulate.anatomy.tissue import Tissue

Side = Literal["left", "right"]

M1_COURSE = ((7, 4, -23), (15, 4, -22), (21, 4, -19), (27, 6, -19), (33, 9, -20), (39, 9, -18))
"""Middle cerebral artery from the carotid's end to its branching, MNI (x, y, z) mm: it follows the
fluid between the frontal and temporal lobes of the template."""

DEEP_VESSELS = (
    (Tissue.DEEP_VEIN, 1.1, ((2, 4, 15), (2, -14, 15), (2, -34, 9), (1, -42, 5))),
    (Tissue.DEEP_VEIN, 2.0, ((0, -40, 6), (0, -48, 1))),
    (Tissue.DEEP_VEIN, 1.0, ((12, -22, -14), (12, -34, -6), (2, -42, 3))),
    (Tissue.ARTERY, 1.7, ((0, -30, -50), (0, -22, -40), (0, -19, -24))),
    (Tissue.ARTERY, 1.1, ((0, -19, -23), (11, -20, -17), (20, -32, -12), (14, -48, -4))),
    (Tissue.ARTERY, 2.2, ((13, 6, -36), (10, 8, -30), (8, 3, -25))),
    (Tissue.ARTERY, 1.1, ((7, 4, -23), (2, 12, -20))),
    (Tissue.ARTERY, 1.0, ((1, 12, -20), (1, 30, -10), (1, 37, 4), (1, 30, 16), (1, 8, 28))),
    (Tissue.ARTERY, 1.0, ((39, 9, -18), (42, 6, -8), (43, -2, 4), (41, -14, 14))),
    (Tissue.ARTERY, 1.0, ((39, 9, -18), (41, 18, -8), (40, 24, 2))),
)  # fmt: skip
"""Vessels of both sides beside M1: kind, radius (mm), course (MNI x, y, z; mm): internal cerebral
veins and the vein of Galen, basal veins, basilar, posterior cerebral, internal carotid, anterior
cerebral arteries and the branches over the insula. Ours, by textbook maps."""

M1_RADIUS_MM = 1.6
"""Of the artery; textbooks give an M1 diameter of about 3 mm."""


def lay_arteries(tissue: NDArray[np.uint8], occluded: Side | None) -> None:
    """Lay the vessels of the base, one first segment of a middle cerebral artery with a clot."""
    for kind, radius, course in DEEP_VESSELS:
        for sign in (-1, 1):
            _tube(tissue, np.array(course) * (sign, 1, 1), radius, kind)
    for side, sign in (("left", -1), ("right", 1)):
        kind = Tissue.CLOT if side == occluded else Tissue.ARTERY
        _tube(tissue, np.array(M1_COURSE) * (sign, 1, 1), M1_RADIUS_MM, kind)


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
    _calcify(rng, tissue, age)
    _lay_cortical_veins(rng, tissue)
    for _ in range(rng.poisson(max(age - 50, 0) / 35)):
        sign = rng.choice([-1, 1])
        at = (sign * rng.uniform(10, 30), rng.uniform(-25, 18), rng.uniform(0, 26))
        _ball(tissue, at, rng.uniform(1.5, 4.0), Tissue.LACUNE)
    return tissue


def _calcify(rng: Generator, tissue: NDArray[np.uint8], age: float) -> None:
    """Put calcium into pineal gland, choroid plexus, pallidum, falx, tentorium and arteries."""

    def likely(from_age: float, years: float, least: float, most: float) -> bool:
        return bool(rng.random() < np.clip((age - from_age) / years, least, most))

    def grains(at: tuple[float, ...], spread: float, radii: tuple[float, float]) -> None:
        for _ in range(rng.integers(1, 5)):
            place = np.array(at) + rng.normal(0, spread, 3)
            _ball(tissue, place, rng.uniform(*radii), Tissue.CALCIUM)

    if likely(18, 60, 0.1, 0.85):
        grains((0, -26, 1), 1.0, (0.8, 2.6))
    for sign in (-1, 1):
        if likely(20, 70, 0.1, 0.8):
            grains((sign * rng.normal(22, 1.5), rng.normal(-41, 2), rng.normal(9, 3)), 2.5,
                   (0.8, 3.0))  # fmt: skip
    if likely(35, 200, 0.02, 0.3):
        radius = rng.uniform(1.2, 3.2)
        for sign in (-1, 1):
            at = (sign * rng.normal(19, 1), rng.normal(-2, 1.5), rng.normal(0, 1.5))
            _ball(tissue, at, radius * rng.uniform(0.6, 1.0), Tissue.FAINT_CALCIUM)
    for _ in range(rng.poisson(np.clip((age - 40) / 35, 0, 1.5))):
        at = rng.uniform(-0.5, 0.5), rng.uniform(10, 62), rng.uniform(20, 60)
        _ball(tissue, at, rng.uniform(2, 8), Tissue.CALCIUM, (Tissue.FALX,))
        at = rng.choice([-1, 1]) * rng.uniform(14, 40), rng.uniform(-60, -30), rng.uniform(-24, -6)
        _ball(tissue, at, rng.uniform(2, 6), Tissue.CALCIUM, (Tissue.TENTORIUM,))
    for _ in range(rng.poisson(np.clip((age - 45) / 15, 0, 3))):
        at = rng.choice([-1, 1]) * rng.normal(12, 1.5), rng.normal(7, 2), rng.normal(-34, 3)
        _ball(tissue, at, rng.uniform(0.8, 2.0), Tissue.CALCIUM)


def _lay_cortical_veins(rng: Generator, tissue: NDArray[np.uint8]) -> None:
    """Lay veins over the convexity, on their way up to the sagittal sinus."""
    distance = load_atlas().distance
    reach = np.arange(115.0, 40.0, -1.0)
    for _ in range(rng.integers(8, 22)):
        sign, forward = rng.choice([-1, 1]), rng.uniform(-1.0, 1.1)
        angle = np.linspace(0.12, rng.uniform(0.5, 1.5), 24)
        turned = forward + rng.normal(0, 0.25) * angle + np.cumsum(rng.normal(0, 0.02, 24))
        way = np.stack([sign * np.sin(angle) * np.cos(0.6 * turned), np.sin(turned) * np.cos(0.5
                        * angle), np.cos(angle) * np.cos(0.8 * turned)], axis=-1)  # fmt: skip
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        points = np.array([0, -18, 5]) + reach[:, None, None] * way
        index = np.clip(np.rint(points - ORIGIN).astype(int), 0, np.array(SHAPE)[::-1] - 1)
        depth = distance[index[..., 2], index[..., 1], index[..., 0]]
        within = depth < DISTANCE_ZERO - rng.uniform(0.5, 2.5) / DISTANCE_STEP
        first = within.argmax(axis=0)
        course = points[first, np.arange(len(way))][within.any(axis=0)]
        if len(course) > 1:
            _tube(tissue, course, rng.uniform(0.8, 1.9), Tissue.VEIN, (Tissue.SCALP, Tissue.FALX))


def _tube(
    tissue: NDArray[np.uint8],
    corners: NDArray[np.float64],
    radius: float,
    kind: Tissue,
    only: tuple[Tissue, ...] = (),
) -> None:
    """Fill a tube along corners, MNI (x, y, z) mm; where `only` is given, only of those tissues."""
    parts = [
        np.linspace(a, b, max(2, int(np.linalg.norm(b - a) / 0.8))) for a, b in pairwise(corners)
    ]
    centre = (np.concatenate(parts) - ORIGIN)[:, None, ::-1]
    reach = np.arange(-int(radius) - 1, int(radius) + 2)
    voxel = np.rint(centre).astype(int) + np.stack(
        np.meshgrid(reach, reach, reach), axis=-1
    ).reshape(-1, 3)
    near = voxel[((voxel - centre) ** 2).sum(axis=-1) <= radius**2]
    at = np.ravel_multi_index(tuple(near.T), tissue.shape, mode="clip")
    if only:
        at = at[np.isin(tissue.ravel()[at], only)]
    tissue.ravel()[at] = kind


def _ball(
    tissue: NDArray[np.uint8],
    at: ArrayLike,
    radius: float,
    kind: Tissue,
    only: tuple[Tissue, ...] = (),
) -> None:
    """Fill a ball, `at` in MNI (x, y, z) mm; where `only` is given, only of those tissues."""
    centre = (np.asarray(at, dtype=np.float64) - ORIGIN)[::-1]
    low = np.floor(centre - radius).astype(int)
    high = np.ceil(centre + radius).astype(int) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.ogrid[box]
    inside = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
    if only:
        inside &= np.isin(tissue[box], only)
    tissue[box][inside] = kind
