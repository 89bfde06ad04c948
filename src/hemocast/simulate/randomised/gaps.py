"""Bone that is missing: craniectomies, burr holes, thin places, and the dent or bulge over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy.tissue.map import Kind
from hemocast.simulate.randomised.heads import DEPTH_ZERO, FIRST_MM, STEP_MM, LabelledHead
from hemocast.simulate.randomised.labels import BRAIN, CLASS_OF, Code


@dataclass(frozen=True)
class Bulge:
    """How far the surface moves near a gap.

    Parameters
    ----------
    centre, way : ndarray of float64, shape (3,)
        Middle of the gap and the direction outward, x, y, z, mm.
    width_mm, out_mm : float
        Its spread, and how far it moves at the middle; negative inwards.
    """

    centre: NDArray[np.float64]
    way: NDArray[np.float64]
    width_mm: float
    out_mm: float


def open_skull(rng: Generator, head: LabelledHead) -> Bulge | None:
    """Take bone away somewhere, or thin it; return the dent or bulge of a large gap."""
    bone = CLASS_OF[head.code] == Kind.BONE
    vault = (head.code >= Code.VAULT) & (head.code < Code.VAULT + 8)
    at = np.flatnonzero(vault)
    seed = np.array(np.unravel_index(at[rng.integers(len(at))], bone.shape))
    kind = rng.random()
    radius = rng.uniform(15, 70) if kind < 0.5 else rng.uniform(3, 9)
    if kind > 0.7:
        radius = rng.uniform(10, 45)
    steps = int(radius * 1.3 / STEP_MM) + 1
    low = np.maximum(seed - steps, 0)
    high = np.minimum(seed + steps + 1, bone.shape)
    part = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    away = np.sqrt(sum((g - s) ** 2.0 for g, s in zip(np.ogrid[part], seed, strict=True)))
    rough = ndimage.gaussian_filter(rng.standard_normal(away.shape, dtype=np.float32), 4)
    edge = radius * (1 + 0.12 * rough / max(float(rough.std()), 1e-6))
    gone = bone[part] & (away * STEP_MM < edge)
    if kind < 0.15:
        gone &= away * STEP_MM > edge - rng.uniform(2, 6)  # the flap was put back
    code = head.code[part]
    if kind > 0.7:
        gone &= rough > np.quantile(rough, rng.uniform(0, 0.5))
        code[gone] = Code.THIN_BONE
        return None
    code[gone] = (Code.FLAP, Code.FLAP, Code.MUSCLE, Code.SCALP)[rng.integers(4)]
    if kind < 0.5 and rng.random() < 0.2:
        under = head.depth[part].astype(np.int16) - DEPTH_ZERO
        fluid = (under < 0) & (under > -2 * rng.uniform(2, 10)) & (away * STEP_MM < radius)
        code[fluid & ((code & 64) > 0)] = Code.GAS if rng.random() < 0.3 else BRAIN
    if kind > 0.5:
        return None
    centre = FIRST_MM + STEP_MM * seed[::-1]
    way = centre - np.array([0.0, -17.0, 5.0])
    out = rng.uniform(-14, 12) * min(radius / 40, 1)
    return Bulge(centre, way / np.linalg.norm(way), radius / 1.5, float(out))
