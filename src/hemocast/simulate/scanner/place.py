"""Where the slices of a scan lie, and where the head is while each is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.simulate.scanner.detector import Protocol

PLANES = 3
"""Planes whose mean is one slice."""

FOSSA_TOP = (0.0, -50.0, -12.0)
"""Where thin slices end in a mixed series: above the cerebellum, MNI x, y, z, mm; ours."""

RAS = np.array([-1.0, -1.0, 1.0])
"""Times LPS coordinates: RAS."""

SKULL_MM = 80.0
"""Distance of the skull from the middle of the head, mm: makes motion an angle."""


@dataclass(frozen=True)
class Place:
    """Where the slices lie, and where the head is while each plane of each is taken.

    Parameters
    ----------
    positions, orientation, thickness_mm : ndarray
        As in `Frames`.
    rotation : ndarray, shape (n, PLANES, 3, 3)
        Of the head, from its own axes to the scanner's.
    shift : ndarray, shape (n, PLANES, 3)
        Its shift, LPS mm.
    """

    positions: NDArray[np.float64]
    orientation: NDArray[np.float64]
    thickness_mm: NDArray[np.float64]
    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]


def rotation_matrix(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the matrix of pitch, roll and yaw: about x, then y, then z."""
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def to_head(
    ras: NDArray[np.float64], rotation: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where in the head, on its own axes, points of the scanner lie, mm.

    Parameters
    ----------
    ras : ndarray, shape (n, PLANES, rows, columns, 3)
        RAS mm.
    rotation, shift : ndarray
        As of a `Place`, or of one of its planes, (1, 1, ...), for a head that keeps still.
    """
    there = ras - shift[:, :, None, None] * RAS
    rotation = np.broadcast_to(rotation, (*ras.shape[:2], 3, 3))
    # Not by BLAS: its sums may depend on the number of threads.
    return np.asarray(np.einsum("nprci,npij->nprcj", there, rotation, optimize=False))


def place_slices(scale: NDArray[np.float64], protocol: Protocol) -> Place:
    """Lay the slices over a head, from below the foramen magnum to above the vertex.

    Parameters
    ----------
    scale : ndarray, shape (3,)
        Size of the head against the atlas along x, y, z.
    protocol : Protocol
        How it is scanned.
    """
    rotation = rotation_matrix(protocol.rotation_degrees)
    tilt = np.radians(protocol.tilt_degrees)
    low = np.array([[0, -47, -67], [0, -62, -66]]) * scale
    angle, ring = np.meshgrid(np.linspace(0, 2 * np.pi, 12), (0.0, 25.0, 45.0))
    dome = [ring * np.cos(angle), ring * np.sin(angle) - 18, 90 - (ring / 12.2) ** 2]
    high = np.stack(dome, axis=-1).reshape(-1, 3) * scale

    def along(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lps = points @ rotation.T * RAS + np.array(protocol.shift_mm)
        return np.asarray((lps[:, 2] + lps[:, 1] * np.tan(tilt)) * np.cos(tilt))

    bottom = along(low).min() - protocol.margin_mm[0]
    top = along(high).max() + protocol.margin_mm[1]
    above_fossa = along(np.array([FOSSA_TOP]) * scale)[0]
    thickness = _thicknesses(bottom, above_fossa if protocol.mixed else bottom, top, protocol)
    normal = bottom + np.cumsum(thickness) - thickness / 2
    corner = -(protocol.matrix - 1) / 2 * protocol.field_mm / protocol.matrix
    centre_y = 16.0 + (2.0 if protocol.tilt_degrees else 0.0)
    row, column = np.array([1.0, 0, 0]), np.array([0, np.cos(tilt), -np.sin(tilt)])
    positions = np.zeros((len(normal), 3))
    # The table moves along z: what lies at height y is met y * tan(tilt) later.
    positions[:, 2] = normal / np.cos(tilt) - centre_y * np.tan(tilt)
    positions += np.array([0, centre_y, 0]) + corner * (row + column)
    rotations, shifts = _move(protocol, len(normal), rotation)
    return Place(positions, np.concatenate([row, column]), thickness, rotations, shifts)


def _thicknesses(
    bottom: float, above_fossa: float, top: float, protocol: Protocol
) -> NDArray[np.float64]:
    """Return the thickness of every slice: thin ones from the bottom to above the fossa."""
    thin = int(np.clip(np.ceil((above_fossa - bottom) / (protocol.slice_mm / 2)), 0, 200))
    rest = top - bottom - thin * protocol.slice_mm / 2
    thick = int(np.clip(np.ceil(rest / protocol.slice_mm), 8, 400))
    return np.concatenate(
        [np.full(thin, protocol.slice_mm / 2), np.full(thick, float(protocol.slice_mm))]
    )


def _move(
    protocol: Protocol, count: int, upright: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the head's rotation and shift in every plane of every slice.

    Half of the heads drift, half jump at one slice; all tremble a little. Rotation moves the skull,
    `SKULL_MM` from the middle, by what it takes.
    """
    rotations = np.broadcast_to(upright, (count, PLANES, 3, 3)).copy()
    shifts = np.broadcast_to(np.array(protocol.shift_mm), (count, PLANES, 3)).copy()
    if protocol.motion_mm <= 0:
        return rotations, shifts
    rng = np.random.default_rng(protocol.motion_seed())
    time = np.arange(count * PLANES) / (count * PLANES)
    if rng.random() < 0.5:
        course = np.sin(np.pi * rng.uniform(0.6, 1.4) * (time + rng.uniform(0, 1)))
    else:
        course = 0.5 * np.tanh((time - rng.uniform(0.25, 0.75)) * 8 * count)
    size = protocol.motion_mm / np.sqrt(2)
    way = rng.normal(0, 1, 3) * [0.3, 0.3, 1.0]  # mostly the head rotates
    way /= np.linalg.norm(way)
    slide = rng.normal(0, 1, 3)
    slide /= np.linalg.norm(slide)
    tremor = 0.12 * rng.normal(0, 1, (2, len(time), 3))
    angle = np.degrees(size / SKULL_MM) * (course[:, None] * way + tremor[0])
    shifts += (size * (course[:, None] * slide + tremor[1])).reshape(count, PLANES, 3)
    for k, (pitch, roll, yaw) in enumerate(angle):
        rotations[divmod(k, PLANES)] = upright @ rotation_matrix((pitch, roll, yaw))
    return rotations, shifts
