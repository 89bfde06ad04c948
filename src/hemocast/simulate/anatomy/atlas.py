"""The head every simulated patient is bent from: template maps, fluid, skull and face, in MNI mm.

The brain is the MNI152 2009a nonlinear symmetric template (Fonov 2011, 10.1016/j.neuroimage.
2010.07.033) of `hemocast.anatomy.template`. It is skull stripped and **exactly mirror-symmetric**;
`hemocast.simulate.anatomy.shape` bends each side on its own. Skull, skull base and face are
built here from distances and simple solids (`hemocast.simulate.anatomy.face`): plausible, not
anatomical.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy.atlas.solids import Points, ellipsoid
from hemocast.anatomy.fields import on_axes
from hemocast.anatomy.template import read_map
from hemocast.simulate.anatomy.face import ByteArray, face_tissues, fine_tissues
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.volume import BoolArray, FloatArray

ORIGIN = np.array([-98.0, -134.0, -112.0])
"""MNI millimetres (x right, y anterior, z superior) of the atlas' first voxel."""

SHAPE = (215, 247, 197)
"""Atlas voxels of 1 mm, (z, y, x)."""

COARSE = 2
"""Millimetres of the grid on which distances are computed."""

DISTANCE_STEP = 0.25
"""Millimetres per count in `Atlas.distance`."""

DISTANCE_ZERO = 60
"""Count in `Atlas.distance` that stands for the surface of the brain's hull."""

LEVEL_ONE = 200.0
"""Count in `Atlas.level` that stands for 1."""


@dataclass(frozen=True)
class Atlas:
    """Maps of 1 mm on one grid, (z, y, x), x running to the right, all uint8 and read-only.

    Parameters
    ----------
    level : ndarray of uint8
        Brain tissue as a level set times `LEVEL_ONE`: the higher the threshold, the wider the sulci
        and ventricles. 0 outside the brain.
    white : ndarray of uint8
        Share of white matter in the tissue, times 255.
    distance : ndarray of uint8
        Signed distance to the hull of the brain, in `DISTANCE_STEP` mm, `DISTANCE_ZERO` on it,
        more outside.
    tissue : ndarray of uint8
        What lies there if it is not brain, fluid or skull vault: a `Tissue`.
    ventricle : ndarray of float32
        1 at the ventricles, falling off over 8 mm; on the 2 mm grid.
    base : ndarray of float32
        Extra thickness of bone at the skull base, mm; on the 2 mm grid.
    """

    level: ByteArray
    white: ByteArray
    distance: ByteArray
    tissue: ByteArray
    ventricle: FloatArray
    base: FloatArray


BRAIN_START = (40, 0, 0)
"""First atlas voxel (z, y, x) of the template's own grid."""


def _template(name: Literal["t1", "gm", "wm"]) -> ByteArray:
    """Return one template map, (z, y, x), as far as the atlas reaches; starts at `BRAIN_START`."""
    room = (slice(n - m) for n, m in zip(SHAPE, BRAIN_START, strict=True))
    return read_map(name)[tuple(room)]


def _placed(part: ByteArray) -> ByteArray:
    """Return a map of the template's grid on the atlas grid, 0 where the template ends."""
    full = np.zeros(SHAPE, dtype=np.uint8)
    full[_template_box(part)] = part
    return full


def _template_box(part: ByteArray) -> tuple[slice, ...]:
    return tuple(slice(a, a + n) for a, n in zip(BRAIN_START, part.shape, strict=True))


def axes(
    step: int = 1, first: tuple[int, ...] = (0, 0, 0), count: tuple[int, ...] | None = None
) -> Points:
    """Return a grid's MNI millimetres.

    Parameters
    ----------
    step : int
        Millimetres between points.
    first : tuple of int
        Atlas voxel (z, y, x) of the first point.
    count : tuple of int, optional
        Points along z, y, x; by default as many as the atlas has.
    """
    count = count or tuple(-(-n // step) for n in SHAPE)
    z, y, x = (
        (ORIGIN[2 - i] + first[i] + step * np.arange(count[i])).astype(np.float32) for i in range(3)
    )
    return Points(z[:, None, None], y[None, :, None], x[None, None, :])


def nearest_voxel(voxel: FloatArray) -> NDArray[np.intp]:
    """Return where in a flat map of the atlas the nearest voxels lie.

    Parameters
    ----------
    voxel : ndarray of float32, shape (n, 3, ...)
        Atlas voxels (z, y, x).
    """
    nearest = np.rint(voxel).astype(np.intp)
    flat: NDArray[np.intp] = (nearest[:, 0] * SHAPE[1] + nearest[:, 1]) * SHAPE[2] + nearest[:, 2]
    return flat


def _signed_distance(mask: BoolArray) -> FloatArray:
    """Return mm to the mask's surface, negative inside, on the coarse grid."""
    outside = ndimage.distance_transform_edt(~mask, sampling=COARSE)
    inside = ndimage.distance_transform_edt(mask, sampling=COARSE)
    signed: FloatArray = (outside - inside).astype(np.float32)
    return signed


def upsample(coarse: FloatArray) -> FloatArray:
    """Interpolate a coarse map linearly to the atlas grid."""
    return on_axes(coarse, [np.arange(n, dtype=np.float32) / COARSE for n in SHAPE])


def _level(tissue: FloatArray, t1: ByteArray, ventricle_distance: FloatArray) -> FloatArray:
    """Return the level set of brain tissue: sulci sharpened with T1, a ramp around the ventricles.

    The average of many brains blurs the sulci; T1, less a smooth copy, gives them back.
    """
    csf_t1, grey_t1 = np.float32(67), np.float32(165)  # medians in the template itself
    by_t1 = np.clip((t1 - csf_t1) / (grey_t1 - csf_t1), 0, 1)
    detail = by_t1 - ndimage.gaussian_filter(by_t1, 2, truncate=3)
    level = np.clip(np.minimum(tissue, by_t1) + detail, 0, 1)
    ramp = np.clip(ventricle_distance / 8, 0, 1)
    level *= np.float32(0.7) + np.float32(0.3) * ramp
    return np.asarray(level, dtype=np.float32)


def _brain() -> tuple[ByteArray, FloatArray]:
    """Return white matter's share times 255 and the share of tissue, on the template's grid."""
    white = _template("wm")
    matter = white.astype(np.uint16) + _template("gm")
    tissue = np.minimum(matter * np.float32(1 / 255), np.float32(1))
    share = np.clip(255 * white.astype(np.float32) / np.maximum(matter, 20), 0, 255)
    return np.round(share).astype(np.uint8), tissue


def _distances(tissue: FloatArray, points: Points) -> tuple[FloatArray, FloatArray]:
    """Return signed mm to the hull of the brain and mm to the ventricles, on the coarse grid."""
    step = slice(None, None, COARSE)
    small = np.zeros(np.broadcast_shapes(*(part.shape for part in points)), dtype=np.float32)
    part = tissue[step, step, step]
    first = [a // COARSE for a in BRAIN_START]
    small[tuple(slice(a, a + n) for a, n in zip(first, part.shape, strict=True))] = part
    distance = ndimage.gaussian_filter(_signed_distance(_hull(small, points)), 0.8)
    deep = (small < 0.4) & (distance < -14) & (points.z > -45)
    return distance, ndimage.distance_transform_edt(~deep, sampling=COARSE).astype(np.float32)


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """Build the atlas once per process (two seconds)."""
    white, tissue = _brain()
    points = axes(COARSE)
    distance, to_ventricle = _distances(tissue, points)
    counts = np.round(upsample(distance) / np.float32(DISTANCE_STEP))
    counts = np.clip(counts + DISTANCE_ZERO, 0, 255).astype(np.uint8)
    part = _level(tissue, _template("t1"), upsample(to_ventricle)[_template_box(white)])
    level = _placed(np.round(part * LEVEL_ONE).astype(np.uint8))
    level[counts > DISTANCE_ZERO + 3 / DISTANCE_STEP] = 0
    del tissue, part
    code = _tissues(points, distance)
    fine_tissues(
        axes(),
        code=code,
        level=np.multiply(level, np.float32(1 / LEVEL_ONE), dtype=np.float32),
        distance=np.multiply(counts, np.float32(DISTANCE_STEP), dtype=np.float32)
        - np.float32(DISTANCE_ZERO * DISTANCE_STEP),
    )
    maps = Atlas(
        level=level,
        white=_placed(white),
        distance=counts,
        tissue=code,
        ventricle=np.exp(-to_ventricle / 8),
        base=_base_thickness(points),
    )
    for array in (maps.level, maps.white, maps.distance, maps.tissue):
        array.setflags(write=False)
    return maps


def _tissues(points: Points, distance: FloatArray) -> ByteArray:
    """Return soft tissue and skin on the atlas grid: the skin smooth, what is under it coarse."""
    coarse, skin = face_tissues(points, distance)
    for axis in range(3):
        coarse = np.repeat(coarse, COARSE, axis)
    code = np.ascontiguousarray(coarse[: SHAPE[0], : SHAPE[1], : SHAPE[2]])
    depth = upsample(skin)
    code[depth < 2.2] = Tissue.SKIN
    code[depth < 0] = Tissue.AIR
    return code


def _hull(small: FloatArray, points: Points) -> BoolArray:
    """Return the brain with its sulci and cisterns closed, and the cord's canal below it."""
    z, y, x = points
    away = ndimage.distance_transform_edt(small < 0.3, sampling=COARSE)
    closed = ndimage.distance_transform_edt(away <= 7, sampling=COARSE) > 7
    # The vault bridges the clefts between the lobes; the base follows them.
    closed |= (ndimage.distance_transform_edt(away <= 24, sampling=COARSE) > 24) & (z > -16)
    closed |= ellipsoid(points, (0, 1, -14), (17, 17, 13))  # above the sella
    canal = np.hypot(x, y + 47 + 0.1 * (z + 60)) < 9
    closed = closed | (canal & (z < -58))
    return np.asarray(ndimage.gaussian_filter(closed.astype(np.float32), 1.0) > 0.5)


def _base_thickness(points: Points) -> FloatArray:
    """Return the extra bone of the skull base, mm: thick below the temporal lobes and the pons."""
    z, y, x = points
    low = 1 / (1 + np.exp((z + 22) / 4))
    middle = np.exp(-(((y + 12) / 28) ** 2))
    neck = 1 / (1 + np.exp(-(z + 74) / 2))
    sella = 6.0 * np.exp(-((x / 14) ** 2) - ((y - 8) / 14) ** 2)
    thickness: FloatArray = (low * neck * (1.0 + 7.0 * middle - sella)).astype(np.float32)
    return thickness
