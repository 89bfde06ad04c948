"""What makes one head differ from the atlas: a smooth bend of its own, its age, its sides.

All maps live on a grid of 4 mm over the atlas. The bend is a pull-back: it says, for a point of
the patient's head, which atlas point lies there, so that rendering needs no inverse. It is not
mirror-symmetric: both sides are bent on their own, ventricles and sulci differ between the sides,
and the whole head has the torque most heads have (right frontal and left occipital lobes protrude;
Toga and Thompson 2003, Nat Rev Neurosci 4:37, 10.1038/nrn1009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.anatomy.atlas.solids import Points
from hemocast.anatomy.fields import sample
from hemocast.simulate.anatomy.atlas import COARSE, SHAPE, axes, load_atlas
from hemocast.volume import FloatArray

FIELD = 4
"""Millimetres of the grid that holds a head's own maps."""

FIELD_SHAPE = tuple(-(-(n - 1) // FIELD) + 1 for n in SHAPE)
"""Points of that grid, (z, y, x)."""


@dataclass(frozen=True)
class Shape:
    """One head's maps on the 4 mm grid, float32, (z, y, x) unless said otherwise.

    Parameters
    ----------
    scale : ndarray of float64, shape (3,)
        Size of the head against the atlas along x, y, z.
    bend : ndarray of float32, shape (3, z, y, x)
        Atlas x, y, z less the scaled point's own, mm.
    threshold : ndarray of float32
        Level of `Atlas.level` at which tissue ends: rises with atrophy.
    pallor : ndarray of float32
        Drop of white matter by leukoaraiosis, HU.
    skull : ndarray of float32
        Thickness of the skull, mm.
    gap : float
        Fluid between brain and skull, mm.
    """

    scale: NDArray[np.float64]
    bend: FloatArray
    threshold: FloatArray
    pallor: FloatArray
    skull: FloatArray
    gap: float


def field_axes() -> Points:
    """Return MNI millimetres of the 4 mm grid."""
    return axes(FIELD, count=FIELD_SHAPE)


def _spline_basis(n: int, spacing: float) -> FloatArray:
    """Return cubic B-spline weights, (points, controls), of controls `spacing` points apart."""
    at = np.arange(n) / spacing
    control = np.arange(int(np.ceil(at[-1])) + 4) - 1
    t = np.abs(at[:, None] - control[None])
    near = 2 / 3 - t**2 * (1 - t / 2)
    far = np.clip(2 - t, 0, None) ** 3 / 6
    return np.where(t < 1, near, far).astype(np.float32)


def smooth_noise(
    rng: Generator, scale_mm: float, count: int = 1, shape: tuple[int, ...] = FIELD_SHAPE
) -> FloatArray:
    """Draw smooth random maps of unit standard deviation.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    scale_mm : float
        Distance between the controls of a cubic B-spline, mm.
    count : int
        Maps wanted.
    shape : tuple of int
        Points wanted, 4 mm apart, (z, y, x).

    Returns
    -------
    ndarray of float32, shape (count, z, y, x)
        On the 4 mm grid.
    """
    bases = [_spline_basis(n, scale_mm / FIELD) for n in shape]
    controls = rng.standard_normal((count, *(b.shape[1] for b in bases)), dtype=np.float32)
    # Sum of squared weights is about 0.48 per axis: brings the spread back to one.
    out = controls / np.float32(0.48**1.5)
    # Not by BLAS: its sums may depend on the number of threads.
    for basis, rule in zip(bases, ("nzyx,kz->nkyx", "nzyx,ky->nzkx", "nzyx,kx->nzyk"), strict=True):
        out = np.einsum(rule, out, basis, optimize=False)
    return np.ascontiguousarray(out, dtype=np.float32)


def on_field(coarse: FloatArray) -> FloatArray:
    """Return an atlas map of 2 mm on the 4 mm grid."""
    step = FIELD // COARSE
    part = coarse[::step, ::step, ::step]
    pad = [(0, n - m) for n, m in zip(FIELD_SHAPE, part.shape, strict=True)]
    return np.pad(part, pad, mode="edge")


def draw_shape(rng: Generator, age: float, van_swieten: tuple[int, int], male: bool) -> Shape:
    """Draw a head.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    age : float
        Years. Sulci, ventricles and the fluid over the brain widen with age (Scahill 2003,
        10.1001/archneur.60.7.989, found an accelerating loss; the amounts here are ours).
    van_swieten : tuple of int
        Leukoaraiosis before and behind the central sulcus: 0 none, 1 round the ventricles, 2 to
        the cortex (van Swieten 1990, 10.1136/jnnp.53.12.1080).
    male : bool
        Men's heads are about 4 % longer.
    """
    _, y, x = field_axes()
    atlas = load_atlas()
    ventricle, base = on_field(atlas.ventricle), on_field(atlas.base)
    scale = np.exp(np.clip(rng.normal(0, 0.035, 3) + rng.normal(0, 0.015), -0.1, 0.1))
    scale = scale * np.array([0.95, 0.94, 0.91]) * (1.01 if male else 0.975)
    old = float(np.clip((age - 40) / 50, 0, 1) ** 1.3)
    right = np.tanh(x / 8)  # +1 on the patient's right
    atrophy = float(np.clip(old + rng.normal(-0.03, 0.3), -0.3, 1.4))
    rough = 0.07 * smooth_noise(rng, 28)[0] + 0.05 * smooth_noise(rng, 14)[0]
    sulci = 0.45 + 0.26 * atrophy + rough + rng.normal(0, 0.03) * right
    wide = float(np.clip(0.10 + 0.26 * atrophy + rng.normal(0, 0.09), 0, 0.5))
    inner = wide * ventricle * (1 + rng.normal(0, 0.2) * right)
    threshold = np.clip(sulci + inner, 0.3, 0.92)
    pallor = _pallor(van_swieten, ventricle) * (1 + 0.45 * smooth_noise(rng, 18)[0])
    skull = rng.normal(6.5, 0.7) + 0.8 * smooth_noise(rng, 36)[0] + base
    skull = skull + 1.5 * np.exp(-(((y - 70) / 25) ** 2)) + 2 * np.exp(-(((y + 105) / 20) ** 2))
    return Shape(
        scale=scale,
        bend=_draw_bend(rng, y, x),
        threshold=threshold.astype(np.float32),
        pallor=np.clip(pallor, 0, 12).astype(np.float32),
        skull=np.clip(skull, 3.5, 18).astype(np.float32),
        gap=float(np.clip(0.8 + 2.4 * atrophy + rng.normal(0, 0.6), 0.3, 5.0)),
    )


def _pallor(van_swieten: tuple[int, int], ventricle: FloatArray) -> FloatArray:
    """Return the drop of white matter by leukoaraiosis, HU: caps and bands, then all of it.

    The depths are ours: the grades say how far the pallor reaches, not how dark it is.
    """
    z, y, _ = field_axes()
    away = -8 * np.log(np.maximum(ventricle, 1e-6))  # mm from the ventricles
    front = 1 / (1 + np.exp(-(y + 8) / 5))
    cap = 7.5 / (1 + np.exp((away - 9) / 2))
    whole = 8.5 / (1 + np.exp((away - 24) / 4))
    depths = np.ones_like(away), cap, whole  # a trace of it in every head
    high = 1 / (1 + np.exp(-(z + 2) / 3))
    drop = front * depths[van_swieten[0]] + (1 - front) * depths[van_swieten[1]]
    return np.asarray(np.where(drop > 1, drop * high, ventricle))


def _draw_bend(rng: Generator, y: FloatArray, x: FloatArray) -> FloatArray:
    bend = 2.4 * smooth_noise(rng, 52, 3) + 0.9 * smooth_noise(rng, 22, 3)
    bend[0] *= 0.4 + 0.6 * np.minimum(np.abs(x) / 35, 1)  # the falx keeps the midline fairly plane
    torque = rng.normal(1.3, 1.4) / 100**2
    bend[0] += torque * y * np.abs(y) * 0.5
    front, back = rng.normal(1.6, 1.7), rng.normal(1.6, 1.7)
    bend[1] -= front * np.tanh(x / 30) / (1 + np.exp(-(y - 30) / 12))
    bend[1] -= back * np.tanh(x / 30) / (1 + np.exp((y + 60) / 12))
    return bend.astype(np.float32)


@dataclass(frozen=True)
class AtlasMaps:
    """A head's maps where the atlas points lie, on the 4 mm grid, float32, (z, y, x).

    Parameters
    ----------
    stretch : ndarray of float32
        Patient volume per atlas volume.
    threshold : ndarray of float32
        As `Shape.threshold`, which is given at points of the patient.
    """

    stretch: FloatArray
    threshold: FloatArray


def atlas_maps(
    shape: Shape, start: tuple[int, int, int] = (0, 0, 0), size: tuple[int, ...] = SHAPE
) -> AtlasMaps:
    """Return a head's maps at the points of the atlas.

    Parameters
    ----------
    shape : Shape
        The head.
    start, size : tuple of int
        A box of atlas voxels, (z, y, x), in which the maps may be asked for a place: all of it
        where left out. Away from it they are NaN, and cost nothing.
    """
    box = tuple(
        slice(first // FIELD, min(-(-(first + count) // FIELD) + 1, length))
        for first, count, length in zip(start, size, FIELD_SHAPE, strict=True)
    )
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (
        np.gradient(shape.bend[i], FIELD)[::-1] for i in range(3)
    )
    ax, by, cz = ax + 1, by + 1, cz + 1
    change = ax * (by * cz - bz * cy) - ay * (bx * cz - bz * cx) + az * (bx * cy - by * cx)
    ratio = (np.prod(shape.scale) / np.clip(change, 0.2, 5)).astype(np.float32)
    # The bend is given where the patient's point is; two steps take it to the atlas point.
    bend = np.ascontiguousarray(np.moveaxis(shape.bend[::-1], 0, -1)) / np.float32(FIELD)
    index = np.moveaxis(np.mgrid[box], 0, -1).astype(np.float32)
    at = index - _at(bend, index - bend[box])
    maps = np.full((2, *FIELD_SHAPE), np.nan, np.float32)
    found = _at(np.stack([ratio, shape.threshold], axis=-1), at)
    maps[(slice(None), *box)] = np.moveaxis(found, -1, 0)
    return AtlasMaps(*maps)


def _at(fields: FloatArray, index: FloatArray) -> FloatArray:
    """Sample fields (z, y, x, n) at indices (..., 3), the last value beyond the grid's ends."""
    inside = np.clip(index, 0, np.array(FIELD_SHAPE, dtype=np.float32) - 1)
    return sample(fields, inside.reshape(-1, 3)).reshape(*index.shape[:-1], fields.shape[-1])
