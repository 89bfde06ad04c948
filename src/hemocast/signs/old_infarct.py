"""Old infarcts: fluid where the other side holds tissue, thicker than a sulcus and no ventricle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.signs.sides import LEFT, NAMES, RIGHT, Place, Side, Sides
from hemocast.volume import BoolArray, FloatArray

# Ours. A cavity is fluid through and through, smoothed over 6 mm, and its mirror image is not.
_FLUID, _MORE, _VENTRICLE = 0.65, 0.5, 0.1
_SMOOTH, _VENTRICLE_SMOOTH = (0.0, 0.3, 1.3, 1.3), (0.0, 0.5, 1.5, 1.5)
_SURFACE_MM = 5.0
# A sulcus or fissure widened by age is as deep, but narrower: of 123 heads without a cavity, mostly
# of 66 years and more, 27 had such a place of 2 mL, and 3 one that holds a circle of this radius.
_HALF_WIDTH_MM = 6.5
LEAST_ML = 2.0

LIMIT = (
    "small and narrow cavities, those that open into a ventricle or a widened sulcus and those of "
    "both sides pass unseen; what is measured is the core, about a third of the cavity."
)


@dataclass(frozen=True)
class Cavity:
    """The largest place that looks like an old infarct.

    Parameters
    ----------
    volume_ml : float
        Of its core, mL.
    side : {"left", "right"}
        As the header has it.
    place : Place
        Its middle.
    """

    volume_ml: float
    side: Side
    place: Place


def find_cavity(sides: Sides, ventricles: FloatArray) -> Cavity | None:
    """Look for a cavity.

    Parameters
    ----------
    sides : Sides
        The upright brain.
    ventricles : ndarray of float32, shape (2, frame, y, x)
        Share of each cell that is fluid of a lateral ventricle.

    Returns
    -------
    Cavity or None
        None where none of 2 mL is seen that is wide enough to be no sulcus.
    """
    from scipy import ndimage

    inside = ndimage.gaussian_filter(sides.brain, _SMOOTH)
    fluid = ndimage.gaussian_filter(sides.fluid, _SMOOTH) / np.maximum(inside, 0.2)
    core = (fluid > _FLUID) & (fluid - fluid[::-1] > _MORE)
    core &= ndimage.gaussian_filter(ventricles, _VENTRICLE_SMOOTH) < _VENTRICLE
    best: Cavity | None = None
    for side in (RIGHT, LEFT):
        # The midline is no border of the brain, but one of what may be a cavity.
        deep = _depth_mm(sides.brain[side] > 0.5, sides.cell_mm, midline=0) > _SURFACE_MM
        labels, count = ndimage.label(core[side] & deep)
        if not count:
            continue
        numbers = np.arange(1, count + 1)
        half_width = _depth_mm(labels > 0, sides.cell_mm, midline=1)
        wide = np.asarray(ndimage.maximum(half_width, labels, numbers)) > _HALF_WIDTH_MM
        held = np.asarray(ndimage.sum(sides.fluid[side], labels, numbers)) * wide
        largest = int(held.argmax())
        volume_ml = float(held[largest]) * sides.cell_ml
        if volume_ml < max(LEAST_ML, best.volume_ml if best else 0.0):
            continue
        weight = np.zeros_like(sides.fluid)
        weight[side] = labels == largest + 1
        best = Cavity(volume_ml, NAMES[side], sides.place_of(weight, side))
    return best


def _depth_mm(inside: BoolArray, cell_mm: float, *, midline: int) -> FloatArray:
    """Return how far within its frame each cell lies from the border of what is inside, mm.

    Parameters
    ----------
    inside : ndarray of bool, shape (frame, y, x)
        Of one side, from the midline outwards.
    cell_mm : float
        Side of a cell.
    midline : int
        1 where the midline is a border, else 0.
    """
    from scipy import ndimage

    across = (midline, midline)
    away = ndimage.distance_transform_edt(
        np.pad(inside, ((0, 0), (1, 1), across)), sampling=(1e3, cell_mm, cell_mm)
    )
    return np.asarray(away[:, 1:-1, midline : away.shape[2] - midline], np.float32)
