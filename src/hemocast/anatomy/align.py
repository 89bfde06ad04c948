"""Set the head upright: a rigid move, by the template's shape and the brain's own symmetry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.brain import Brain
from hemocast.anatomy.fields import robust_step, rotation, sample, turned
from hemocast.anatomy.grid import Coarse, coarsen_around
from hemocast.anatomy.orientation import (
    KNOWN_DEGREES,
    SIDES_UNKNOWN,
    left_and_right_known,
    rotation_angle,
    starts,
)
from hemocast.anatomy.symmetry import onto_midline
from hemocast.anatomy.template import CENTRE_MM, STEP_MM, VERTEX_MM, template
from hemocast.errors import NotAligned
from hemocast.volume import Affine, FloatArray, Volume

SCALE_RANGE = (0.7, 1.4)
LEAST_OVERLAP = 0.85
_SMOOTH_MM = 5.0
_POINT_MM = 7.0
_MARGIN_MM = 16.0
_SCALE_OF_MISFIT = 0.3
_FLUID_WEIGHT = 0.5
# What a radian, a millimetre and a unit of stretch move the brain's surface by, mm.
_MOVES_MM = np.array([80.0] * 3 + [1.0] * 3 + [80.0] * 3)
_SETTLED = 0.05
# Every way a head can lie is tried at this many places, the best few further on.
_FIRST_PLACES, _FIRST_STEPS, _KEPT = 400, 4, 5
# How much worse than the best pose the header's own may fit and still be believed. The real head
# under its 46 wrong headers: at least 3.1 times.
_HEADER_MARGIN = 1.25
# Brain in the lowest slice that shows that the base is missing. Measured: with 30 mm of the base
# cut off, pitch changed by up to 3 degrees, with 45 mm or more by up to 8.
_BASE_CM2 = 60.0
# Fluid is about 5 HU, white matter 28: in between lie mixed voxels and infarcts.
_FLUID_HU, _TISSUE_HU = 8.0, 26.0


@dataclass(frozen=True)
class Alignment:
    """The rigid move that sets a head upright.

    Parameters
    ----------
    matrix : ndarray of float64, shape (4, 4)
        Maps upright millimetres (RAS+, origin at the middle of the brain's midline plane, x = 0 on
        that plane) to the scan's millimetres (RAS+).
    rotation_degrees : tuple of float
        The rotation in `matrix` about the patient's x (pitch), y (roll) and z (yaw)
        axes, applied in that order.
    shift_mm : tuple of float
        The translation in `matrix`: right to left, anterior to posterior, inferior to superior.
    stretch : tuple of float
        Size of the brain against the template's along the upright axes.
    overlap : float
        Dice coefficient of the brain with the fitted template, within the scan.
    sides_known : bool
        Whether the header can be believed about left and right (`hemocast.anatomy.orientation`).
    doubts : tuple of str
        What was accepted but may matter, in words.
    """

    matrix: Affine
    rotation_degrees: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    stretch: tuple[float, float, float]
    overlap: float
    sides_known: bool = True
    doubts: tuple[str, ...] = ()

    @property
    def vertex_mm(self) -> float:
        """Height of the vertex over the origin, mm, by the template: also where the scan ends."""
        return (VERTEX_MM - CENTRE_MM[2]) * self.stretch[2]


@dataclass(frozen=True)
class _Pose:
    """Upright axes in the scan (3, 3), where the template's middle lies, log stretch (3,)."""

    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]
    log_scale: NDArray[np.float64]


@dataclass(frozen=True)
class _Target:
    """The scan as the fit sees it: places in mm and the two fields there."""

    points: FloatArray
    values: FloatArray
    middle: NDArray[np.float64]
    axes: NDArray[np.float64]


def align(
    volume: Volume, brain: Brain, starts_degrees: tuple[float, ...] | None = None
) -> Alignment:
    """Find the rigid move that sets the head upright and its midline on x = 0.

    The template is turned, shifted and stretched along its own axes (nine numbers, Gauss-Newton)
    until its shape and fluid match the scan's; stretching keeps size and atrophy out of the pose
    and is dropped afterwards. Then roll, yaw and sideways shift are refined on the brain's own
    left-right symmetry, in which a lesion of one side counts little. Only places inside the scan
    are compared, so a missing base or vertex does not pull.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain, as `find_brain` gives it.
    starts_degrees : tuple of float, optional
        Pitches from which the search starts, where the pose is roughly known. By default the head
        may lie in any way, whatever its header says.

    Raises
    ------
    NotAligned
        The brain does not take the template's shape.
    WrongOrientation
        It does, but lies as no patient does: the header's orientation is wrong.
    """
    tissue, share = coarsen_around(volume, brain.mask, _MARGIN_MM)
    target = _target(tissue, share)
    rough = _every(target, 5)
    if starts_degrees is None:
        begin = _promising(target)
    else:
        turns = [rotation(np.array([np.deg2rad(d), 0.0, 0.0])) for d in starts_degrees]
        begin = [_start(target, turn) for turn in turns]
    fits = [_fit(rough, pose, 12) for pose in begin]
    best = min(fits, key=lambda fit: fit[1])[0]
    pose, overlap = _believed(target, rough, _fit(target, best, 12))
    _check(overlap)
    sides_known = left_and_right_known(pose.rotation)
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation
    matrix[:3, 3] = pose.shift + target.middle
    matrix = onto_midline(tissue, share, matrix)
    width, length, height = np.exp(pose.log_scale)
    return Alignment(
        matrix=matrix,
        rotation_degrees=_euler_degrees(matrix[:3, :3]),
        shift_mm=(-float(matrix[0, 3]), -float(matrix[1, 3]), float(matrix[2, 3])),
        stretch=(float(width), float(length), float(height)),
        overlap=overlap,
        sides_known=sides_known,
        doubts=_doubts(volume, brain, sides_known),
    )


def _believed(
    target: _Target, rough: _Target, best: tuple[_Pose, float, float]
) -> tuple[_Pose, float]:
    """Return the best pose and its overlap; or the header's own, where that fits nearly as well.

    A head so even that it fits two ways says nothing against its header.
    """
    pose, misfit, overlap = best
    if rotation_angle(pose.rotation) <= KNOWN_DEGREES:
        return pose, overlap
    start = _fit(rough, _start(target, np.eye(3)), 12)[0]
    own, own_misfit, own_overlap = _fit(target, start, 12)
    fits = own_misfit <= _HEADER_MARGIN * misfit and own_overlap >= LEAST_OVERLAP
    if fits and rotation_angle(own.rotation) <= KNOWN_DEGREES:
        return own, own_overlap
    return pose, overlap


def _target(tissue: Coarse, share: FloatArray) -> _Target:
    """Smooth the scan's brain and fluid as the template is, and choose the places to compare."""
    from scipy import ndimage

    fluid = np.clip((_TISSUE_HU - tissue.hu) / (_TISSUE_HU - _FLUID_HU), 0, 1) * share
    sigma = [_SMOOTH_MM / mm for mm in tissue.spacing]
    smooth = [
        ndimage.gaussian_filter(field, sigma, mode="nearest", truncate=3.0)
        for field in (share, fluid)
    ]
    chosen = np.zeros(share.shape, np.bool_)
    steps = [max(1, round(_POINT_MM / mm)) for mm in tissue.spacing]
    chosen[:: steps[0], :: steps[1], :: steps[2]] = True
    chosen &= smooth[0] > 1e-3
    zyx = np.argwhere(chosen)
    points = zyx[:, ::-1] @ tissue.affine[:3, :3].T + tissue.affine[:3, 3]
    values = np.stack([field[chosen] for field in smooth], axis=1)
    middle = np.average(points, axis=0, weights=values[:, 0])
    # The nearest right-handed RAS frame to the Volume's LPS-ordered axes.
    # Headers round their cosines: the polar decomposition makes the axes exactly orthogonal.
    left, _, right = np.linalg.svd(tissue.affine[:3, :3] / tissue.spacing[::-1] * [-1, -1, 1])
    axes = left @ right
    return _Target((points - middle).astype(np.float32), values, middle, axes)


def _every(target: _Target, step: int) -> _Target:
    """Keep every so many of the places."""
    return replace(target, points=target.points[::step], values=target.values[::step])


def _start(target: _Target, turn: NDArray[np.float64]) -> _Pose:
    return _Pose(rotation=target.axes @ turn, shift=np.zeros(3), log_scale=np.zeros(3))


def _promising(target: _Target) -> list[_Pose]:
    """Try every way in which a head can lie for a few steps; return the few that fit best."""
    few = _every(target, max(1, len(target.points) // _FIRST_PLACES))
    fits = [_fit(few, _start(target, turn), _FIRST_STEPS) for turn in starts()]
    return [fit[0] for fit in sorted(fits, key=lambda fit: fit[1])[:_KEPT]]


def _fit(target: _Target, pose: _Pose, steps: int) -> tuple[_Pose, float, float]:
    """Improve a pose; return it with its misfit and its overlap (Dice)."""
    fixed = template()
    origin = np.array(fixed.origin_mm)
    weight = np.array([1.0, _FLUID_WEIGHT], np.float32)
    misfit = overlap = 0.0
    moved = np.inf
    for step in range(steps + 1):
        upright = turned(target.points - pose.shift, pose.rotation)
        stretch = np.exp(-pose.log_scale)
        place = upright * stretch
        index = ((place - origin) / STEP_MM)[:, ::-1].astype(np.float32)
        seen = sample(fixed.fields, index)
        residual = (seen[:, :, 0] - target.values) * weight
        here, there = seen[:, 0, 0] > 0.5, target.values[:, 0] > 0.5
        overlap = float(2 * (here & there).sum() / max(1, here.sum() + there.sum()))
        misfit = float((residual**2).mean())
        if step == steps or moved < _SETTLED:
            break
        jacobian = _jacobian(seen[:, :, 1:] * weight[:, None], upright, place, stretch)
        change = robust_step(residual.reshape(-1), jacobian.reshape(-1, 9), _SCALE_OF_MISFIT, 0.01)
        pose = _Pose(
            rotation=pose.rotation @ rotation(change[:3]),
            shift=pose.shift + pose.rotation @ change[3:6],
            log_scale=np.clip(pose.log_scale + change[6:], *np.log(SCALE_RANGE)),
        )
        moved = float(np.linalg.norm(change * _MOVES_MM))
    return pose, misfit, overlap


def _jacobian(
    slope: FloatArray,
    upright: NDArray[np.float64],
    place: NDArray[np.float64],
    stretch: NDArray[np.float64],
) -> FloatArray:
    """Slopes of the sampled template along rotation, shift and stretch: (n, channel, 9)."""
    pull = (slope * stretch).astype(np.float32)
    # d(upright)/d(small rotation w) = upright x w; slope . (upright x w) = (slope x upright) . w.
    return np.concatenate(
        [np.cross(pull, upright[:, None, :]), -pull, -slope * place[:, None, :]], axis=2
    ).astype(np.float32)


def _check(overlap: float) -> None:
    if overlap < LEAST_OVERLAP:
        raise NotAligned(
            f"The brain fits the upright template with an overlap of {overlap:.2f}",
            f"an overlap of at least {LEAST_OVERLAP}",
            "Look at the scan: a large part of the head may be missing or not be a head",
        )


def _doubts(volume: Volume, brain: Brain, sides_known: bool) -> tuple[str, ...]:
    doubts = () if sides_known else (SIDES_UNKNOWN,)
    lowest_cm2 = np.count_nonzero(brain.mask[0]) * np.prod(volume.spacing[1:]) / 100
    if lowest_cm2 > _BASE_CM2:
        base = "the scan stops above the skull base: the pitch of the head is known less well"
        doubts = (*doubts, base)
    return doubts


def _euler_degrees(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Angles about fixed x, then y, then z whose product is the rotation (3, 3)."""
    x = np.arctan2(matrix[2, 1], matrix[2, 2])
    y = np.arcsin(np.clip(-matrix[2, 0], -1, 1))
    z = np.arctan2(matrix[1, 0], matrix[0, 0])
    pitch, roll, yaw = np.rad2deg([x, y, z])
    return float(pitch), float(roll), float(yaw)
