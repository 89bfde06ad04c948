"""A simulated CT scanner: where the slices lie and what each measures.

Each slice is the mean of three planes through its thickness (partial volume), sampled at the
nearest atlas millimetre, then finished by `hemocast.simulate.detector`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.simulate.atlas import ORIGIN, SHAPE
from hemocast.simulate.detector import Protocol, finish
from hemocast.simulate.face import Tissue
from hemocast.simulate.head import Head
from hemocast.simulate.matter import measure, spread
from hemocast.simulate.shape import FIELD
from hemocast.volume import FloatArray

PLANES = 3
"""Planes whose mean is one slice."""


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
    """

    hu: FloatArray
    infarct: FloatArray
    positions: NDArray[np.float64]
    orientation: NDArray[np.float64]
    pixel_mm: float


def rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the rotation matrix about x, then y, then z."""
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def _place_slices(
    head: Head, protocol: Protocol, turn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ImagePositionPatient of every slice and ImageOrientationPatient."""
    tilt = np.radians(protocol.tilt_degrees)
    low = np.array([[0, -47, -67], [0, -62, -66]]) * head.shape.scale
    angle, ring = np.meshgrid(np.linspace(0, 2 * np.pi, 12), (0.0, 25.0, 45.0))
    high = (
        np.stack(
            [ring * np.cos(angle), ring * np.sin(angle) - 18, 90 - (ring / 12.2) ** 2], axis=-1
        ).reshape(-1, 3)
        * head.shape.scale
    )

    def along(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lps = points @ turn.T * np.array([-1, -1, 1]) + np.array(protocol.shift_mm)
        return np.asarray((lps[:, 2] + lps[:, 1] * np.tan(tilt)) * np.cos(tilt))

    bottom = along(low).min() - protocol.margin_mm[0]
    top = along(high).max() + protocol.margin_mm[1]
    count = int(np.clip(np.ceil((top - bottom) / protocol.slice_mm), 8, 400))
    normal = bottom + protocol.slice_mm * (np.arange(count) + 0.5)
    corner = -(protocol.matrix - 1) / 2 * protocol.field_mm / protocol.matrix
    centre_y = 16.0 + (2.0 if protocol.tilt_degrees else 0.0)
    row, column = np.array([1.0, 0, 0]), np.array([0, np.cos(tilt), -np.sin(tilt)])
    positions = np.zeros((count, 3))
    # The table moves along z: what lies at height y is met y * tan(tilt) later.
    positions[:, 2] = normal / np.cos(tilt) - centre_y * np.tan(tilt)
    positions += np.array([0, centre_y, 0]) + corner * (row + column)
    return positions, np.concatenate([row, column])


def _coarse_points(
    head: Head,
    protocol: Protocol,
    turn: NDArray[np.float64],
    positions: NDArray[np.float64],
    orientation: NDArray[np.float64],
) -> tuple[FloatArray, FloatArray]:
    """Return atlas voxels of coarse pixels (n, planes, 3, c, c) and own maps there (n, 3, c, c)."""
    step = protocol.matrix // 32
    pixel = protocol.field_mm / protocol.matrix
    at = np.arange(0, protocol.matrix + step, step) * pixel
    row, column = orientation[:3], orientation[3:]
    depth = ((np.arange(PLANES) + 0.5) / PLANES - 0.5) * protocol.slice_mm
    plane = at[None, :, None] * row + at[:, None, None] * column
    scan = (
        positions[:, None, None, None, :]
        + depth[None, :, None, None, None] * np.cross(row, column)
        + plane[None, None]
    )
    ras = (scan - np.array(protocol.shift_mm)) * np.array([-1, -1, 1])
    # Not by BLAS: its sums may depend on the number of threads.
    mni = np.einsum("nprci,ij->nprcj", ras, turn, optimize=False) / head.shape.scale
    index = ((mni - ORIGIN) / FIELD)[..., ::-1].astype(np.float32)
    index = np.ascontiguousarray(np.moveaxis(index, -1, 0))
    voxel = np.empty((*mni.shape[:2], 3, len(at), len(at)), dtype=np.float32)
    middle = index[:, :, PLANES // 2]  # the bend hardly changes within a slice
    for axis in range(3):
        bend = ndimage.map_coordinates(head.shape.bend[axis], middle, order=1, mode="nearest")
        edge = SHAPE[2 - axis] - 1
        voxel[:, :, 2 - axis] = np.clip(mni[..., axis] - ORIGIN[axis] + bend[:, None], 0, edge)
    own = np.stack(
        [
            ndimage.map_coordinates(field, middle, order=1, mode="nearest")
            for field in (head.shape.threshold, head.shape.pallor, head.shape.skull)
        ],
        axis=1,
    )
    return voxel, own.astype(np.float32)


def _magnify(coarse: FloatArray, step: int) -> FloatArray:
    """Interpolate the last two axes, `step` pixels between points; the last point is left out."""
    weight = (np.arange(step, dtype=np.float32) / step).astype(np.float32)
    low, high = coarse[..., :-1, :], coarse[..., 1:, :]
    rows = low[..., :, None, :] + weight[:, None] * (high - low)[..., :, None, :]
    rows = rows.reshape(*coarse.shape[:-2], -1, coarse.shape[-1])
    low, high = rows[..., :-1], rows[..., 1:]
    fine = low[..., None] + weight * (high - low)[..., None]
    return fine.reshape(*rows.shape[:-1], -1)


def scan_head(
    head: Head, protocol: Protocol, *, water_uptake: float = 0.0, rng: Generator | None = None
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
    rng : Generator or None
        Noise is drawn from it; None gives a scan without noise.
    """
    turn = rotation(protocol.rotation_degrees)
    positions, orientation = _place_slices(head, protocol, turn)
    voxel, own = _coarse_points(head, protocol, turn, positions, orientation)
    stains = {
        name: spread(stain)
        for name, stain in (("infarct", head.infarct), ("blood", head.blood))
        if stain is not None
    }
    size = protocol.matrix
    hu = np.full((len(positions), size, size), -1000, dtype=np.float32)
    infarct = np.zeros_like(hu)
    step = size // 32
    for k in range(len(positions)):
        rows, columns = _occupied(head, voxel[k])
        if rows.stop <= rows.start:
            continue
        cut = (..., slice(rows.start, rows.stop + 1), slice(columns.start, columns.stop + 1))
        fine, fields = _magnify(voxel[k][cut], step), _magnify(own[k][cut], step)
        pixels = tuple(slice(s.start * step, s.stop * step) for s in (rows, columns))
        hu[k][pixels], share = measure(head, fine, fields, water_uptake, stains)
        if share is not None:
            infarct[k][pixels] = share
    finish(hu, protocol, rng)
    return Frames(hu, infarct, positions, orientation, protocol.field_mm / size)


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
