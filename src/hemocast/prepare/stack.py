"""Volume -> Stack: the one way in which every scan reaches a model.

Which frames: the head is set upright; the top of the brain is the height above which less than
1 mL of brain lies; the topmost frame ends there and the others follow downwards without gaps, so
that 28 frames of 5 mm hold the 140 mm below the vertex. Where the scan stops below the vertex, the
vertex of the template fitted to the brain is taken instead. Frames that the scan does not reach
are background and counted; brain below the lowest frame is recorded as the height cut off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain, align, find_brain
from hemocast.anatomy.grid import coarsen
from hemocast.config import PrepareConfig
from hemocast.prepare.coverage import (
    CUT_CM2,
    Coverage,
    measure_coverage,
    outermost_cm2,
    refuse_half_a_head,
)
from hemocast.prepare.resample import sample_brain
from hemocast.volume import (
    Affine,
    BoolArray,
    FloatArray,
    Stack,
    StackRecord,
    Volume,
    from_levels,
    to_levels,
)

# Brain above the top or below the bottom that is too little to matter: specks of the mask.
_SPECK_ML = 1.0


@dataclass(frozen=True)
class _Extent:
    """Where the upright brain ends.

    Parameters
    ----------
    top, bottom : float
        Heights over the upright origin, mm; `top` is the template's where the scan stops below the
        vertex.
    beside_ml : float
        Brain in front of, behind and beside the frames, mL.
    """

    top: float
    bottom: float
    beside_ml: float


def prepare(
    volume: Volume,
    config: PrepareConfig,
    brain: Brain | None = None,
    pose: Alignment | None = None,
) -> Stack:
    """Make a model's input from a scan.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        Frames, grid and HU window.
    brain : Brain, optional
        Its brain, where already known; found otherwise.
    pose : Alignment, optional
        How it is set upright, where already known; found otherwise.

    Returns
    -------
    Stack
        The brain upright, in frames of `config.frame_mm`, windowed to [0, 1], 0 outside the brain.

    Raises
    ------
    NotHounsfield, NotABrain, NotAligned, WrongOrientation
        As `find_brain` and `align` do.
    NotCovered
        Too much of the brain lies beyond the slices.
    """
    found = find_brain(volume) if brain is None else brain
    pose = align(volume, found) if pose is None else pose
    return prepare_frames(volume, config, found, pose)[0]


def prepare_frames(
    volume: Volume, config: PrepareConfig, found: Brain, pose: Alignment
) -> tuple[Stack, FloatArray]:
    """Make a model's input, and give the CT numbers that it was made from.

    Parameters
    ----------
    volume, config : Volume, PrepareConfig
        As for `prepare`.
    found, pose : Brain, Alignment
        The scan's brain, and how it is set upright.

    Returns
    -------
    stack : Stack
        As `prepare` gives it.
    hu : ndarray of float32, shape (frame, y, x)
        On the same grid, whatever the window; 0 where there is no brain.

    Raises
    ------
    NotCovered
        Too much of the brain lies beyond the slices.
    """
    coverage = measure_coverage(volume, found, pose)
    refuse_half_a_head(coverage)
    extent = measure_extent(volume, found, pose, config)
    affine = pose.matrix @ frames_to_upright(config, extent.top)
    shape = (config.frames, config.size, config.size)
    hu, share = sample_brain(volume, found, affine, shape)
    inside = share > 0.5
    frames = windowed(hu, inside, config)
    padded_bottom, padded_top = _padded(frame_slices(volume, affine, shape), volume)
    lowest = extent.top - config.frames * config.frame_mm
    record = StackRecord(
        input_hash=volume.content_hash(),
        settings_hash=config.hash(),
        rotation_degrees=pose.rotation_degrees,
        shift_mm=pose.shift_mm,
        brain_ml=found.volume_ml,
        frames_padded_top=padded_top,
        frames_padded_bottom=padded_bottom,
        brain_cut_mm=max(0.0, lowest - extent.bottom),
        doubts=found.doubts + pose.doubts + _doubts(extent, coverage),
        sides_known=pose.sides_known,
        base_missing_mm=coverage.base_mm,
        vertex_missing_mm=coverage.vertex_mm,
        covered=coverage.share,
        slice_mm=volume.spacing[0],
    )
    return Stack(frames=frames, brain=inside, affine=affine, record=record), hu


def windowed(hu: FloatArray, inside: BoolArray, config: PrepareConfig) -> FloatArray:
    """Map the HU window to [0, 1] in whole levels, 0 outside the brain: the frames of a Stack."""
    scaled = (hu - config.window_low) / (config.window_high - config.window_low)
    return from_levels(to_levels(np.where(inside, np.clip(scaled, 0, 1), 0).astype(np.float32)))


def frames_to_upright(config: PrepareConfig, top_mm: float) -> Affine:
    """Map stack voxel (x, y, frame, 1) to upright mm: right at the left, anterior at the top."""
    half = (config.size - 1) / 2 * config.pixel_mm
    affine = np.diag([-config.pixel_mm, -config.pixel_mm, config.frame_mm, 1.0])
    affine[:3, 3] = [half, half, top_mm - (config.frames - 0.5) * config.frame_mm]
    return affine


def measure_extent(volume: Volume, brain: Brain, pose: Alignment, config: PrepareConfig) -> _Extent:
    """Measure the brain in upright millimetres."""
    share = coarsen(brain.mask, volume.affine, volume.spacing)
    zyx = np.argwhere(share.hu > 0)
    weight_ml = share.hu[share.hu > 0] * (np.prod(share.spacing) / 1000)
    to_upright = np.linalg.inv(pose.matrix) @ share.affine
    x, y, z = (zyx[:, ::-1] @ to_upright[:3, :3].T + to_upright[:3, 3]).T
    order = np.argsort(z, kind="stable")
    below = np.cumsum(weight_ml[order])
    bottom, top = np.interp([_SPECK_ML, below[-1] - _SPECK_ML], below, z[order])
    half_block = float(np.abs(to_upright[2, 2])) / 2
    half_side = config.size * config.pixel_mm / 2
    cut = outermost_cm2(volume, brain)[1] > CUT_CM2
    highest = float(top) + half_block
    return _Extent(
        top=max(highest, pose.vertex_mm) if cut else highest,
        bottom=float(bottom) - half_block,
        beside_ml=float(weight_ml[np.maximum(np.abs(x), np.abs(y)) > half_side].sum()),
    )


def frame_slices(volume: Volume, affine: Affine, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the slice of the scan (from 0, with fractions) in the middle of every frame.

    Parameters
    ----------
    volume : Volume
    affine : ndarray of float64, shape (4, 4)
        Of the stack.
    shape : tuple of int
        (frame, y, x) of the stack.
    """
    n, height, width = shape
    middle = np.array([[(width - 1) / 2, (height - 1) / 2, frame, 1.0] for frame in range(n)])
    slices: NDArray[np.float64] = (middle @ (np.linalg.inv(volume.affine) @ affine).T)[:, 2]
    return slices


def _padded(slices: NDArray[np.float64], volume: Volume) -> tuple[int, int]:
    """Count the frames whose middle lies below or above the scan's slices."""
    below = int(np.count_nonzero(slices < -0.5))
    above = int(np.count_nonzero(slices > volume.hu.shape[0] - 0.5))
    return below, above


def _doubts(extent: _Extent, coverage: Coverage) -> tuple[str, ...]:
    if extent.beside_ml > _SPECK_ML:
        return (*coverage.doubts, f"{extent.beside_ml:.0f} mL of brain lie beside the frames")
    return coverage.doubts
