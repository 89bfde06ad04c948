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

SKULL_MM = 80.0
"""Distance of the skull from the middle of the head, mm: turns motion into an angle."""


@dataclass(frozen=True)
class Place:
    """Where the slices lie, and where the head is while each plane of each is taken.

    Parameters
    ----------
    positions, orientation, thickness_mm : ndarray
        As in `Frames`.
    turn : ndarray, shape (n, PLANES, 3, 3)
        Rotation of the head.
    shift : ndarray, shape (n, PLANES, 3)
        Its shift, LPS mm.
    """

    positions: NDArray[np.float64]
    orientation: NDArray[np.float64]
    thickness_mm: NDArray[np.float64]
    turn: NDArray[np.float64]
    shift: NDArray[np.float64]


def rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the rotation matrix about x, then y, then z."""
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def place_slices(scale: NDArray[np.float64], protocol: Protocol) -> Place:
    """Lay the slices over a head, from below the foramen magnum to above the vertex.

    Parameters
    ----------
    scale : ndarray, shape (3,)
        Size of the head against the atlas along x, y, z.
    protocol : Protocol
        How it is scanned.
    """
    turn = rotation(protocol.rotation_degrees)
    tilt = np.radians(protocol.tilt_degrees)
    low = np.array([[0, -47, -67], [0, -62, -66]]) * scale
    angle, ring = np.meshgrid(np.linspace(0, 2 * np.pi, 12), (0.0, 25.0, 45.0))
    dome = [ring * np.cos(angle), ring * np.sin(angle) - 18, 90 - (ring / 12.2) ** 2]
    high = np.stack(dome, axis=-1).reshape(-1, 3) * scale

    def along(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lps = points @ turn.T * np.array([-1, -1, 1]) + np.array(protocol.shift_mm)
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
    turns, shifts = _move(protocol, len(normal), turn)
    return Place(positions, np.concatenate([row, column]), thickness, turns, shifts)


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
    protocol: Protocol, count: int, turn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the head's rotation and shift in every plane of every slice.

    Half of the heads drift, half jump at one slice; all tremble a little. Rotation moves the skull,
    `SKULL_MM` from the middle, by what it takes.
    """
    turns = np.broadcast_to(turn, (count, PLANES, 3, 3)).copy()
    shifts = np.broadcast_to(np.array(protocol.shift_mm), (count, PLANES, 3)).copy()
    if protocol.motion_mm <= 0:
        return turns, shifts
    rng = np.random.default_rng(protocol.motion_seed())
    time = np.arange(count * PLANES) / (count * PLANES)
    if rng.random() < 0.5:
        course = np.sin(np.pi * rng.uniform(0.6, 1.4) * (time + rng.uniform(0, 1)))
    else:
        course = 0.5 * np.tanh((time - rng.uniform(0.25, 0.75)) * 8 * count)
    size = protocol.motion_mm / np.sqrt(2)
    way = rng.normal(0, 1, 3) * [0.3, 0.3, 1.0]  # mostly the head turns
    way /= np.linalg.norm(way)
    slide = rng.normal(0, 1, 3)
    slide /= np.linalg.norm(slide)
    tremor = 0.12 * rng.normal(0, 1, (2, len(time), 3))
    angle = np.degrees(size / SKULL_MM) * (course[:, None] * way + tremor[0])
    shifts += (size * (course[:, None] * slide + tremor[1])).reshape(count, PLANES, 3)
    for k, degrees in enumerate(angle):
        turns[divmod(k, PLANES)] = turn @ rotation((degrees[0], degrees[1], degrees[2]))
    return turns, shifts
