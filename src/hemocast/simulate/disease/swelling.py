"""What a swollen infarct does to the brain round it: midline shift, closed ventricle and sulci."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hemocast.simulate.anatomy.atlas import DISTANCE_ZERO, ORIGIN, load_atlas
from hemocast.simulate.anatomy.shape import FIELD, FIELD_SHAPE, Shape, field_axes
from hemocast.simulate.disease.lesion import TissueShare
from hemocast.volume import FloatArray

RESERVE_ML, SOFTNESS_ML, LARGEST_MM = 12.0, 40.0, 12.0
"""Swelling that the fluid spaces take up before the midline moves, the swelling beyond it that
brings two thirds of the largest shift, and that shift; ours."""

EFFACED_ML = 150.0
"""Infarct volume at which the sulci over it are fully effaced; ours."""

SMALL_ML = 20.0
"""Infarcts up to this leave the sulci as they are; ours."""

WALL_MM, FREE_MM = 4.0, 36.0
"""Nothing moves within the first of the brain's hull, everything freely beyond the second; ours."""

CORE = np.array([0.0, -18.0, 12.0])
"""Middle of the brain, MNI x, y, z."""


def midline_shift_mm(volume_ml: ArrayLike, uptake: ArrayLike) -> NDArray[np.float64]:
    """Return the midline shift an infarct brings, mm.

    An infarct of V mL of which a share u of today's volume is water taken up has swollen by
    V u / (1 - u) mL against what its tissue held (net water uptake as a volume: Minnerup 2016,
    10.1002/ana.24818). What exceeds `RESERVE_ML` moves the midline, less and less, up to
    `LARGEST_MM`. The curve is ours: 150 mL at 15 % give 3.6 mm, at 30 % 8.8 mm.

    Parameters
    ----------
    volume_ml, uptake : array_like
        Volume, mL, and net water uptake, 0 to 1 (counted up to 0.6).
    """
    share = np.clip(np.asarray(uptake, dtype=np.float64), 0, 0.6)
    swelling = np.asarray(volume_ml, dtype=np.float64) * share / (1 - share)
    beyond = np.clip(swelling - RESERVE_ML, 0, None)
    return np.asarray(LARGEST_MM * -np.expm1(-beyond / SOFTNESS_ML))


def swell(shape: Shape, lesion: TissueShare, shift_mm: float) -> Shape:
    """Swell an infarct: push the midline over, close the ventricle beside it and the sulci on it.

    Parameters
    ----------
    shape : Shape
        The head.
    lesion : TissueShare
        The infarct, or a clot.
    shift_mm : float
        How far the septum (below the tentorium: the midline at the infarct's level) moves to the
        other side, patient mm.
    """
    cover = _cover(lesion)
    held = float(cover.sum(dtype=np.float64)) * FIELD**3 / 1000
    if held <= 0:
        return shape
    volume = held * float(np.prod(shape.scale))
    centre = _centre(shape, cover)
    ease = min(shift_mm / 8, 1)
    strength = 0.25 * np.clip((volume - SMALL_ML) / (EFFACED_ML - SMALL_ML), 0, 1) + 0.2 * ease
    threshold = shape.threshold - strength * ndimage.gaussian_filter(cover, 1.5)
    bend = shape.bend
    if shift_mm > 0:
        radius = (750 * held / np.pi) ** (1 / 3)
        away = _displacement(shape, centre, radius, shift_mm)
        bend = bend - away  # a pull-back: what has moved by d is found d before
        threshold = threshold - 0.22 * ease * _beside(centre)
    floor = np.minimum(shape.threshold, 0.18)
    return replace(shape, bend=bend, threshold=np.maximum(threshold, floor).astype(np.float32))


def _cover(lesion: TissueShare) -> FloatArray:
    """Return its share of the cells of the 4 mm grid."""
    cover = np.zeros(FIELD_SHAPE, dtype=np.float32)
    first = [-(a % FIELD) % FIELD for a in lesion.start]
    part = lesion.share[first[0] :: FIELD, first[1] :: FIELD, first[2] :: FIELD]
    at = [(a + f) // FIELD for a, f in zip(lesion.start, first, strict=True)]
    box = tuple(slice(a, a + n) for a, n in zip(at, part.shape, strict=True))
    cover[box] = part * np.float32(1 / 255)
    return cover


def _centre(shape: Shape, cover: FloatArray) -> NDArray[np.float64]:
    """Return the infarct's middle, x, y, z of the patient's scaled mm."""
    index = np.array(ndimage.center_of_mass(cover))
    bend = [ndimage.map_coordinates(b, index[:, None], order=1)[0] for b in shape.bend]
    return np.asarray(ORIGIN + FIELD * index[::-1] - np.array(bend))


def _beside(centre: NDArray[np.float64]) -> FloatArray:
    """Return the ventricle and the deep fluid of the infarct's side, 0 to 1, on the 4 mm grid."""
    z, y, x = field_axes()
    side = 1 / (1 + np.exp(-(x * np.float32(np.sign(centre[0])) - 4) / 2))
    level = np.exp(-(((z - np.clip(centre[2], -30, 24)) / 30) ** 2))
    return np.asarray(side * level * np.exp(-((x / 34) ** 2) - ((y + 12) / 48) ** 2))


def _displacement(
    shape: Shape, centre: NDArray[np.float64], radius: float, shift_mm: float
) -> FloatArray:
    """Return where the tissue moves, x, y, z of scaled mm: outward from the infarct.

    It grows to the infarct's edge and fades beyond it and towards the skull. The midline at the
    infarct's level gets `shift_mm`.
    """
    z, y, x = field_axes()
    side = float(np.sign(centre[0]))
    wanted = shift_mm / float(shape.scale[0])
    infratentorial = centre[2] < -20 and centre[1] < -15
    if infratentorial:
        reference = np.array([0, np.clip(centre[1], -45, -30), np.clip(centre[2], -45, -25)])
    else:
        reference = np.array([0, np.clip(centre[1], -15, 15), np.clip(centre[2], 4, 20)])
    reference[0] = -side * wanted
    # The skull does not give way: the infarct swells from its outer side inwards.
    away = (centre - CORE) * np.array([0, 1, 1])
    outward = np.array([0.8 * side, 0, 0]) + 0.6 * away / max(float(np.linalg.norm(away)), 1.0)
    source = centre + 0.8 * radius * outward
    # Falx and tentorium let tissue give way across the midline more than along it.
    deltas = x - source[0], 0.5 * (y - source[1]), 0.5 * (z - source[2])
    reach = np.sqrt(deltas[0] ** 2 + deltas[1] ** 2 + deltas[2] ** 2)
    force = _fade(reach, 1.6 * radius) * _wall(shape)
    field = np.stack([(force * d).astype(np.float32) for d in deltas])
    # Tissue between the infarct and the midline moves further: the ventricle is closed from there.
    near = np.exp(-(((np.abs(x) - 26) / 16) ** 2)) * (x * side > 0)
    field[0] *= 1 + 0.25 * near
    at = ((reference - ORIGIN) / FIELD)[::-1, None]
    moved = -side * float(ndimage.map_coordinates(field[0], at, order=1)[0])
    steepest = max(float(np.abs(np.gradient(part, FIELD)).max()) for part in field)
    # Never so steep that the tissue would fold, whatever is asked of a small or distant infarct.
    factor = min(wanted / max(moved, 1e-3), 0.5 / steepest)
    return (np.float32(factor) * field).astype(np.float32)


def _fade(reach: FloatArray, radius: float) -> FloatArray:
    """Return displacement per mm from the source: full inside, fading over 40 mm outside."""
    over = np.maximum(reach - radius, 0) / 40
    return np.asarray(1 / (np.maximum(reach, 12) * (1 + over**2)))


@lru_cache(maxsize=1)
def _depth() -> FloatArray:
    """Return the depth under the brain's hull, mm, on the atlas' 4 mm grid."""
    inside = load_atlas().distance[::FIELD, ::FIELD, ::FIELD] < DISTANCE_ZERO
    depth = ndimage.distance_transform_edt(inside, sampling=FIELD).astype(np.float32)
    pad = [(0, n - m) for n, m in zip(FIELD_SHAPE, depth.shape, strict=True)]
    return np.pad(depth, pad, mode="edge")


def _wall(shape: Shape) -> FloatArray:
    """Return 0 at the inner table to 1 deep in the brain, on the patient's 4 mm grid."""
    index = np.indices(FIELD_SHAPE, dtype=np.float32) + shape.bend[::-1] / FIELD
    depth = ndimage.map_coordinates(_depth(), index, order=1, mode="nearest")
    t = np.clip((depth - WALL_MM) / (FREE_MM - WALL_MM), 0, 1)
    return np.asarray(0.5 * (t + t * t * (3 - 2 * t)))
