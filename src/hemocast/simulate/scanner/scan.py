"""A simulated CT scanner: where the slices lie and what each measures.

Each slice is the mean of three planes through its thickness (partial volume), sampled at the
nearest atlas millimetre, then finished by `hemocast.simulate.scanner.detector`. A head that moves
has its own pose in each plane of each slice, so that a slice is the mean of poses: blurred or
doubled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.anatomy.fields import sample
from hemocast.simulate.anatomy.atlas import ORIGIN, SHAPE
from hemocast.simulate.anatomy.face import Tissue
from hemocast.simulate.anatomy.head import Head
from hemocast.simulate.anatomy.matter import measure, spread
from hemocast.simulate.anatomy.shape import FIELD, Shape
from hemocast.simulate.disease.swelling import swell
from hemocast.simulate.scanner.detector import Protocol, finish
from hemocast.simulate.scanner.place import PLANES, Place, place_slices
from hemocast.volume import FloatArray


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


def scan_points(head: Head, protocol: Protocol, place: Place) -> tuple[FloatArray, FloatArray]:
    """Return atlas voxels of coarse pixels (n, planes, 3, c, c) and own maps there (n, 3, c, c)."""
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
    ras = (scan - place.shift[:, :, None, None]) * np.array([-1, -1, 1])
    # Not by BLAS: its sums may depend on the number of threads.
    mni = np.einsum("nprci,npij->nprcj", ras, place.turn, optimize=False) / head.shape.scale
    return to_atlas(head.shape, mni)


def to_atlas(shape: Shape, mni: NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    """Return atlas voxels (z, y, x) of points, and a head's own maps there.

    Parameters
    ----------
    shape : Shape
        The head's.
    mni : ndarray, shape (n, PLANES, rows, columns, 3)
        Scaled x, y, z of the head, mm.

    Returns
    -------
    voxel : ndarray of float32, shape (n, PLANES, 3, rows, columns)
    own : ndarray of float32, shape (n, 3, rows, columns)
        Threshold, pallor, thickness of skull in the middle plane.
    """
    fields = np.stack([*shape.bend, shape.threshold, shape.pallor, shape.skull], axis=-1)
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


def scan_head(
    head: Head,
    protocol: Protocol,
    *,
    water_uptake: float = 0.0,
    shift_mm: float = 0.0,
    rng: Generator | None = None,
) -> Frames:
    """Scan a head.

    Parameters
    ----------
    head : Head
        What lies in the scanner.
    protocol : Protocol
        How it is scanned.
    water_uptake : float
        Net water uptake of the infarct, 0 to 1: its tissue measures (1 - uptake) of what it would
        (Minnerup 2016, Ann Neurol; Broocks 2018, Invest Radiol).
    shift_mm : float
        How far the infarct's swelling pushes the midline at the time of the scan, mm.
    rng : Generator or None
        Noise is drawn from it; None gives a scan without noise.
    """
    head = swollen(head, shift_mm)
    place = place_slices(head.shape.scale, protocol)
    voxel, own = scan_points(head, protocol, place)
    stains = spread_stains(head)
    size, count = protocol.matrix, len(place.positions)
    hu = np.full((count, size, size), -1000, dtype=np.float32)
    infarct = np.zeros_like(hu)
    step = size // 32
    for k in range(count):
        rows, columns = _occupied(head, voxel[k])
        if rows.stop <= rows.start:
            continue
        cut = (..., slice(rows.start, rows.stop + 1), slice(columns.start, columns.stop + 1))
        fine, fields = magnify(voxel[k][cut], step), magnify(own[k][cut], step)
        pixels = tuple(slice(s.start * step, s.stop * step) for s in (rows, columns))
        hu[k][pixels], share = measure(head, fine, fields, water_uptake, stains)
        if share is not None:
            infarct[k][pixels] = share
    finish(hu, protocol, rng, place.thickness_mm)
    return Frames(
        hu, infarct, place.positions, place.orientation, protocol.field_mm / size,
        place.thickness_mm,
    )  # fmt: skip


def swollen(head: Head, shift_mm: float) -> Head:
    """Return the head with its midline pushed by the infarct's swelling, mm."""
    if head.infarct is None:
        return head
    return replace(head, shape=swell(head.shape, head.infarct, shift_mm))


def spread_stains(head: Head) -> dict[str, NDArray[np.uint8]]:
    """Return a head's infarct and bleed on the whole atlas grid, as `measure` wants them."""
    found = {"infarct": head.infarct, "blood": head.blood}
    return {name: spread(stain) for name, stain in found.items() if stain is not None}


def _occupied(head: Head, voxel: FloatArray) -> tuple[slice, slice]:
    """Return the coarse cells, rows and columns, of a slice that hold more than air."""
    nearest = np.rint(voxel)
    at = ((nearest[:, 0] * SHAPE[1] + nearest[:, 1]) * SHAPE[2] + nearest[:, 2]).astype(np.intp)
    something = (head.tissue.ravel().take(at) != Tissue.AIR).any(axis=0)
    bounds = []
    for axis in (1, 0):
        where = np.flatnonzero(something.any(axis=axis))
        if len(where) == 0:
            return slice(0, 0), slice(0, 0)
        bounds.append(slice(max(where[0] - 1, 0), min(where[-1] + 1, something.shape[0] - 1)))
    return bounds[0], bounds[1]
