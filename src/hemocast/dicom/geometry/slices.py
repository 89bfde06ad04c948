"""Where the slices lie -> one even grid at right angles, and how each slice gets there.

Everything comes from ImagePositionPatient and ImageOrientationPatient (DICOM PS3.3 C.7.6.2);
SliceThickness and GantryDetectorTilt are never used for geometry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import BadGeometry, MissingSlices, TooLarge

GAP_RATIO = 1.5
GAP_MM = 1.0 + 1e-3  # headers round; the thousandth is for steps that are differences of positions
SAME_PLACE_MM = 0.01
EVEN_MM = 0.05  # slices this near to an even grid need no resampling
SHIFT_PIXELS = 0.02  # in-plane offsets below this are rounding of the header's decimals
MOST_TILT = 45.0
MOST_VOXELS = 2**28

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """One output slice: which input slices it is made of.

    Parameters
    ----------
    low, high : int
        Numbers of the sorted slices on either side (the same when it is one of them).
    weight : float
        Of `high`; `low` has the rest.
    """

    low: int
    high: int
    weight: float


@dataclass(frozen=True)
class Grid:
    """An even grid for one stack, and how its slices get there.

    Parameters
    ----------
    order : tuple of int
        The slices given, sorted along the normal.
    heights : tuple of float
        Their positions along the normal, mm from the first.
    shifts : ndarray, shape (n, 2)
        By how many rows and columns each sorted slice moves on the grown grid.
    shape : tuple of int
        (slices, rows, columns) of the grid.
    blends : tuple of Blend
        What each of its slices is made of.
    lps : ndarray, shape (4, 4)
        Grid voxel (column, row, slice, 1) to mm, LPS; columns orthogonal.
    step : float
        Distance between its slices, mm.
    tilt_degrees : float
        Angle between the slices' normal and the line through their centres.
    even : bool
        The slices lay evenly already.
    """

    order: tuple[int, ...]
    heights: tuple[float, ...]
    shifts: Matrix
    shape: tuple[int, int, int]
    blends: tuple[Blend, ...]
    lps: Matrix
    step: float
    tilt_degrees: float
    even: bool

    @property
    def steps(self) -> tuple[float, ...]:
        """Distances between the slices as they were acquired, mm."""
        return tuple(np.diff(self.heights).tolist())

    @property
    def sheared(self) -> bool:
        """The slices have to be moved in their plane."""
        return bool(self.shifts.any())


def axes(orientation: tuple[float, ...]) -> tuple[Matrix, Matrix, Matrix]:
    """Unit vectors along a row, down a column and along the normal, LPS.

    Cosines rounded in the header are made exactly orthonormal.

    Raises
    ------
    BadGeometry
        They are not unit vectors at right angles within 0.02.
    """
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(row @ column)) > 0.02:
        raise _bad("The image orientation is not a pair of unit vectors at right angles")
    row /= lengths[0]
    column -= (column @ row) * row
    column /= np.linalg.norm(column)
    return row, column, np.cross(row, column)


def plan(
    positions: NDArray[np.float64],
    orientation: tuple[float, ...],
    spacing: tuple[float, ...],
    shape: tuple[int, int],
    thickness: Sequence[float | None] = (),
) -> Grid:
    """Lay an even grid without shear over slices at given positions.

    Each slice is moved in its plane by exactly its own offset, on a grid grown so that no pixel of
    any slice is lost. Along the normal the grid starts at the lowest slice. Where steps are uneven,
    its step is the finest that makes up at least a fifth of the steps, so that the finer part of
    the scan stays as acquired and the coarser one is interpolated linearly between its true
    positions; linear weights never overshoot. (4 mm for a scan of 4 and 7 mm steps, 2.5 mm for one
    of 2.5 and 7.5 mm; a single odd step, like an overlap where the protocol changes, counts
    for nothing.)

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Centre of each slice's first pixel, mm, LPS; no two at one height.
    orientation : tuple of float
        Along a row, down a column.
    spacing : tuple of float
        Between rows, between columns, mm.
    shape : tuple of int
        (rows, columns) of each slice.
    thickness : sequence of float or None
        Of each slice, mm, for `check_gaps` alone.

    Raises
    ------
    MissingSlices
        As `check_gaps` says.
    BadGeometry
        Positions, orientation or spacing that no scanner makes.
    TooLarge
        The grid would have more than 2**28 voxels.
    """
    row, column, normal = axes(orientation)
    if not all(0.05 <= v <= 10.0 for v in spacing):
        raise _bad("The pixel spacing is not between 0.05 and 10 mm")
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    along, placed = along[order], positions[order]
    heights = along - along[0]
    steps = np.diff(heights)
    known = [thickness[i] or np.nan for i in order] if thickness else None
    check_gaps(steps, known)
    offsets = (placed - placed[0]) @ np.stack([column, row], axis=1)
    tilt = _tilt(offsets, heights)
    pixels = offsets / np.array(spacing)
    pixels[:, np.abs(pixels).max(axis=0) < SHIFT_PIXELS] = 0.0
    start = np.floor(pixels.min(axis=0) + 1e-6)
    grown = np.ceil(pixels.max(axis=0) - start - 1e-6).astype(int)
    step, even = _step(heights)
    n = round(float(heights[-1]) / step) + 1
    size = (n, shape[0] + int(grown[0]), shape[1] + int(grown[1]))
    _refuse_large(size)
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = row * spacing[1], column * spacing[0], normal * step
    lps[:3, 3] = placed[0] + start[0] * lps[:3, 1] + start[1] * lps[:3, 0]
    blends = tuple(Blend(i, i, 0.0) if even else _blend(i * step, heights) for i in range(n))
    return Grid(
        tuple(order.tolist()), tuple(heights.tolist()), pixels - start, size, blends, lps, step,
        tilt, even,
    )  # fmt: skip


def _refuse_large(shape: tuple[int, int, int]) -> None:
    """Refuse a grid that would fill the memory."""
    if float(shape[0]) * shape[1] * shape[2] > MOST_VOXELS:
        raise TooLarge(
            f"The scan needs a grid of {shape[0]} x {shape[1]} x {shape[2]} voxels",
            f"at most {MOST_VOXELS} voxels",
            "Give the head alone, or slices of at least 0.5 mm",
        )


def check_gaps(steps: NDArray[np.float64], thickness: Sequence[float] | None = None) -> None:
    """Refuse a stack that misses tissue between slices, or a slice.

    Slices of known thickness touch where a step is the mean of both thicknesses; a step that
    exceeds this and the usual step (the median) by more than 1 mm misses tissue, alone or in a run.
    Where the thickness is not known the usual step alone explains, save in a run of longer steps
    that reaches the stack's end: there the protocol may have changed. And a step of more than 1.5
    times both its neighbours, or its one neighbour at an end, is a missing slice whatever the
    thickness, for slices may overlap.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Between neighbouring slices along the normal, mm.
    thickness : sequence of float, optional
        Of the n + 1 slices in the same order, mm; not a number where the header does not say.

    Raises
    ------
    MissingSlices
        There is a gap.
    """
    usual = float(np.median(steps))
    slices = np.full(len(steps) + 1, np.nan) if thickness is None else np.asarray(thickness, float)
    touching = (slices[:-1] + slices[1:]) / 2
    explained = np.where(np.isnan(touching), usual, np.fmax(touching, usual))
    missing = steps > explained + GAP_MM
    for start, stop in _runs(missing):
        at_end = start == 0 or stop == len(steps)
        if at_end and stop - start > 1 and np.isnan(touching[start:stop]).all():
            continue
        by = steps[start:stop].max()
        raise _gap(
            f"A step of {by:.1f} mm lies between slices, where their thickness or the usual step "
            f"explains {explained[start]:.1f} mm"
        )
    _check_missing_slice(steps)


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Give where each run of true values starts and stops."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _check_missing_slice(steps: NDArray[np.float64]) -> None:
    n = len(steps)
    for width in (1, 2):
        for i in range(n - width + 1):
            run = steps[i : i + width]
            if run.max() > 1.05 * run.min():
                continue
            around = [steps[j] for j in (i - 1, i + width) if 0 <= j < n]
            # Two thick slices at an end are how some protocols end; one may be a missing slice.
            if width == 2 and len(around) < 2:
                continue
            if around and all(run.min() > GAP_RATIO * other for other in around):
                raise _gap(
                    f"A step of {run.max():.1f} mm between slices stands between steps of "
                    f"{' and '.join(f'{v:.1f}' for v in around)} mm"
                )


def _gap(seen: str) -> MissingSlices:
    return MissingSlices(
        f"{seen}: a slice, or tissue between slices, is missing",
        "slices without a gap",
        "Export the whole series again",
    )


def _tilt(offsets: Matrix, heights: NDArray[np.float64]) -> float:
    """Angle of the line through the slices' corners against their normal, degrees."""
    slope = heights @ offsets / (heights @ heights)
    tilt = float(np.degrees(np.arctan(np.hypot(*slope))))
    if tilt > MOST_TILT:
        raise _bad(f"The slices are sheared by {tilt:.0f} degrees, more than any gantry tilts")
    if np.abs(offsets - np.outer(heights, slope)).max() > 50.0:
        raise _bad("The slices jump sideways by more than 50 mm")
    return tilt


def _step(heights: NDArray[np.float64]) -> tuple[float, bool]:
    """The grid's step in mm, and whether the slices lie on it already."""
    n = len(heights)
    mean = float(heights[-1]) / (n - 1)
    if np.abs(heights - mean * np.arange(n)).max() <= EVEN_MM:
        return mean, True
    steps = np.diff(heights)
    for candidate in np.sort(steps):
        alike = steps[np.abs(steps - candidate) <= 0.05 * candidate]
        if len(alike) >= 0.2 * len(steps):
            return float(np.mean(alike)), False
    return float(np.median(steps)), False


def _blend(height: float, heights: NDArray[np.float64]) -> Blend:
    """Linear interpolation between the true positions; the ends hold."""
    place = float(np.interp(height, heights, np.arange(len(heights))))
    if abs(place - round(place)) < 1e-3:
        return Blend(round(place), round(place), 0.0)
    return Blend(int(place), int(place) + 1, place % 1)


def _bad(seen: str) -> BadGeometry:
    return BadGeometry(
        seen,
        "parallel slices of one scan at the positions their headers give",
        "Export the series again from the scanner or archive",
    )
