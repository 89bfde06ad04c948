"""The lateral ventricles: how much fluid they hold, and how far the caudate nuclei lie apart.

Where ventricle is, the tissue map says; how much of it is fluid, CT numbers say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy.fields import sample
from hemocast.anatomy.tissue import Kind, TissueMap
from hemocast.signs.estimate import Estimate
from hemocast.signs.sides import LEFT, RIGHT, Place, Sides
from hemocast.volume import BoolArray, FloatArray, Volume

# Template millimetres (MNI): the lateral ventricles with room for an old brain's.
_ACROSS_MM, _ALONG_MM, _UP_MM = 40.0, (-72.0, 42.0), (-8.0, 40.0)
# Cisterns behind the thalamus, and the third ventricle.
_BEHIND_MM, _THIRD_MM = (11.0, -24.0, 12.0), (5.0, (-30.0, 8.0), 10.0)
_LIKELY = 0.3
# Fluid that is measured, of what was drawn; and 95 % of the ratios to it: see
# docs/lab/signs.md.
_FOUND_SHARE = 0.725
FACTORS = (0.67, 1.5)
# Where the heads of the caudate nuclei stand against the frontal horns.
_CAUDATE_UP_MM, _CAUDATE_ALONG_MM, _CAUDATE_ACROSS_MM = (2.0, 14.0), (6.0, 22.0), 28.0
_HALF = 0.5
RATIO_SPREAD = 0.045


@dataclass(frozen=True)
class Ventricles:
    """The lateral ventricles.

    Parameters
    ----------
    right, left : Estimate
        Fluid of each, mL.
    both : Estimate
        Of both, mL.
    place : Place
        The middle of the larger one.
    """

    right: Estimate
    left: Estimate
    both: Estimate
    place: Place


@dataclass(frozen=True)
class Bicaudate:
    """How far the caudate nuclei lie apart.

    Parameters
    ----------
    ratio : Estimate
        Least distance across the frontal horns by the width of the brain in the same row.
    width_mm : float
        That distance, mm.
    place : Place
        The middle of the row.
    """

    ratio: Estimate
    width_mm: float
    place: Place


def measure_ventricles(sides: Sides, fluid: FloatArray) -> Ventricles | None:
    """Measure the fluid of the lateral ventricles.

    Parameters
    ----------
    sides : Sides
        The upright brain.
    fluid : ndarray of float32, shape (2, frame, y, x)
        From `ventricular_fluid`.

    Returns
    -------
    Ventricles or None
        None where no fluid is taken for a ventricle's.
    """
    right, left = (float(fluid[side].sum()) * sides.cell_ml / _FOUND_SHARE for side in (0, 1))
    if right + left == 0:
        return None
    larger = RIGHT if right >= left else LEFT
    return Ventricles(
        right=Estimate.times(right, FACTORS),
        left=Estimate.times(left, FACTORS),
        both=Estimate.times(right + left, FACTORS),
        place=sides.place_of(fluid, larger),
    )


def ventricular_fluid(volume: Volume, tissue: TissueMap, sides: Sides) -> FloatArray:
    """Return the share of every cell that is fluid of a lateral ventricle, as `sides.fluid`.

    Parameters
    ----------
    volume : Volume
        The scan.
    tissue : TissueMap
        What its blocks hold.
    sides : Sides
        Its upright brain.
    """
    near = _near_ventricles(sides) & (sides.fluid > 0)
    fluid = np.zeros_like(sides.fluid)
    places = sides.voxels(near, volume)
    blocks = (places - tissue.blocks.first) / tissue.blocks.step
    likely = sample(tissue.kinds[Kind.VENTRICLE][..., None], blocks.astype(np.float32))[:, 0]
    fluid[near] = np.where(likely > _LIKELY, sides.fluid[near], 0)
    return fluid


def _near_ventricles(sides: Sides) -> BoolArray:
    """Return which cells of a half may hold a lateral ventricle, by the template."""
    z, y, x = sides.points
    near = (x < _ACROSS_MM) & (y > _ALONG_MM[0]) & (y < _ALONG_MM[1])
    near = near & (z > _UP_MM[0]) & (z < _UP_MM[1])
    behind = (x < _BEHIND_MM[0]) & (y < _BEHIND_MM[1]) & (z < _BEHIND_MM[2])
    across, (back, front), up = _THIRD_MM
    third = (x < across) & (y > back) & (y < front) & (z < up)
    return np.asarray(near & ~behind & ~third)


def measure_bicaudate(sides: Sides) -> Bicaudate | None:
    """Measure the bicaudate ratio.

    In the planes of the caudate nuclei's heads, row by row: from the outermost wall of one frontal
    horn to that of the other; the narrowest row counts (Earnest 1979, 10.1002/ana.410050504).

    Parameters
    ----------
    sides : Sides
        The upright brain.

    Returns
    -------
    Bicaudate or None
        None where no plane shows both horns.
    """
    z, y, x = (axis.ravel() for axis in sides.points)
    rows = np.flatnonzero((y > _CAUDATE_ALONG_MM[0]) & (y < _CAUDATE_ALONG_MM[1]))
    columns = np.flatnonzero(x < _CAUDATE_ACROSS_MM)
    found = []
    for frame in np.flatnonzero((z > _CAUDATE_UP_MM[0]) & (z < _CAUDATE_UP_MM[1])):
        halves = sides.fluid[:, frame][:, rows][:, :, columns]
        walls = outer_wall(halves)
        narrowest = int(np.where((walls > 0).all(axis=0), walls.sum(axis=0), np.inf).argmin())
        if not (walls[:, narrowest] > 0).all():
            continue
        row = int(rows[narrowest])
        brain = float((sides.brain[:, frame, row] > _HALF).sum())
        found.append((float(walls[:, narrowest].sum()), brain, frame, row))
    if not found:
        return None
    width, brain, frame, row = sorted(found)[len(found) // 2]
    ratio = Estimate.about(width / brain, RATIO_SPREAD)
    return Bicaudate(ratio, width * sides.cell_mm, sides.place(RIGHT, int(frame), row, 0))


def outer_wall(fluid: FloatArray) -> FloatArray:
    """Return how many cells from the midline fluid ends, (...), 0 where there is none.

    Parameters
    ----------
    fluid : ndarray of float32, shape (..., x)
        Share of fluid from the midline outwards.
    """
    count = fluid.shape[-1]
    wet = fluid >= _HALF
    last = count - 1 - wet[..., ::-1].argmax(axis=-1)
    inner = np.take_along_axis(fluid, last[..., None], -1)[..., 0]
    beyond = np.take_along_axis(fluid, np.minimum(last + 1, count - 1)[..., None], -1)[..., 0]
    # Half of the fluid: between the middles of the last wet cell and the next.
    share = (inner - _HALF) / np.maximum(inner - beyond, 1e-3)
    wall = np.minimum(last + 0.5 + np.clip(share, 0, 1), count)
    return np.where(wet.any(axis=-1), wall, 0).astype(np.float32)
