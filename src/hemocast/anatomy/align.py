"""Set the head upright: a rigid move, by the template's shape and the brain's own symmetry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.brain import Brain
from hemocast.anatomy.fields import robust_step, rotation, sample, turned
from hemocast.anatomy.grid import Coarse, coarsen_around
from hemocast.anatomy.symmetry import onto_midline
from hemocast.anatomy.template import CENTRE_MM, STEP_MM, VERTEX_MM, template
from hemocast.errors import NotAligned
from hemocast.volume import Affine, FloatArray, Volume

# Ours: heads are laid within about 30 degrees of straight; beyond 50 the fit went wrong.
LARGEST_DEGREES = 50.0
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
_STARTS_DEGREES = (0.0, -22.0, 22.0)
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
    vertex_mm : float
        Height of the brain's vertex over the origin as fitted from the template, mm: known even
        where the scan stops below it.
    overlap : float
        Dice coefficient of the brain with the fitted template, within the scan.
    doubts : tuple of str
        What was accepted but may matter, in words.
    """

    matrix: Affine
    rotation_degrees: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    vertex_mm: float
    overlap: float
    doubts: tuple[str, ...] = ()


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
    volume: Volume, brain: Brain, starts_degrees: tuple[float, ...] = _STARTS_DEGREES
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
    starts_degrees : tuple of float
        Pitches from which the search starts: one where the pose is roughly known.

    Raises
    ------
    NotAligned
        The brain does not take the template's shape, or only in an impossible pose.
    """
    tissue, share = coarsen_around(volume, brain.mask, _MARGIN_MM)
    target = _target(tissue, share)
    rough = replace(target, points=target.points[::5], values=target.values[::5])
    fits = [_fit(rough, _start(target, degrees), 12) for degrees in starts_degrees]
    best = min(fits, key=lambda fit: fit[1])[0]
    pose, _, overlap = _fit(target, best, 12)
    _check(overlap, pose)
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation
    matrix[:3, 3] = pose.shift + target.middle
    matrix = onto_midline(tissue, share, matrix)
    return Alignment(
        matrix=matrix,
        rotation_degrees=_euler_degrees(matrix[:3, :3]),
        shift_mm=(-float(matrix[0, 3]), -float(matrix[1, 3]), float(matrix[2, 3])),
        vertex_mm=float((VERTEX_MM - CENTRE_MM[2]) * np.exp(pose.log_scale[2])),
        overlap=overlap,
        doubts=_doubts(volume, brain),
    )


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


def _start(target: _Target, pitch_degrees: float) -> _Pose:
    pitched = rotation(np.array([np.deg2rad(pitch_degrees), 0.0, 0.0]))
    return _Pose(rotation=target.axes @ pitched, shift=np.zeros(3), log_scale=np.zeros(3))


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


def _check(overlap: float, pose: _Pose) -> None:
    degrees = rotation_angle(pose.rotation)
    if overlap < LEAST_OVERLAP or degrees > LARGEST_DEGREES:
        raise NotAligned(
            f"The brain fits the upright template with an overlap of {overlap:.2f}"
            f" when turned by {degrees:.0f} degrees",
            f"an overlap of at least {LEAST_OVERLAP} within {LARGEST_DEGREES:.0f} degrees",
            "Look at the scan: a large part of the head may be missing or not be a head",
        )


def _doubts(volume: Volume, brain: Brain) -> tuple[str, ...]:
    lowest_cm2 = np.count_nonzero(brain.mask[0]) * np.prod(volume.spacing[1:]) / 100
    if lowest_cm2 <= _BASE_CM2:
        return ()
    return ("the scan stops above the skull base: the pitch of the head is known less well",)


def rotation_angle(matrix: NDArray[np.float64]) -> float:
    """Angle of a rotation matrix (3, 3), degrees."""
    return float(np.rad2deg(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))))


def _euler_degrees(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Angles about fixed x, then y, then z whose product is the rotation (3, 3)."""
    x = np.arctan2(matrix[2, 1], matrix[2, 2])
    y = np.arcsin(np.clip(-matrix[2, 0], -1, 1))
    z = np.arctan2(matrix[1, 0], matrix[0, 0])
    pitch, roll, yaw = np.rad2deg([x, y, z])
    return float(pitch), float(roll), float(yaw)
