"""One training sample: a labelled head posed, cut and scanned at random on blocks of 3 mm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy.tissue.map import Kind
from hemocast.simulate.randomised import lesions
from hemocast.simulate.randomised.artefacts import scan_blocks
from hemocast.simulate.randomised.gaps import Bulge, open_skull
from hemocast.simulate.randomised.heads import FIRST_MM, GRID, STEP_MM, LabelledHead
from hemocast.simulate.randomised.labels import CLASS_OF, INSIDE, ByteArray, draw_hu
from hemocast.simulate.scanner.place import rotation_matrix
from hemocast.simulate.scanner.scan import magnify
from hemocast.volume import FloatArray

BLOCKS = (48, 72, 64)
"""Blocks of a sample along z, y, x: 144 x 216 x 192 mm."""

_NODE = 4
"""Fine points between nodes at which places are computed."""


@dataclass(frozen=True)
class Sample:
    """What the network sees and what it is to say, on `BLOCKS`.

    Parameters
    ----------
    hu : ndarray of float16
        CT numbers, HU.
    kind : ndarray of uint8
        The `Kind` that fills most of each block.
    inside : ndarray of uint8
        Share of each block inside the dura, times 255.
    """

    hu: NDArray[np.float16]
    kind: ByteArray
    inside: ByteArray


def draw_sample(rng: Generator, clean: LabelledHead) -> Sample:
    """Draw a sample.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    clean : LabelledHead
        A head; it is not changed.
    """
    head = replace(clean, code=clean.code.copy())
    bulge = _befall(rng, head)
    fine = _posed(rng, head, bulge)
    hu = draw_hu(rng)[fine]
    return Sample(scan_blocks(rng, hu, fine), _kinds(fine), _share_inside(fine))


def _befall(rng: Generator, head: LabelledHead) -> Bulge | None:
    """Let things befall a head: vessels and calcium, gaps in the skull, blood, metal."""
    lesions.vessels(rng, head)
    if rng.random() < 0.6:
        lesions.calcify(rng, head)
    bulge = open_skull(rng, head) if rng.random() < 0.45 else None
    if rng.random() < 0.1:
        open_skull(rng, head)
    if rng.random() < 0.65:
        for _ in range(rng.integers(1, 4)):
            lesions.bleed(rng, head)
    if rng.random() < 0.2:
        lesions.implant(rng, head)
    return bulge


def _turn(rng: Generator) -> NDArray[np.float64]:
    """Draw how a head lies: mostly near upright, sometimes any way, also mirrored."""
    kind = rng.random()
    if kind < 0.62:
        return rotation_matrix(tuple(rng.normal(0, 9, 3)))
    if kind < 0.87:
        return rotation_matrix(tuple(rng.uniform(-65, 65, 3)))
    cube = np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 1.0], 3)
    return np.asarray(cube @ rotation_matrix(tuple(rng.normal(0, 9, 3))))


def _posed(rng: Generator, head: LabelledHead, bulge: Bulge | None) -> ByteArray:
    """Return the codes at two fine points per block along each axis."""
    size = np.array(BLOCKS) * 2
    at = [np.arange(0, n + _NODE, _NODE) * STEP_MM - n * STEP_MM / 2 for n in size]
    z, y, x = np.meshgrid(*at, indexing="ij")
    out = np.stack([x, y, z], axis=-1)
    if rng.random() < 0.5:
        out[..., 0] *= -1
    scale = rng.uniform(0.82, 1.12) * np.exp(rng.normal(0, 0.035, 3))
    centre = np.array([0.0, -16.0, 4.0]) + rng.normal(0, [6, 8, 9])
    if rng.random() < 0.3:
        centre[2] += rng.uniform(-50, 35)
    own = (out @ _turn(rng)) / scale + centre
    for sigma, most in ((3.0, 5.0), (1.5, 1.5)):
        smooth = ndimage.gaussian_filter(rng.standard_normal(own.shape), (sigma, sigma, sigma, 0))
        own += smooth / smooth.std() * rng.uniform(0, most)
    if bulge is not None:
        away2 = ((own - bulge.centre) ** 2).sum(-1)
        own -= bulge.way * (bulge.out_mm * np.exp(-away2 / (2 * bulge.width_mm**2)))[..., None]
    index = ((own - FIRST_MM) / STEP_MM)[..., ::-1].astype(np.float32)
    nodes = np.ascontiguousarray(index.transpose(0, 3, 1, 2))
    return _looked_up(head.code, nodes, _motion(rng, int(size[0])))


def _motion(rng: Generator, count: int) -> FloatArray:
    """Return the shift of every plane, in grid points: mostly none, or a drift and jumps."""
    if rng.random() < 0.75:
        return np.zeros((count, 3), np.float32)
    walk = np.cumsum(rng.normal(0, 0.12, (count, 3)), axis=0)
    jump = (np.arange(count) > rng.integers(count))[:, None] * rng.normal(0, 1.2, 3)
    return np.asarray((walk - walk.mean(0)) * rng.uniform(0, 1.2) + jump, np.float32)


def _looked_up(code: ByteArray, nodes: FloatArray, shift: FloatArray) -> ByteArray:
    flat = code.ravel()
    planes = []
    for k in range(len(shift)):
        low, part = divmod(k, _NODE)
        weight = np.float32(part / _NODE)
        plane = nodes[low] + weight * (nodes[low + 1] - nodes[low])
        place = magnify(plane, _NODE) + shift[k][:, None, None]
        whole = np.rint(place).astype(np.int32)
        out = (whole < 0).any(0)
        for axis in range(3):
            out |= whole[axis] >= GRID[axis]
        at = (whole[0] * GRID[1] + whole[1]) * GRID[2] + whole[2]
        at[out] = 0
        found = flat.take(at)
        found[out] = 0
        planes.append(found)
    return np.stack(planes)


def _blocks(fine: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sum 2 x 2 x 2 points."""
    pairs = fine[0::2] + fine[1::2]
    pairs = pairs[:, 0::2] + pairs[:, 1::2]
    return np.asarray(pairs[:, :, 0::2] + pairs[:, :, 1::2])


def _kinds(fine: ByteArray) -> ByteArray:
    kinds = CLASS_OF[fine]
    best = np.zeros(BLOCKS, np.uint8)
    kind = np.zeros(BLOCKS, np.uint8)
    for value in range(len(Kind)):
        count = _blocks((kinds == value).view(np.uint8)) * np.uint8(4)
        if value >= Kind.BLOOD:
            count += count // 8  # small things win a tie
        larger = count > best
        best[larger], kind[larger] = count[larger], value
    return kind


def _share_inside(fine: ByteArray) -> ByteArray:
    return np.minimum(_blocks(INSIDE[fine].view(np.uint8)).astype(np.uint16) * 32, 255).astype(
        np.uint8
    )
