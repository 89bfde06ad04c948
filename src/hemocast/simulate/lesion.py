"""Where an infarct lies and how far it reaches: vascular territories, irregular, one side only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.simulate.atlas import COARSE, LEVEL_ONE, SHAPE, axes, load_atlas
from hemocast.simulate.shape import FIELD, Shape, smooth_noise, stretch
from hemocast.volume import FloatArray

Territory = Literal["MCA", "ACA", "PCA", "cerebellar", "lacunar"]

ANCHORS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "MCA": (
        (45, 10, 10), (48, -20, 15), (50, -45, 20), (52, -15, -12), (42, 30, 12), (27, 5, 2),
        (45, -25, 42), (40, 10, 42), (38, -55, 38), (45, 5, -25), (40, 45, 5), (48, -62, 8),
    ),
    "ACA": (
        (8, 52, 10), (8, 38, 35), (8, 10, 58), (8, -22, 60), (8, -42, 50), (10, 52, -10),
        (14, 60, 22),
    ),
    "PCA": (
        (12, -82, 5), (12, -65, 2), (26, -66, -8), (20, -88, 15), (10, -22, 6), (28, -38, -14),
        (14, -76, 25),
    ),
    "cerebellar": ((25, -60, -45), (16, -72, -32), (38, -60, -36), (14, -50, -50)),
}  # fmt: skip
"""Points (MNI x, y, z; mm) whose nearest neighbourhood stands for a territory. Ours, placed by the
usual textbook maps; coarse on purpose, the boundary is made irregular."""

SEEDS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "MCA": ((46, 5, 8), (50, -22, 18), (48, -45, 22), (44, 22, 10), (30, 2, 4), (50, -15, 2)),
    "ACA": ((9, 45, 20), (9, 10, 55), (9, -20, 58)),
    "PCA": ((14, -78, 6), (18, -70, 0), (14, -80, 18)),
    "cerebellar": ((24, -60, -44), (20, -70, -35)),
    "lacunar": ((26, 2, 4), (12, -18, 8), (24, -15, 22), (22, 10, 12), (28, -8, 2)),
}
"""Points (MNI x, y, z; mm) round which infarcts grow."""

EDGE_MM = 1.5
"""Width of the soft edge of an infarct or a bleed, mm."""


@dataclass(frozen=True)
class Stain:
    """Something inside the brain, as its share of every voxel, on a box of the atlas grid.

    Parameters
    ----------
    start : tuple of int
        First voxel (z, y, x) of the box in the atlas.
    share : ndarray of uint8, shape (z, y, x)
        Share times 255.
    """

    start: tuple[int, int, int]
    share: NDArray[np.uint8]


@lru_cache(maxsize=1)
def _territory_margins() -> dict[str, FloatArray]:
    """Return mm by which each territory's anchors are nearer than all others', on 2 mm."""
    z, y, x = axes(COARSE)
    ax = np.abs(x)
    nearest: dict[str, FloatArray] = {}
    for name, points in ANCHORS.items():
        squares = [(ax - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2 for px, py, pz in points]
        nearest[name] = np.sqrt(np.minimum.reduce(squares)).astype(np.float32)
    return {
        name: np.minimum.reduce([d for other, d in nearest.items() if other != name]) - own
        for name, own in nearest.items()
    }


def on_box(
    field: FloatArray, start: NDArray[np.intp], size: NDArray[np.intp], step: int
) -> FloatArray:
    """Interpolate a map of `step` mm linearly to a box of atlas voxels."""
    out = field
    for axis in range(3):
        at = (start[axis] + np.arange(size[axis], dtype=np.float32)) / step
        low = np.clip(at.astype(int), 0, field.shape[axis] - 2)
        weight = (at - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        below, above = np.take(out, low, axis=axis), np.take(out, low + 1, axis=axis)
        out = below + weight * (above - below)
    return out


def draw_growth(rng: Generator, territory: Territory, side: Literal["left", "right"]) -> FloatArray:
    """Draw the order in which tissue falls to an infarct: a map on the 2 mm grid, highest first.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    territory : str
        A key of `SEEDS`.
    side : {"left", "right"}
        The patient's side. The other side and the midline are excluded.

    Returns
    -------
    ndarray of float32, shape (z, y, x)
        Minus the millimetres the infarct must have grown, about; -1e4 where it never comes.
    """
    z, y, x = axes(COARSE)
    x = x if side == "right" else -x
    seeds = SEEDS[territory]
    seed = np.array(seeds[rng.integers(len(seeds))]) + rng.normal(
        0, 5 if territory != "lacunar" else 2, 3
    )
    seed[0] = max(seed[0], 5.0)
    stretch_axes = np.exp(rng.normal(0, 0.2, 3))
    reach = np.sqrt(
        ((x - seed[0]) / stretch_axes[0]) ** 2
        + ((y - seed[1]) / stretch_axes[1]) ** 2
        + ((z - seed[2]) / stretch_axes[2]) ** 2
    )
    rough, fine = smooth_noise(rng, 26)[0], smooth_noise(rng, 12)[0]
    size = np.array(reach.shape)
    zero = np.zeros(3, dtype=np.intp)
    bumps = on_box(rough, zero, size, FIELD // COARSE), on_box(fine, zero, size, FIELD // COARSE)
    growth = -reach
    if territory != "lacunar":
        growth += np.minimum(reach / 12, 1) * (5 * bumps[0] + 2.5 * bumps[1])
        margin = _territory_margins()[territory] + 4 * bumps[0] + 2 * bumps[1]
        growth += 2.5 * np.minimum(margin, 0)
    infra = _territory_margins()["cerebellar"] > 0
    allowed = (infra if territory == "cerebellar" else ~infra) & (x > 2.0)
    result: FloatArray = np.where(allowed, growth, -1e4).astype(np.float32)
    return result


def tissue_share(level: NDArray[np.uint8], threshold: FloatArray) -> FloatArray:
    """Return the share of brain tissue in [0, 1] from the atlas' level and a head's threshold."""
    share: FloatArray = level * np.float32(1 / (0.12 * LEVEL_ONE))
    share -= threshold / np.float32(0.12) - np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def fill(growth: FloatArray, volume_ml: float, shape: Shape) -> Stain:
    """Let a stain grow until it holds a given volume of the patient's tissue.

    Parameters
    ----------
    growth : ndarray of float32, shape (z, y, x)
        As `draw_growth` returns it.
    volume_ml : float
        Tissue wanted, in the patient's own mL; less where the side holds less.
    shape : Shape
        The head: its atrophy and its local size count.

    Returns
    -------
    Stain
    """
    atlas = load_atlas()
    ratio = stretch(shape)
    step = slice(None, None, COARSE)
    size = np.array(growth.shape)
    zero = np.zeros(3, dtype=np.intp)
    tissue = tissue_share(
        atlas.level[step, step, step], on_box(shape.threshold, zero, size, FIELD // COARSE)
    )
    cell = tissue * on_box(ratio, zero, size, FIELD // COARSE) * (COARSE**3 / 1000)
    # mL by half millimetres of growth, from the first tissue to fall
    steps = np.clip(-2 * growth - np.floor(-2 * growth.max()), 0, 1999).astype(np.intp)
    filled = np.cumsum(np.bincount(steps.ravel(), weights=cell.ravel(), minlength=2000)[:1999])
    needed = min(int(np.searchsorted(filled, volume_ml)), 1998)
    guess = -(needed + np.floor(-2 * growth.max())) / 2
    return _refine(growth, guess, volume_ml, shape, ratio)


def _refine(
    growth: FloatArray, guess: float, volume_ml: float, shape: Shape, ratio: FloatArray
) -> Stain:
    """Find the level that gives the volume on the 1 mm grid, soft edge included."""
    atlas = load_atlas()
    touched = np.argwhere(growth > guess - 6 * EDGE_MM)
    low = np.maximum(touched.min(axis=0) * COARSE - COARSE, 0)
    high = np.minimum((touched.max(axis=0) + 2) * COARSE, SHAPE)
    size = high - low
    fine = on_box(growth, low, size, COARSE)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    cell = tissue_share(atlas.level[box], on_box(shape.threshold, low, size, FIELD))
    cell *= on_box(ratio, low, size, FIELD) / 1000
    inside = cell > 0
    values, weights = fine[inside], cell[inside]
    bottom, top = guess - 6 * EDGE_MM, guess + 6 * EDGE_MM
    for _ in range(14):
        middle = (bottom + top) / 2
        if float(np.sum(_soft(values - middle) * weights, dtype=np.float64)) > volume_ml:
            bottom = middle
        else:
            top = middle
    share = np.round(255 * _soft(fine - (bottom + top) / 2)).astype(np.uint8)
    return Stain(start=(int(low[0]), int(low[1]), int(low[2])), share=share)


def _soft(mm: FloatArray) -> FloatArray:
    """Return a smooth step of width about `EDGE_MM`."""
    t = np.clip(mm / (2 * EDGE_MM) + 0.5, 0, 1)
    step: FloatArray = t * t * (3 - 2 * t)
    return step
