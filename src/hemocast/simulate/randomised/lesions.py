"""What is put into a randomised head: blood of every place, calcium, vessels, sinuses, metal.

Shapes are drawn where such things lie: clots in tissue, blood in ventricles, crescents and lenses
under the dura, blood in sulci, petechiae in cortex. Volumes and places are spread evenly, not as
in patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.simulate.randomised.heads import DEPTH_ZERO, FIRST_MM, STEP_MM, LabelledHead
from hemocast.simulate.randomised.labels import WHITES, ByteArray, Code
from hemocast.volume import BoolArray, FloatArray

VOXEL_ML = STEP_MM**3 / 1000
_FLUID_CODES = 4 * WHITES
"""Codes of a brain's voxels that are more fluid than tissue."""


@dataclass(frozen=True)
class _Box:
    """A part of a head round a voxel.

    Parameters
    ----------
    part : tuple of slice
        Where it lies.
    away : ndarray of float32
        Distance from the voxel, mm, with the box's own widths along the axes.
    """

    part: tuple[slice, ...]
    away: FloatArray


def _box(head: LabelledHead, centre: NDArray[Any], reach_mm: float, widths: Any = 1.0) -> _Box:
    steps = int(np.ceil(reach_mm / STEP_MM))
    low = np.maximum(centre - steps, 0)
    high = np.minimum(centre + steps + 1, head.code.shape)
    part = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    widths = np.broadcast_to(widths, 3)
    squares = [
        ((grid - c) * STEP_MM / w) ** 2
        for grid, c, w in zip(np.ogrid[part], centre, widths, strict=True)
    ]
    return _Box(part, np.sqrt(squares[0] + squares[1] + squares[2]).astype(np.float32))


def _noise(rng: Generator, shape: tuple[int, ...], sigma: float) -> FloatArray:
    rough = rng.standard_normal(shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(rough, sigma, truncate=2.5)
    return np.asarray(smooth / max(float(smooth.std()), 1e-6), np.float32)


def _seed(rng: Generator, mask: BoolArray) -> NDArray[Any] | None:
    """Return a random voxel (z, y, x) of a mask; None where it is empty."""
    at = np.flatnonzero(mask)
    if not len(at):
        return None
    return np.array(np.unravel_index(at[rng.integers(len(at))], mask.shape))


def _brainy(code: ByteArray) -> BoolArray:
    return (code & 64) > 0


def _fluid(code: ByteArray) -> BoolArray:
    fluid: BoolArray = _brainy(code) & ((code & 31) < _FLUID_CODES) & ((code & 32) == 0)
    return fluid


def _ventricle(code: ByteArray) -> BoolArray:
    return _brainy(code) & ((code & 32) > 0) & ((code & 31) < _FLUID_CODES)


def _fill(
    head: LabelledHead, box: _Box, order: FloatArray, allowed: BoolArray, how: tuple[float, int]
) -> None:
    """Give the first voxels in an order a code, until a volume in mL is reached."""
    volume_ml, kind = how
    at = np.flatnonzero(allowed)
    count = min(max(int(volume_ml / VOXEL_ML), 1), len(at))
    if not count:
        return
    first = np.argpartition(-order.ravel()[at], count - 1)[:count]
    part = head.code[box.part].copy()
    part.ravel()[at[first]] = kind
    head.code[box.part] = part


def clot(rng: Generator, head: LabelledHead, volume_ml: float, kind: int) -> None:
    """Put a lobulated clot into brain tissue."""
    seed = _seed(rng, _brainy(head.code) & (head.depth < DEPTH_ZERO - 6))
    if seed is None:
        return
    radius = (750 * volume_ml / np.pi) ** (1 / 3)
    box = _box(head, seed, 2.2 * radius + 3, np.exp(rng.normal(0, 0.25, 3)))
    bumps = _noise(rng, box.away.shape, max(radius / 3 / STEP_MM, 0.8))
    order = -box.away + rng.uniform(0, 0.35) * radius * bumps
    _fill(head, box, order, _brainy(head.code[box.part]), (volume_ml, kind))


def ventricular(rng: Generator, head: LabelledHead, volume_ml: float, kind: int) -> None:
    """Put blood into ventricles: settled at the back, or a cast of a part."""
    seed = _seed(rng, _ventricle(head.code))
    if seed is None:
        return
    box = _box(head, seed, rng.uniform(15, 90))
    order = -box.away
    if rng.random() < 0.5:
        order = np.broadcast_to(-np.ogrid[box.part][1].astype(np.float32), box.away.shape)
    order = order + _noise(rng, box.away.shape, 3)
    _fill(head, box, order, _ventricle(head.code[box.part]), (volume_ml, kind))


def subdural(rng: Generator, head: LabelledHead, thick_mm: float, kind: int) -> None:
    """Put a crescent (or, small and thick, a lens) under the dura."""
    seed = _seed(rng, _brainy(head.code) & (head.depth > DEPTH_ZERO - 5))
    if seed is None:
        return
    wide = rng.uniform(22, 75) if thick_mm < 12 else rng.uniform(18, 45)
    box = _box(head, seed, wide)
    thick = thick_mm * (1 - (box.away / wide) ** rng.uniform(2, 6))
    thick += 0.1 * thick_mm * _noise(rng, box.away.shape, 4)
    code, under = head.code[box.part], (DEPTH_ZERO - head.depth[box.part].astype(np.float32)) / 2
    code[(under < thick) & (box.away < wide) & _brainy(code)] = kind


def along_falx(rng: Generator, head: LabelledHead, kind: int) -> None:
    """Put blood beside falx or tentorium."""
    seed = _seed(rng, head.code == Code.FALX)
    if seed is None:
        return
    box = _box(head, seed, rng.uniform(15, 50))
    code = head.code[box.part]
    near = ndimage.binary_dilation(code == Code.FALX, iterations=int(rng.integers(1, 4)))
    code[near & _brainy(code) & (box.away < rng.uniform(15, 50))] = kind


def subarachnoid(rng: Generator, head: LabelledHead, kind: int) -> None:
    """Put blood into the sulci and cisterns of a region."""
    seed = _seed(rng, _fluid(head.code))
    if seed is None:
        return
    reach = rng.uniform(10, 60)
    box = _box(head, seed, reach)
    code = head.code[box.part]
    where = (_noise(rng, box.away.shape, 4) > rng.uniform(-1.5, 0.8)) & (box.away < reach)
    deep = head.depth[box.part] < DEPTH_ZERO - rng.integers(0, 6)
    code[where & deep & _fluid(code)] = kind


def petechiae(rng: Generator, head: LabelledHead, kind: int) -> None:
    """Put small spots into the grey matter of a region, of an infarct where there is one."""
    infarct = head.code >= 192
    seed = _seed(rng, infarct if infarct.any() else _brainy(head.code))
    if seed is None:
        return
    box = _box(head, seed, rng.uniform(10, 35))
    code = head.code[box.part]
    tissue = _brainy(code) & ((code & 31) >= _FLUID_CODES) & ((code & 3) < 2)
    code[(_noise(rng, code.shape, rng.uniform(0.7, 1.6)) > rng.uniform(1.2, 2.0)) & tissue] = kind


def bleed(rng: Generator, head: LabelledHead) -> None:
    """Put one bleed of a random place and size into a head."""
    kind = Code.BLOOD if rng.random() < 0.6 else Code.OLDER_BLOOD
    volume = float(np.exp(rng.uniform(np.log(0.5), np.log(40))))
    place = rng.random()
    if place < 0.32:
        clot(rng, head, min(volume, 12) if rng.random() < 0.7 else volume, kind)
    elif place < 0.52:
        ventricular(rng, head, min(volume, 25), kind)
    elif place < 0.74:
        subdural(rng, head, float(np.exp(rng.uniform(np.log(2.5), np.log(14)))), kind)
    elif place < 0.78:
        along_falx(rng, head, kind)
    elif place < 0.93:
        subarachnoid(rng, head, kind)
    else:
        petechiae(rng, head, kind)


def calcify(rng: Generator, head: LabelledHead) -> None:
    """Put calcium where it is common: choroid plexus, falx, basal ganglia, vessels."""
    middle = np.array([5.0, -15.0, 0.0])
    for _ in range(rng.integers(0, 4)):
        place = rng.random()
        if place < 0.4:
            mask = _ventricle(head.code)
        elif place < 0.7:
            mask = head.code == Code.FALX
        elif place < 0.85:
            mask = (head.code == Code.ARTERY) | (head.code == Code.CLOT)
        else:
            mask = np.zeros(head.code.shape, np.bool_)
            at = middle + rng.normal(0, [8, 12, 22])
            mask[tuple(np.rint((at - FIRST_MM[::-1]) / STEP_MM).astype(int))] = True
        seed = _seed(rng, mask)
        if seed is None:
            continue
        radius = rng.uniform(1, 5)
        box = _box(head, seed, radius, np.exp(rng.normal(0, 0.3, 3)))
        code = head.code[box.part]
        held = mask[box.part] if place < 0.7 else _brainy(code) | mask[box.part]
        code[(box.away < radius) & held] = Code.CALCIUM


def vessels(rng: Generator, head: LabelledHead) -> None:
    """Lay tubes through the fluid, as dense as arteries, and the sinuses and tentorium behind."""
    for _ in range(rng.integers(0, 7)):
        at = _seed(rng, _fluid(head.code) & (head.depth < DEPTH_ZERO - 16))
        if at is None:
            continue
        kind = Code.ARTERY if rng.random() < 0.7 else Code.CLOT
        way = rng.normal(size=3)
        place, radius = at.astype(np.float64), rng.uniform(0.6, 1.6)
        for _ in range(rng.integers(8, 30)):
            way += 0.35 * rng.normal(size=3)
            way /= np.linalg.norm(way)
            place = np.clip(place + way, 4, np.array(head.code.shape) - 5)
            box = _box(head, np.rint(place).astype(int), radius * STEP_MM)
            code = head.code[box.part]
            code[(box.away < radius * STEP_MM) & _fluid(code)] = kind
    if rng.random() < 0.75:
        _behind(rng, head)


def _behind(rng: Generator, head: LabelledHead) -> None:
    """Lay the tentorium and the transverse sinuses."""
    z, y, x = (
        (FIRST_MM[2 - a] + STEP_MM * np.arange(n)).astype(np.float32).reshape(
            [-1 if i == a else 1 for i in range(3)])
        for a, n in enumerate(head.code.shape)
    )  # fmt: skip
    low = rng.normal(-26, 3)
    sheet = low + rng.uniform(0.4, 0.7) * (y + 88) - rng.uniform(0.25, 0.5) * np.abs(x)
    wide = rng.uniform(0.8, 2.0)
    behind = slice(0, 75)
    code = head.code[:, behind]
    near = np.abs(z - sheet[:, behind]) < wide
    code[near & _fluid(code) & (y[:, behind] < -25) & (z > low - 4)] = Code.FALX
    under = head.depth[:, behind] > DEPTH_ZERO - 2 * rng.uniform(3, 7)
    side = x * rng.choice([-1, 1]) > (-200 if rng.random() < 0.6 else 0)
    band = (np.abs(z - low - 0.1 * (y[:, behind] + 88)) < rng.uniform(2, 5)) & side
    code[band & under & _brainy(code) & (y[:, behind] < -35)] = Code.SINUS


def implant(rng: Generator, head: LabelledHead) -> None:
    """Put metal in: a coil or clip in the brain, plates at the skull, teeth."""
    for _ in range(rng.integers(1, 4)):
        place = rng.random()
        inside, kind, radius = _brainy(head.code), Code.METAL, rng.uniform(1.5, 8)
        if place < 0.35:
            inside = (head.code >= Code.VAULT) & (head.code < Code.VAULT + 8)
            kind, radius = Code.PLATE, rng.uniform(2, 5)
        elif place < 0.5:
            inside = head.code == Code.MUSCLE
            inside[30:] = False
            kind, radius = Code.PLATE, rng.uniform(2, 8)
        seed = _seed(rng, inside)
        if seed is None:
            continue
        box = _box(head, seed, radius, np.exp(rng.normal(0, 0.3, 3)))
        head.code[box.part][box.away < radius] = kind
