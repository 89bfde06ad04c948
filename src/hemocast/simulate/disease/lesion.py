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

from hemocast.anatomy.atlas.solids import Points
from hemocast.anatomy.atlas.territories import territory_margins
from hemocast.anatomy.fields import on_axes
from hemocast.simulate.anatomy import atlas
from hemocast.simulate.anatomy.shape import FIELD, AtlasMaps, Shape, atlas_maps, smooth_noise
from hemocast.simulate.anatomy.structures import Side
from hemocast.volume import BoolArray, FloatArray

Territory = Literal[
    "MCA", "MCA superior", "MCA inferior", "MCA deep", "ACA", "PCA", "lacunar", "cerebellar", "pons"
]

TERRITORIES: tuple[Territory, ...] = get_args(Territory)

PATTERNS = 64
"""Growth maps of every territory."""

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
class TissueShare:
    """How much of every voxel an infarct or a bleed takes, on a box of the atlas grid.

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

    def on_atlas(self) -> NDArray[np.uint8]:
        """Return the share of every voxel of the atlas."""
        full = np.zeros(atlas.SHAPE, dtype=np.uint8)
        full[self.box] = self.share
        return full


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


def half_axes(step: int) -> Points:
    """Return the right side's points, `step` mm apart."""
    count = tuple((b - a) // step + 1 for a, b in zip(FIRST, LAST, strict=True))
    return atlas.axes(step, FIRST, count)


def half_box(step: int) -> tuple[slice, ...]:
    """Return where they lie in the atlas."""
    return tuple(slice(a, b + 1, step) for a, b in zip(FIRST, LAST, strict=True))


@lru_cache(maxsize=2)
def margins_of(step: int = atlas.COARSE) -> dict[str, FloatArray]:
    """Return the margins of the territories at the right side's points, `step` mm apart."""
    return territory_margins(half_axes(step))


@lru_cache(maxsize=2)
def _shallow(step: int) -> FloatArray:
    """Return 1 at the surface of the brain, 0 from 15 mm deep."""
    part: FloatArray = np.clip(
        atlas.load_atlas().distance[half_box(step)] * np.float32(1 / atlas.DISTANCE_ZERO), 0, 1
    )
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
    points = zip(start, size, strict=True)
    return on_axes(field, [(a + np.arange(n, dtype=np.float32)) / step for a, n in points])


def draw_growth(territory: Territory, pattern: int, side: Side, step: int = atlas.COARSE) -> Growth:
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
    margins = margins_of(step)
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
        order, start = order[..., ::-1], (FIRST[0], FIRST[1], atlas.SHAPE[2] - 1 - LAST[2])
    return Growth(start, step, np.ascontiguousarray(order, dtype=np.float32))


def brain_share(level: NDArray[np.uint8], threshold: FloatArray) -> FloatArray:
    """Return the share of brain tissue in [0, 1] from the atlas' level and a head's threshold."""
    share: FloatArray = level * np.float32(1 / (0.12 * atlas.LEVEL_ONE))
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
    cell = brain_share(
        atlas.load_atlas().level[box], on_box(maps.threshold, first, size, FIELD // step)
    )
    cell *= on_box(maps.stretch, first, size, FIELD // step) * np.float32(step**3 / 1000)
    cell *= free[box]
    return cell


def fill(growth: Growth, volume_ml: float, shape: Shape, free: BoolArray) -> TissueShare:
    """Let an infarct grow until it holds a given volume of the patient's tissue.

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
    size = growth.order.shape
    maps = atlas_maps(shape, growth.start, tuple(n * growth.step for n in size))
    cell = tissue_ml(maps, growth.start, size, growth.step, free)
    # mL by half millimetres of growth, from the first tissue to fall
    first = float(np.floor(-2 * growth.order.max()))
    steps = np.clip(-2 * growth.order - first, 0, 1999).astype(np.intp)
    filled = np.cumsum(np.bincount(steps.ravel(), weights=cell.ravel(), minlength=2000)[:1999])
    needed = min(int(np.searchsorted(filled, volume_ml)), 1998)
    return _refine(growth, -(needed + first) / 2, volume_ml, maps, free)


def _refine(
    growth: Growth, guess: float, volume_ml: float, maps: AtlasMaps, free: BoolArray
) -> TissueShare:
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
    return TissueShare((z, y, x), np.round(255 * soft(fine - level, EDGE_MM)).astype(np.uint8))


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
    # Far within it is whole at every level that is tried, far outside there is nothing of it.
    whole, unsure = order > top + edge, np.abs(order - guess) <= 7 * edge
    surely = float(np.sum(weights[whole], dtype=np.float64))
    order, weights = order[unsure], weights[unsure]
    for _ in range(14):
        middle = (bottom + top) / 2
        held = surely + float(np.sum(soft(order - middle, edge) * weights, dtype=np.float64))
        bottom, top = (middle, top) if held > total else (bottom, middle)
    return (bottom + top) / 2


def soft(over: FloatArray, edge: float) -> FloatArray:
    """Return a smooth step from 0 to 1 of width about `edge`, one half at 0."""
    t = np.clip(over / (2 * edge) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
