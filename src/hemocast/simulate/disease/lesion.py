"""Where an infarct lies and how far it reaches: vascular territories, irregular, one side only.

A growth map says in which order the tissue of a side falls to an infarct. It depends on the
territory and one of `PATTERNS` patterns alone, never on the head, so that what an infarct of a
given volume takes can be tabulated without building heads (`hemocast.simulate.disease.aspects`);
each head then bends the map on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import (
    COARSE,
    DISTANCE_ZERO,
    LEVEL_ONE,
    ORIGIN,
    SHAPE,
    load_atlas,
)
from hemocast.simulate.anatomy.shape import FIELD, AtlasMaps, Shape, atlas_maps, smooth_noise
from hemocast.volume import BoolArray, FloatArray

Territory = Literal[
    "MCA", "MCA superior", "MCA inferior", "MCA deep", "ACA", "PCA", "lacunar", "cerebellar", "pons"
]
Side = Literal["left", "right"]

TERRITORIES: tuple[Territory, ...] = get_args(Territory)

PATTERNS = 64
"""Growth maps of every territory."""

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

SEEDS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "MCA": ((46, 5, 8), (50, -22, 18), (48, -45, 22), (44, 22, 10), (30, 2, 4), (50, -15, 2)),
    "MCA superior": ((46, 8, 14), (48, -15, 26), (44, 25, 12), (42, -35, 40)),
    "MCA inferior": ((52, -18, -6), (50, -42, 12), (46, -55, 24), (48, 0, -20)),
    "MCA deep": ((26, 4, 4), (27, -6, 6), (22, 8, 12)),
    "ACA": ((9, 45, 20), (9, 10, 55), (9, -20, 58)),
    "PCA": ((14, -78, 6), (18, -70, 0), (14, -80, 18)),
    "lacunar": ((26, 2, 4), (12, -18, 8), (24, -15, 22), (22, 10, 12), (28, -8, 2)),
    "cerebellar": ((24, -60, -44), (20, -70, -35)),
    "pons": ((5, -24, -28), (5, -25, -34)),
}
"""Points (MNI x, y, z; mm) round which infarcts grow."""

EDGE_MM = 1.5
"""Width of the soft edge of an infarct or a bleed, mm."""

FIRST, LAST = (32, 20, 100), (200, 212, 172)
"""First and last atlas voxel (z, y, x) of growth maps of the right side; multiples of `FIELD`."""


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

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the box lies in the atlas."""
        z, y, x = (slice(a, a + n) for a, n in zip(self.start, self.share.shape, strict=True))
        return z, y, x


@dataclass(frozen=True)
class Growth:
    """The order in which the tissue of one side falls to an infarct.

    Parameters
    ----------
    start : tuple of int
        Atlas voxel (z, y, x) of the first point.
    step : int
        Millimetres between points.
    order : ndarray of float32, shape (z, y, x)
        Minus the millimetres the infarct must have grown, about; -1e4 where it never comes.
    """

    start: tuple[int, int, int]
    step: int
    order: FloatArray


def half_axes(step: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return MNI z, y, x of the right side's points, `step` mm apart, shaped to broadcast."""
    z, y, x = (
        np.arange(a, b + 1, step, dtype=np.float32) + np.float32(ORIGIN[2 - i])
        for i, (a, b) in enumerate(zip(FIRST, LAST, strict=True))
    )
    return z[:, None, None], y[None, :, None], x[None, None, :]


@lru_cache(maxsize=2)
def territory_margins(step: int = COARSE) -> dict[str, FloatArray]:
    """Return by how much each territory's anchors are nearer than all others', mm.

    Parameters
    ----------
    step : int
        Millimetres between points, of `half_axes`.
    """
    z, y, x = half_axes(step)
    nearest: dict[str, FloatArray] = {}
    for name, points in ANCHORS.items():
        squares = [(x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2 for px, py, pz in points]
        nearest[name] = np.sqrt(np.minimum.reduce(squares)).astype(np.float32)

    def margin(own: set[str]) -> FloatArray:
        others = [d for name, d in nearest.items() if name not in own]
        result: FloatArray = np.minimum.reduce(others) - np.minimum.reduce(
            [nearest[name] for name in own]
        )
        return result

    margins = {name: margin({name}) for name in nearest}
    margins["MCA"] = margin({name for name in nearest if name.startswith("MCA")})
    margins["below"] = margin({"cerebellar", "pons"})
    return margins


@lru_cache(maxsize=2)
def _shallow(step: int) -> FloatArray:
    """Return 1 at the surface of the brain, 0 from 15 mm deep."""
    box = tuple(slice(a, b + 1, step) for a, b in zip(FIRST, LAST, strict=True))
    part: FloatArray = np.clip(load_atlas().distance[box] * np.float32(1 / DISTANCE_ZERO), 0, 1)
    return part


def on_box(
    field: FloatArray, start: tuple[int, int, int], size: tuple[int, ...], step: int
) -> FloatArray:
    """Interpolate a map linearly to a box of a grid `step` times finer.

    Parameters
    ----------
    field : ndarray of float32, shape (z, y, x)
        Map on the coarse grid.
    start, size : tuple of int
        First point of the box on the finer grid, and its points.
    step : int
        Fine points per coarse point.
    """
    out = field
    for axis in range(3):
        at = (start[axis] + np.arange(size[axis], dtype=np.float32)) / step
        low = np.clip(at.astype(int), 0, field.shape[axis] - 2)
        weight = (at - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        below, above = np.take(out, low, axis=axis), np.take(out, low + 1, axis=axis)
        out = below + weight * (above - below)
    return out


def draw_growth(territory: Territory, pattern: int, side: Side, step: int = COARSE) -> Growth:
    """Draw a growth map; the same territory and pattern always give the same one.

    Parameters
    ----------
    territory : str
        A `Territory`.
    pattern : int
        0 to `PATTERNS` - 1.
    side : {"left", "right"}
        The patient's side; left is right mirrored. The other side is never reached.
    step : int
        Millimetres between points, 2 or 4: the points of 4 mm are every second one of 2 mm.

    Raises
    ------
    ValueError
        No such territory, pattern or step.
    """
    if territory not in SEEDS or not 0 <= pattern < PATTERNS or FIELD % step:
        raise ValueError(f"no growth map of {territory!r}, pattern {pattern}, {step} mm")
    rng = np.random.default_rng(SeedSequence([TERRITORIES.index(territory), pattern]))
    z, y, x = half_axes(step)
    local = territory in ("lacunar", "pons")
    seeds = SEEDS[territory]
    seed = np.array(seeds[rng.integers(len(seeds))]) + rng.normal(0, 2 if local else 5, 3)
    seed[0] = max(seed[0], 4.0)
    widths = np.exp(rng.normal(0, 0.2, 3)).astype(np.float32)
    seed = seed.astype(np.float32)
    reach = np.sqrt(
        ((x - seed[0]) / widths[0]) ** 2
        + ((y - seed[1]) / widths[1]) ** 2
        + ((z - seed[2]) / widths[2]) ** 2
    )
    points = tuple((b - a) // FIELD + 1 for a, b in zip(FIRST, LAST, strict=True))
    bumps = [smooth_noise(rng, scale, shape=points)[0] for scale in (26, 12)]
    if step != FIELD:
        bumps = [on_box(b, (0, 0, 0), reach.shape, FIELD // step) for b in bumps]
    margins = territory_margins(step)
    order = -reach
    if not local:
        # A wedge: further along the surface of the brain than into it.
        order *= 1 - np.float32(0.35) * _shallow(step)
        order += np.minimum(reach / 12, 1) * (6 * bumps[0] + 3 * bumps[1])
    if territory != "lacunar":
        margin = margins[territory] + (1 if local else 4) * bumps[0] + 2 * bumps[1]
        order += np.float32(2.5) * np.minimum(margin, 0)
    below = margins["below"] > 0
    order[~below if territory in ("cerebellar", "pons") else below] = -1e4
    start = FIRST
    if side == "left":
        order, start = order[..., ::-1], (FIRST[0], FIRST[1], SHAPE[2] - 1 - LAST[2])
    return Growth(start, step, np.ascontiguousarray(order, dtype=np.float32))


def tissue_share(level: NDArray[np.uint8], threshold: FloatArray) -> FloatArray:
    """Return the share of brain tissue in [0, 1] from the atlas' level and a head's threshold."""
    share: FloatArray = level * np.float32(1 / (0.12 * LEVEL_ONE))
    share -= threshold / np.float32(0.12) - np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def tissue_ml(
    maps: AtlasMaps, start: tuple[int, int, int], size: tuple[int, ...], step: int, free: BoolArray
) -> FloatArray:
    """Return the patient's brain tissue in every cell of a box of atlas points, mL.

    Parameters
    ----------
    maps : AtlasMaps
        The head's threshold and stretch.
    start : tuple of int
        First atlas voxel (z, y, x); a multiple of `step`.
    size : tuple of int
        Points of the box.
    step : int
        Millimetres between points.
    free : ndarray of bool
        Of the whole atlas: False where something else took the tissue's place.
    """
    box = tuple(slice(a, a + step * n, step) for a, n in zip(start, size, strict=True))
    first = (start[0] // step, start[1] // step, start[2] // step)
    cell = tissue_share(load_atlas().level[box], on_box(maps.threshold, first, size, FIELD // step))
    cell *= on_box(maps.stretch, first, size, FIELD // step) * np.float32(step**3 / 1000)
    cell *= free[box]
    return cell


def fill(growth: Growth, volume_ml: float, shape: Shape, free: BoolArray) -> Stain:
    """Let a stain grow until it holds a given volume of the patient's tissue.

    Parameters
    ----------
    growth : Growth
        As `draw_growth` returns it, of `COARSE` mm.
    volume_ml : float
        Tissue wanted, in the patient's own mL; less where the side holds less.
    shape : Shape
        The head: its atrophy and its local size count.
    free : ndarray of bool
        Of the whole atlas: False where something else took the tissue's place.
    """
    maps = atlas_maps(shape)
    cell = tissue_ml(maps, growth.start, growth.order.shape, growth.step, free)
    # mL by half millimetres of growth, from the first tissue to fall
    first = float(np.floor(-2 * growth.order.max()))
    steps = np.clip(-2 * growth.order - first, 0, 1999).astype(np.intp)
    filled = np.cumsum(np.bincount(steps.ravel(), weights=cell.ravel(), minlength=2000)[:1999])
    needed = min(int(np.searchsorted(filled, volume_ml)), 1998)
    return _refine(growth, -(needed + first) / 2, volume_ml, maps, free)


def _refine(
    growth: Growth, guess: float, volume_ml: float, maps: AtlasMaps, free: BoolArray
) -> Stain:
    """Find the level that gives the volume on the 1 mm grid, soft edge included."""
    touched = np.argwhere(growth.order > guess - 6 * EDGE_MM)
    low = np.maximum(touched.min(axis=0) - 1, 0) * growth.step
    high = np.minimum(touched.max(axis=0) + 2, growth.order.shape) * growth.step
    a, b, c = (int(n) for n in high - low)
    fine = on_box(growth.order, (int(low[0]), int(low[1]), int(low[2])), (a, b, c), growth.step)
    z, y, x = (int(n) for n in low + growth.start)
    cell = tissue_ml(maps, (z, y, x), (a, b, c), 1, free)
    inside = cell > 0
    level = soft_level(fine[inside], cell[inside], volume_ml, EDGE_MM, guess)
    return Stain((z, y, x), np.round(255 * soft(fine - level, EDGE_MM)).astype(np.uint8))


def soft_level(
    order: FloatArray, weights: FloatArray, total: float, edge: float, guess: float
) -> float:
    """Return the level over which `order`, with a soft edge, holds `total` of the weights.

    Parameters
    ----------
    order, weights : ndarray of float32, shape (n,)
        A map and what each of its points holds.
    total : float
        Wanted.
    edge : float
        Width of the soft edge, in the map's unit.
    guess : float
        The level, within six edges.
    """
    bottom, top = guess - 6 * edge, guess + 6 * edge
    for _ in range(14):
        middle = (bottom + top) / 2
        held = float(np.sum(soft(order - middle, edge) * weights, dtype=np.float64))
        bottom, top = (middle, top) if held > total else (bottom, middle)
    return (bottom + top) / 2


def soft(over: FloatArray, edge: float) -> FloatArray:
    """Return a smooth step from 0 to 1 of width about `edge`, one half at 0."""
    t = np.clip(over / (2 * edge) + 0.5, 0, 1)
    step: FloatArray = t * t * (3 - 2 * t)
    return step
