"""Leukoaraiosis: white matter round the ventricles that is darker than deep grey matter explains.

The grade is van Swieten's (1990, 10.1136/jnnp.53.12.1080): 0 to 2 before and 0 to 2 behind the
central sulcus. The network that reads the scan gives it; CT numbers say how it is shared between
both halves and where. Of every cell and its mirror image the denser one counts, so that an infarct
of one side is none. Deep grey matter lies as deep in the head, where a scanner's shading is the
same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy.template import read_map
from hemocast.signs.estimate import Estimate
from hemocast.signs.outline import LEUKOARAIOSIS, SEVERE_LEUKOARAIOSIS, Outline, card
from hemocast.signs.sides import RIGHT, Place, Sides, share_at
from hemocast.volume import BoolArray, FloatArray

# How far from the ventricles white matter is looked at, mm, and at which heights (MNI).
_RING_MM, _UP_MM = (3.0, 8.0), (4.0, 50.0)
# Deep grey matter: between these places (MNI x, y, z; mm).
_DEEP_MM = ((4.0, 34.0), (-28.0, 22.0), (-4.0, 18.0))
_CENTRAL_SULCUS_MM = -8.0
_WHITE, _GREY, _WET, _VENTRICLE = 0.75, 0.6, 0.5, 0.4
_LEAST_CELLS = 12
_SMOOTH = (0.0, 0.4, 1.0, 1.0)
# Grade of a half = first + second x (ring - deep grey) + third x (deep grey - 36 HU); ours, fitted
# to simulated heads (docs/lab/signs.md).
_GRADE = (-0.974, -0.238, -0.092)
_GREY_HU = 36.0
MOST = 4.0


@dataclass(frozen=True)
class Leukoaraiosis:
    """How much of the white matter is pale.

    Parameters
    ----------
    grade : Estimate
        Van Swieten's, 0 to 4; a fraction is between two grades.
    anterior, posterior : float
        Grade of each half by CT numbers alone, 0 to 2.
    darker_hu : tuple of float
        How much darker the ring round the ventricles is than deep grey matter, HU, before and
        behind the central sulcus; about 4 to 7 in healthy heads.
    place : Place
        The darkest place that was looked at.
    """

    grade: Estimate
    anterior: float
    posterior: float
    darker_hu: tuple[float, float]
    place: Place


def measure_leukoaraiosis(
    sides: Sides, ventricles: FloatArray, outline: Outline
) -> Leukoaraiosis | None:
    """Grade leukoaraiosis.

    Parameters
    ----------
    sides : Sides
        The upright brain.
    ventricles : ndarray of float32, shape (2, frame, y, x)
        Share of each cell that is fluid of a lateral ventricle.
    outline : Outline
        What the network says of the scan.

    Returns
    -------
    Leukoaraiosis or None
        None where too little white matter round the ventricles, or deep grey matter, is seen.
    """
    denser, seen = _denser_side(sides)
    ring = _ring(sides, ventricles) & seen
    front = sides.points.y > _CENTRAL_SULCUS_MM
    parts = ring & front, ring & ~front
    deep = _deep_grey(sides) & seen
    if min(np.count_nonzero(part) for part in (*parts, deep)) < _LEAST_CELLS:
        return None
    grey = float(np.median(denser[deep]))
    darker = grey - np.array([np.median(denser[part]) for part in parts])
    first, per_hu, per_grey = _GRADE
    grades = np.clip(first - per_hu * darker + per_grey * (grey - _GREY_HU), 0, 2)
    at = np.unravel_index(int(np.where(ring, denser, np.inf).argmin()), ring.shape)
    return Leukoaraiosis(
        grade=_grade(outline),
        anterior=float(grades[0]),
        posterior=float(grades[1]),
        darker_hu=(float(darker[0]), float(darker[1])),
        place=sides.place(RIGHT, *(int(one) for one in at)),
    )


def _grade(outline: Outline) -> Estimate:
    known = card()
    first, of_any, of_severe = known.van_swieten
    findings = outline.findings
    level = first + of_any * findings[LEUKOARAIOSIS] + of_severe * findings[SEVERE_LEUKOARAIOSIS]
    return Estimate.about(float(np.clip(level, 0, MOST)), known.van_swieten_spread, MOST)


def _denser_side(sides: Sides) -> tuple[FloatArray, BoolArray]:
    """Return the denser of each cell and its mirror image, smoothed, HU; and where it is known."""
    from scipy import ndimage

    dry = sides.tissue * (sides.fluid < _WET)
    weight = ndimage.gaussian_filter(dry, _SMOOTH)
    level = ndimage.gaussian_filter(sides.hu * dry, _SMOOTH)
    known = weight > 0.3
    np.divide(level, weight, out=level, where=known)
    seen = known.all(axis=0) & (sides.brain.min(axis=0) > 0.99)
    return np.asarray(level.max(axis=0), np.float32), np.asarray(seen, np.bool_)


def _ring(sides: Sides, ventricles: FloatArray) -> BoolArray:
    """Return the white matter near a lateral ventricle."""
    from scipy import ndimage

    wet = ventricles > _VENTRICLE
    away = [
        ndimage.distance_transform_edt(~side, sampling=(sides.frame_mm, *[sides.cell_mm] * 2))
        for side in wet
        if side.any()
    ]
    if len(away) < len(wet):
        return np.zeros(wet.shape[1:], np.bool_)
    nearest = np.minimum(*away)
    z = sides.points.z
    near = (nearest > _RING_MM[0]) & (nearest <= _RING_MM[1]) & (z > _UP_MM[0]) & (z < _UP_MM[1])
    return np.asarray(near & (share_at(sides.points, read_map("wm")) > _WHITE))


def _deep_grey(sides: Sides) -> BoolArray:
    z, y, x = sides.points
    within = np.ones((), np.bool_)
    for axis, (low, high) in zip((x, y, z), _DEEP_MM, strict=True):
        within = within & (axis > low) & (axis < high)
    return np.asarray(within & (share_at(sides.points, read_map("gm")) > _GREY))
