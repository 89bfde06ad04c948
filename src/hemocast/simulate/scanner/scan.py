"""A simulated CT scanner: where the slices lie and what each measures.

Each slice is the mean of three planes through its thickness (partial volume), sampled at the
nearest atlas millimetre, then finished by `hemocast.simulate.scanner.detector`. A head that moves
has its own pose in each plane of each slice, so that a slice is the mean of poses: blurred or
doubled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.anatomy.fields import sample
from hemocast.simulate.anatomy.atlas import ORIGIN, SHAPE, nearest_voxel
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.simulate.disease.head import Head
from hemocast.simulate.scanner.detector import Protocol, finish
from hemocast.simulate.scanner.measure import Subject, lay_down, measure
from hemocast.simulate.scanner.place import PLANES, RAS, Place, place_slices, to_head
from hemocast.volume import Affine, BoolArray, FloatArray

Cut = tuple[Any, ...]


@dataclass(frozen=True)
class Frames:
    """One scan as acquired.

    Parameters
    ----------
    hu : ndarray of float32, shape (n, rows, columns)
        CT numbers, HU, inferior to superior.
    infarct : ndarray of float32, shape (n, rows, columns)
        Share of each voxel that is infarcted tissue.
    positions : ndarray, shape (n, 3)
        ImagePositionPatient, LPS mm.
    orientation : ndarray, shape (6,)
        ImageOrientationPatient.
    pixel_mm : float
        Pixel size, mm.
    thickness_mm : ndarray, shape (n,)
        Thickness of every slice, mm.
    """

    hu: FloatArray
    infarct: FloatArray
    positions: NDArray[np.float64]
    orientation: NDArray[np.float64]
    pixel_mm: float
    thickness_mm: NDArray[np.float64]

    @property
    def affine(self) -> Affine:
        """Matrix from voxel (x, y, z, 1) to RAS+ mm, of even slices without tilt."""
        matrix = np.eye(4)
        matrix[:3, 0] = self.orientation[:3] * self.pixel_mm
        matrix[:3, 1] = self.orientation[3:] * self.pixel_mm
        matrix[:3, 2] = self.positions[1] - self.positions[0]
        matrix[:3, 3] = self.positions[0]
        return np.diag([*RAS, 1.0]) @ matrix


def scan_points(
    subject: Subject, protocol: Protocol, place: Place
) -> tuple[FloatArray, FloatArray]:
    """Return atlas voxels of coarse pixels (n, planes, 3, c, c) and own maps there (n, 4, c, c)."""
    step = protocol.matrix // 32
    pixel = protocol.field_mm / protocol.matrix
    at = np.arange(0, protocol.matrix + step, step) * pixel
    row, column = place.orientation[:3], place.orientation[3:]
    depth = ((np.arange(PLANES) + 0.5) / PLANES - 0.5) * place.thickness_mm[:, None]
    plane = at[None, :, None] * row + at[:, None, None] * column
    scan = (
        place.positions[:, None, None, None, :]
        + depth[:, :, None, None, None] * np.cross(row, column)
        + plane[None, None]
    )
    return to_atlas(subject, to_head(scan * RAS, place.rotation, place.shift))


def to_atlas(subject: Subject, own_mm: NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    """Return atlas voxels (z, y, x) of points, and a head's own maps there.

    Parameters
    ----------
    subject : Subject
        Whose.
    own_mm : ndarray, shape (n, PLANES, rows, columns, 3)
        x, y, z in the head, mm.

    Returns
    -------
    voxel : ndarray of float32, shape (n, PLANES, 3, rows, columns)
    own : ndarray of float32, shape (n, 4, rows, columns)
        Threshold, pallor, thickness of skull and shading in the middle plane.
    """
    shape = subject.shape
    mni = own_mm / shape.scale
    own = (shape.threshold, shape.pallor, shape.skull, subject.shading)
    fields = np.stack([*shape.bend, *own], axis=-1)
    middle = (mni[:, PLANES // 2] - ORIGIN) / FIELD  # the bend hardly changes within a slice
    edges = np.array(fields.shape[:3]) - 1
    index = np.clip(middle[..., ::-1], 0, edges).astype(np.float32).reshape(-1, 3)
    there = sample(fields.astype(np.float32, copy=False), index)
    maps = np.ascontiguousarray(there.reshape(*middle.shape[:-1], -1).transpose(0, 3, 1, 2))
    voxel = np.empty((*mni.shape[:2], 3, *mni.shape[2:4]), dtype=np.float32)
    for axis in range(3):
        moved = mni[..., axis] - ORIGIN[axis] + maps[:, None, axis]
        voxel[:, :, 2 - axis] = np.clip(moved, 0, SHAPE[2 - axis] - 1)
    return voxel, maps[:, 3:]


def magnify(coarse: FloatArray, step: int) -> FloatArray:
    """Interpolate the last two axes, `step` pixels between points; the last point is left out."""
    # Weight by weight, rows last: numpy is quick along long contiguous axes.
    weights = (np.arange(step, dtype=np.float32) / step).astype(np.float32)
    low, slope = coarse[..., :-1], np.diff(coarse, axis=-1)
    wide = np.empty((*low.shape, step), dtype=np.float32)
    for k, weight in enumerate(weights):
        wide[..., k] = low + weight * slope
    wide = wide.reshape(*low.shape[:-1], -1)
    low, slope = wide[..., :-1, :], np.diff(wide, axis=-2)
    fine = np.empty((*low.shape[:-1], step, low.shape[-1]), dtype=np.float32)
    for k, weight in enumerate(weights):
        np.multiply(slope, weight, out=fine[..., k, :])
        fine[..., k, :] += low
    return fine.reshape(*fine.shape[:-3], -1, fine.shape[-1])


def scan_head(head: Head, protocol: Protocol, rng: Generator | None = None) -> Frames:
    """Scan a head.

    Parameters
    ----------
    head : Head
        What lies in the scanner, as swollen as its `Head.edema` says.
    protocol : Protocol
        How it is scanned.
    rng : Generator or None
        Noise is drawn from it; None gives a scan without noise.
    """
    subject = lay_down(head, protocol.response)
    place = place_slices(subject.shape.scale, protocol)
    voxel, own = scan_points(subject, protocol, place)
    size, count = protocol.matrix, len(place.positions)
    hu = np.full((count, size, size), -1000, dtype=np.float32)
    infarct = np.zeros_like(hu)
    step = size // 32
    for k in range(count):
        covered = covering(_occupied(subject, voxel[k]), step)
        if covered is None:
            continue
        cut, pixels = covered
        fine, fields = magnify(voxel[k][cut], step), magnify(own[k][cut], step)
        hu[k][pixels], share = measure(subject, nearest_voxel(fine), fields)
        if share is not None:
            infarct[k][pixels] = share
    finish(hu, protocol, rng, place.thickness_mm)
    return Frames(
        hu, infarct, place.positions, place.orientation, protocol.field_mm / size,
        place.thickness_mm,
    )  # fmt: skip


def _occupied(subject: Subject, voxel: FloatArray) -> BoolArray:
    """Return which coarse points of a slice hold more than air in some plane."""
    tissue = subject.head.tissue.ravel().take(nearest_voxel(voxel))
    return np.asarray((tissue != Tissue.AIR).any(axis=0))


def covering(near: BoolArray, step: int) -> tuple[Cut, Cut] | None:
    """Return what to cut from coarse points, and from the pixels, to hold some with a margin.

    Parameters
    ----------
    near : ndarray of bool, shape (points, points)
        Coarse points to be held; None is the answer where there are none.
    step : int
        Pixels between points.
    """
    if not near.any():
        return None
    parts = []
    for axis in (1, 0):
        used = np.flatnonzero(near.any(axis=axis))
        parts.append((max(int(used[0]) - 1, 0), min(int(used[-1]) + 1, len(near) - 1)))
    coarse, fine = (
        tuple(slice(scale * low, scale * high + more) for low, high in parts)
        for scale, more in ((1, 1), (step, 0))
    )
    return (..., *coarse), fine
