"""Set the head upright: a rigid move, by the template's shape and the brain's own symmetry."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

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
class _Poses:
    """Ways in which the head may lie, and how well the template fits there.

    Parameters
    ----------
    rotation : ndarray of float64, shape (n, 3, 3)
        Upright axes in the scan.
    shift : ndarray of float64, shape (n, 3)
        Where the template's middle lies, mm.
    log_scale : ndarray of float64, shape (n, 3)
        Logarithm of the stretch along the upright axes.
    misfit, overlap : ndarray of float64, shape (n,)
        Mean squared difference, and Dice coefficient; 0 before a fit.
    """

    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]
    log_scale: NDArray[np.float64]
    misfit: NDArray[np.float64]
    overlap: NDArray[np.float64]

    @classmethod
    def turned(cls, rotation: NDArray[np.float64]) -> _Poses:
        """Begin with these axes, (n, 3, 3), neither shifted nor stretched."""
        n = len(rotation)
        return cls(rotation, *np.zeros((2, n, 3)), *np.zeros((2, n)))

    def best(self, count: int = 1) -> _Poses:
        """Return those that fit best."""
        order = np.argsort(self.misfit, kind="stable")[:count]
        return _Poses(*(getattr(self, field.name)[order] for field in fields(self)))


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
        begin = _Poses.turned(target.axes @ np.stack(turns))
    best = _fit(target, _fit(rough, begin, 12).best(), 12)
    pose = _believed(target, rough, best)
    overlap = float(pose.overlap[0])
    _check(overlap)
    sides_known = left_and_right_known(pose.rotation[0])
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation[0]
    matrix[:3, 3] = pose.shift[0] + target.middle
    matrix = onto_midline(tissue, share, matrix)
    width, length, height = np.exp(pose.log_scale[0])
    return Alignment(
        matrix=matrix,
        rotation_degrees=_euler_degrees(matrix[:3, :3]),
        shift_mm=(-float(matrix[0, 3]), -float(matrix[1, 3]), float(matrix[2, 3])),
        stretch=(float(width), float(length), float(height)),
        overlap=overlap,
        sides_known=sides_known,
        doubts=_doubts(volume, brain, sides_known),
    )


def _believed(target: _Target, rough: _Target, best: _Poses) -> _Poses:
    """Return the best pose; or the header's own, where that fits nearly as well.

    A head so even that it fits two ways says nothing against its header.
    """
    if rotation_angle(best.rotation[0]) <= KNOWN_DEGREES:
        return best
    own = _fit(target, _fit(rough, _Poses.turned(target.axes[None]), 12), 12)
    fits = own.misfit[0] <= _HEADER_MARGIN * best.misfit[0] and own.overlap[0] >= LEAST_OVERLAP
    return own if fits and rotation_angle(own.rotation[0]) <= KNOWN_DEGREES else best


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


def _promising(target: _Target) -> _Poses:
    """Try every way in which a head can lie for a few steps; return the few that fit best."""
    few = _every(target, max(1, len(target.points) // _FIRST_PLACES))
    return _fit(few, _Poses.turned(target.axes @ starts()), _FIRST_STEPS).best(_KEPT)


def _fit(target: _Target, poses: _Poses, steps: int) -> _Poses:
    """Improve poses, all at once: few places of many poses cost no more than their numbers do."""
    fixed = template()
    origin = np.array(fixed.origin_mm)
    weight = np.array([1.0, _FLUID_WEIGHT], np.float32)
    turn, shift, log_scale = poses.rotation.copy(), poses.shift.copy(), poses.log_scale.copy()
    misfit, overlap = np.zeros((2, len(turn)))
    there = target.values[:, 0] > 0.5
    at = np.arange(len(turn))
    moved = np.full(len(turn), np.inf)
    for step in range(steps + 1):
        upright = turned(target.points - shift[at, None], turn[at])
        stretch = np.exp(-log_scale[at, None])
        place = upright * stretch
        index = ((place - origin) / STEP_MM)[..., ::-1].astype(np.float32)
        seen = sample(fixed.fields, index.reshape(-1, 3)).reshape(*index.shape[:2], 2, 4)
        residual = (seen[..., 0] - target.values) * weight
        here = seen[..., 0, 0] > 0.5
        both, either = (here & there).sum(axis=1), here.sum(axis=1) + there.sum()
        overlap[at] = 2 * both / np.maximum(1, either)
        misfit[at] = (residual**2).mean(axis=(1, 2))
        on = moved >= _SETTLED
        if step == steps or not on.any():
            break
        at = at[on]
        jacobian = _jacobian(
            seen[on, ..., 1:] * weight[:, None], upright[on], place[on], stretch[on]
        )
        change = robust_step(
            residual[on].reshape(len(at), -1),
            jacobian.reshape(len(at), -1, 9),
            _SCALE_OF_MISFIT,
            0.01,
        )
        shift[at] += (turn[at] @ change[:, 3:6, None])[..., 0]
        turn[at] = turn[at] @ np.stack([rotation(one) for one in change[:, :3]])
        log_scale[at] = np.clip(log_scale[at] + change[:, 6:], *np.log(SCALE_RANGE))
        moved = np.linalg.norm(change * _MOVES_MM, axis=1)
    return _Poses(turn, shift, log_scale, misfit, overlap)


def _jacobian(
    slope: FloatArray,
    upright: NDArray[np.float64],
    place: NDArray[np.float64],
    stretch: NDArray[np.float64],
) -> FloatArray:
    """Slopes of the sampled template along rotation, shift and stretch: (m, n, channel, 9)."""
    pull = (slope * stretch[..., None, :]).astype(np.float32)
    out = np.empty((*slope.shape[:-1], 9), np.float32)
    # d(upright)/d(small rotation w) = upright x w; slope . (upright x w) = (slope x upright) . w.
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        lever = pull[..., one] * upright[..., None, two]
        out[..., axis] = lever - pull[..., two] * upright[..., None, one]
    out[..., 3:6] = -pull
    out[..., 6:] = -slope * place[..., None, :]
    return out


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
