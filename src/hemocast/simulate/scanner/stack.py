"""A simulated head straight on a Stack's grid: what preparing its scan would give, and quicker.

The head is surveyed on coarse pixels, set upright by `hemocast.anatomy.align` as any scan is, and
rendered in the frames that `hemocast.prepare` would lay. Between the slices of the scan a frame is
their weighted mean, as preparation makes it; so are anatomy and noise here. No skull is rendered
but for the survey, so beam hardening is left out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain, align
from hemocast.config import PrepareConfig
from hemocast.prepare.stack import frames_to_upright, measure_extent, windowed
from hemocast.simulate.anatomy import atlas
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.simulate.disease.head import Head
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.scanner.measure import Subject, lay_down, measure
from hemocast.simulate.scanner.place import PLANES, RAS, Place, place_slices, to_head
from hemocast.simulate.scanner.scan import covering, magnify, scan_points, to_atlas
from hemocast.simulate.scanner.stack_noise import draw_noise, soften, softness
from hemocast.volume import (
    Affine,
    BoolArray,
    FloatArray,
    Source,
    Stack,
    StackRecord,
    Volume,
)  # fmt: skip

SURVEY = 64
"""Rows and columns of the survey."""

NECK_CM2 = 11.0
"""Slices below the brain that are thinner than this are cord (as `hemocast.anatomy` has it)."""


RIM_MM = 0.9
"""What `hemocast.anatomy` takes off the brain's rim, brightened by bone, mm; measured."""


JITTER = np.array([[-3, 1], [1, 3], [-1, -3], [3, -1]]) / 8
"""Where in its pixel each plane is sampled, x and y, from the lowest: thin things such as the falx
are not missed."""


@dataclass(frozen=True)
class _Frames:
    """CT numbers, share of brain and of infarct in every voxel of the frames."""

    hu: FloatArray
    share: FloatArray
    infarct: FloatArray


@dataclass(frozen=True)
class _Survey:
    """A coarse scan, its brain and its pose."""

    volume: Volume
    brain: Brain
    pose: Alignment
    place: Place


def render_stack(
    head: Head, protocol: Protocol, prepare: PrepareConfig, rng: Generator | None = None
) -> Stack:
    """Render a head as the Stack that its scan would be prepared to.

    Parameters
    ----------
    head : Head
        What lies in the scanner.
    protocol : Protocol
        Pose, slices, kernel and noise. Gantry tilt, movement, mixed slices and the head holder
        are left out.
    prepare : PrepareConfig
        Frames, grid and HU window.
    rng : Generator or None
        Noise is drawn from it; None gives a Stack without noise.

    Returns
    -------
    Stack
        With `affine` in the scanner's millimetres.

    Raises
    ------
    NotAligned
        The head is turned by more than any patient's.
    """
    return render_infarct(head, protocol, prepare, rng)[0]


def render_infarct(
    head: Head, protocol: Protocol, prepare: PrepareConfig, rng: Generator | None = None
) -> tuple[Stack, BoolArray]:
    """Render a head as `render_stack` does, and say which voxels are infarcted.

    Returns
    -------
    Stack
    ndarray of bool, shape (frames, H, W)
        At least half of the voxel is brain that is infarcted. Not blurred: where it lies in the
        head, not what the scanner leaves of it.
    """
    subject = lay_down(head, protocol.response)
    protocol = _plain(protocol, prepare.frame_mm)
    survey = _survey(subject, protocol)
    extent = measure_extent(survey.volume, survey.brain, survey.pose, prepare)
    affine = survey.pose.matrix @ frames_to_upright(prepare, extent.top)
    slices = np.linalg.inv(survey.volume.affine) @ affine
    seen = _frames(subject, survey.place, affine, slices, prepare)
    variance = softness(protocol, prepare.pixel_mm)
    hu, share = soften(seen.hu * seen.share, variance), soften(seen.share, variance)
    np.divide(hu, share, out=hu, where=share > 1e-3)
    inside = share > 0.5
    if rng is not None:
        count = len(survey.place.positions)
        hu += draw_noise(rng, protocol, prepare, slices, count)
    frames = windowed(hu, inside, prepare)
    record = StackRecord(
        input_hash=hashlib.sha256(frames.tobytes()).hexdigest(),
        settings_hash=prepare.hash(),
        rotation_degrees=survey.pose.rotation_degrees,
        shift_mm=survey.pose.shift_mm,
        brain_ml=survey.brain.volume_ml,
        frames_padded_top=0,
        frames_padded_bottom=0,
        brain_cut_mm=max(0.0, extent.top - prepare.frames * prepare.frame_mm - extent.bottom),
    )
    return Stack(frames, inside, affine, record), (seen.infarct >= 0.5) & inside


def _plain(protocol: Protocol, frame_mm: float) -> Protocol:
    """Return the protocol of a scan that keeps still, upright, in slices no thinner than frames.

    Preparation averages thinner slices over a frame; their noise falls by the root of the number.
    """
    slice_mm = max(protocol.slice_mm, frame_mm)
    return replace(
        protocol,
        slice_mm=slice_mm,
        noise_hu=protocol.noise_hu * float(np.sqrt(protocol.slice_mm / slice_mm)),
        tilt_degrees=0.0,
        motion_mm=0.0,
        mixed=False,
    )


def _survey(subject: Subject, protocol: Protocol) -> _Survey:
    """Scan the brain on coarse pixels and set it upright."""
    coarse = replace(protocol, matrix=SURVEY)
    place = place_slices(subject.shape.scale, coarse)
    voxel, own = scan_points(subject, coarse, place)
    step = SURVEY // 32
    n = len(place.positions)
    hu = np.full((n, SURVEY, SURVEY), -1000, np.float32)
    mask = np.zeros(hu.shape, np.bool_)
    middle = slice(PLANES // 2, PLANES // 2 + 1)
    # The same cut for all slices; a head in the scanner leaves no slice of the middle empty.
    at = atlas.nearest_voxel(voxel[:, PLANES // 2])
    cut, pixels = covering(_any(_inside(subject, at)), step) or ((), ())
    for k in range(n):
        at = atlas.nearest_voxel(magnify(voxel[k][cut], step))
        fields = magnify(own[k][cut], step)
        inside = _inside(subject, at)
        hu[k][pixels] = _measured(subject, at[middle], fields, inside[middle][0])[0]
        mask[k][pixels] = np.logical_and.reduce(inside, axis=0)
    pixel = protocol.field_mm / SURVEY
    area = mask.sum(axis=(1, 2)) * pixel**2 / 100
    thin = np.flatnonzero(area[: int(area.argmax())] < NECK_CM2)
    mask[: int(thin[-1]) + 1 if thin.size else 0] = False
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag([pixel, pixel, protocol.slice_mm])
    matrix[:3, 3] = place.positions[0]
    matrix = np.diag([*RAS, 1.0]) @ matrix
    volume = Volume(hu, matrix, ((),) * n, Source("array", ""))
    brain = Brain(mask, float(mask.sum()) * pixel**2 * protocol.slice_mm / 1000)
    return _Survey(volume, brain, align(volume, brain, (0.0,)), place)


def _any(inside: BoolArray) -> BoolArray:
    """Return where any plane is inside."""
    return np.asarray(np.logical_or.reduce(inside, axis=0))


def _measured(
    subject: Subject, at: NDArray[np.intp], own: FloatArray, inside: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return CT number and infarct's share of every pixel (rows, columns), where `inside`."""
    hu, infarct = np.zeros((2, *inside.shape), np.float32)
    if inside.any():
        hu[inside], part = measure(subject, at[:, inside], own[:, inside])
        infarct[inside] = 0 if part is None else part
    return hu, infarct


def _inside(subject: Subject, at: NDArray[np.intp]) -> BoolArray:
    """Return which points, flat atlas voxels, lie within the inner table, not in bone."""
    counts = atlas.load_atlas().distance.ravel().take(at)
    within = counts < atlas.DISTANCE_ZERO + (subject.shape.gap - RIM_MM) / atlas.DISTANCE_STEP
    tissue = subject.head.tissue.ravel().take(at)
    solid = (tissue >= Tissue.BONE) & (tissue < Tissue.CALCIUM)
    return np.asarray(within & ~solid)


def _frames(
    subject: Subject, place: Place, affine: Affine, slices: Affine, prepare: PrepareConfig
) -> _Frames:
    size = prepare.size
    step = max(1, size // 32)
    at = np.arange(-(-size // step) + 1) * step
    frame, y, x = np.meshgrid(np.arange(prepare.frames), at, at, indexing="ij")
    grid = np.stack([x, y, frame], axis=-1).astype(np.float64)
    normal = place.positions[1] - place.positions[0]
    ras = _times(grid, affine)
    moved = _depths(_times(grid, slices)[..., 2])[..., None] * (normal * RAS)
    moved = moved + np.einsum("pi,ji->pj", JITTER, affine[:3, :2], optimize=False)[:, None, None]
    own_mm = to_head(ras[:, None] + moved, place.rotation[:1, :1], place.shift[:1, :1])
    voxel, own = to_atlas(subject, own_mm)
    hu, share, infarct = np.zeros((3, prepare.frames, size, size), np.float32)
    for k in range(prepare.frames):
        covered = covering(_any(_inside(subject, atlas.nearest_voxel(voxel[k]))), step)
        if covered is None:
            continue
        cut, pixels = covered
        rows, columns = hu[k][pixels].shape  # the last cells may reach beyond the frame
        at = atlas.nearest_voxel(magnify(voxel[k][cut], step)[..., :rows, :columns])
        fields = magnify(own[k][cut], step)[..., :rows, :columns]
        inside = np.logical_and.reduce(_inside(subject, at), axis=0)
        hu[k][pixels], infarct[k][pixels] = _measured(subject, at, fields, inside)
        share[k][pixels] = inside
    return _Frames(hu, share, infarct)


def _times(points: NDArray[np.float64], matrix: Affine) -> NDArray[np.float64]:
    """Apply a 4 x 4 matrix to points (..., 3), without BLAS."""
    moved = np.einsum("...i,ji->...j", points, matrix[:3, :3], optimize=False)
    return np.asarray(moved + matrix[:3, 3])


def _depths(slices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where along the normal the planes of each point lie, in slices off the point.

    A point between two slices is made of (1 - w) of the lower and w of the upper: planes lie at
    equal steps of that mixture, (frames, planes, rows, columns).
    """
    low = np.floor(slices)
    weight = (slices - low)[:, None]
    step = ((np.arange(len(JITTER)) + 0.5) / len(JITTER))[:, None, None]
    lower = step / np.maximum(1 - weight, 1e-9) - 0.5
    upper = (step - (1 - weight)) / np.maximum(weight, 1e-9) + 0.5
    return np.where(step < 1 - weight, lower, upper) - weight
