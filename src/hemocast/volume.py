"""The two nouns every room shares: a Volume (one scan in HU) and a Stack (a model's input)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.left_out import LeftOut

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Affine = NDArray[np.float64]


SIMULATED = "SIMULATED"
"""How files say that no patient was scanned."""


@dataclass(frozen=True)
class Source:
    """Where a Volume came from: what was read, corrected and doubted. Holds no PHI.

    Parameters
    ----------
    kind : str
        ``"dicom"``, ``"nifti"`` or ``"array"``.
    scan_uid : str
        A hash of the series' UIDs (or of the file's bytes). It has no key, so that a list of UIDs
        can be tried against it: not shown, and never written but through
        `hemocast.dataset.pseudonym.scan_name`.
    n_files : int
        Files (or frames) the Volume was made from.
    corrected : tuple of str
        Corrections made, in words: ``"gantry tilt of 18.5 degrees taken out"``.
    doubts : tuple of str
        What was accepted but may matter, in words.
    left_out : tuple of LeftOut
        What else lay there and why it was not used.
    facts : dict
        Acquisition facts safe to publish: ``manufacturer``, ``model``, ``kernel``, ``kvp``,
        ``slice_thickness_mm``, ``tilt_degrees``, ``steps_mm`` ... Numbers, strings and lists only.
    simulated : bool
        The files say that the scan shows no patient.
    """

    kind: str
    scan_uid: str = field(repr=False)
    n_files: int = 1
    corrected: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)
    simulated: bool = False


@dataclass(frozen=True)
class Volume:
    """One scan in Hounsfield units, in one canonical form whatever it was read from.

    Array axes are LPS: ``z`` runs from inferior to superior, ``y`` from anterior to posterior,
    ``x`` from the patient's right to the left, as nearly as the acquisition allows; so ``hu[z]``
    shown with its origin at the top left is the picture a radiologist expects.

    Parameters
    ----------
    hu : ndarray of float32, shape (z, y, x)
        CT numbers in HU.
    affine : ndarray of float64, shape (4, 4)
        Maps voxel ``(x, y, z, 1)`` (note the order) to patient millimetres, RAS+. Its columns are
        orthogonal: gantry tilt and uneven steps have been taken out.
    slices : tuple of tuple of str
        For every z, the SOPInstanceUIDs of the images it came from (empty for NIfTI).
    source : Source
        What was read, corrected, doubted.
    """

    hu: FloatArray
    affine: Affine
    slices: tuple[tuple[str, ...], ...]
    source: Source

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or self.hu.dtype != np.float32:
            raise ValueError(f"hu must be float32 (z, y, x); got {self.hu.dtype} {self.hu.shape}")
        if self.affine.shape != (4, 4):
            raise ValueError(f"affine must be 4x4; got {self.affine.shape}")
        if len(self.slices) != self.hu.shape[0]:
            raise ValueError(f"{len(self.slices)} slice records for {self.hu.shape[0]} slices")

    def __repr__(self) -> str:
        """One line: shape, voxel size and source."""
        return f"Volume({_extent(self.hu.shape, self.spacing)}, {self.source.kind})"

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm, in array order (z, y, x)."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(z), float(y), float(x)

    def emptied(self) -> Volume:
        """Return the same grid without CT numbers: all 0, and no memory taken."""
        return replace(self, hu=np.broadcast_to(np.float32(0), self.hu.shape))

    def as_simulated(self) -> Volume:
        """Return the same scan as one of which something is simulated."""
        return replace(self, source=replace(self.source, simulated=True))

    def content_hash(self) -> str:
        """SHA-256 over the CT numbers and the geometry: the same scan gives the same hash."""
        digest = hashlib.sha256()
        digest.update(np.asarray(self.hu.shape, dtype="<i8").tobytes())
        for level in self.hu:
            # Plus zero: NIfTI keeps no minus zero, and both are the same number.
            digest.update(np.ascontiguousarray(level + np.float32(0), dtype="<f4").data)
        digest.update((np.round(self.affine, 4) + 0.0).astype("<f8").tobytes())
        return digest.hexdigest()


# Frames hold multiples of 1 / LEVELS: 0.16 HU of a 40 HU window, far below the noise. One byte
# stores them exactly, so that what is trained on from disk is what prediction sees.
LEVELS = 255


def to_levels(frames: FloatArray) -> NDArray[np.uint8]:
    """Return frames in [0, 1] as whole levels, 0 to `LEVELS`."""
    levels: NDArray[np.uint8] = np.rint(frames * np.float32(LEVELS)).astype(np.uint8)
    return levels


def from_levels(levels: NDArray[np.uint8]) -> FloatArray:
    """Return whole levels as frames in [0, 1]."""
    return levels.astype(np.float32) / np.float32(LEVELS)


def _extent(shape: tuple[int, ...], spacing: tuple[float, ...]) -> str:
    size, step = (" x ".join(format(n, ".4g") for n in numbers) for numbers in (shape, spacing))
    return f"{size} voxels of {step} mm"


@dataclass(frozen=True)
class StackRecord:
    """What preparation did to one scan.

    Parameters
    ----------
    input_hash, settings_hash : str
        SHA-256 of the Volume's content and of the preparation settings.
    rotation_degrees : tuple of float
        Rotation that set the head upright, about the x (pitch), y (roll) and z (yaw)
        axes of the patient.
    shift_mm : tuple of float
        Translation (right to left, anterior to posterior, inferior to superior) of that rigid move.
    brain_ml : float
        Volume of the brain mask in the Volume, mL.
    frames_padded_top, frames_padded_bottom : int
        Frames of the stack beyond the scan's own coverage, filled with background.
    brain_cut_mm : float
        Height of brain below the lowest frame that did not fit, mm.
    doubts : tuple of str
        What was accepted but may matter, in words.
    sides_known : bool
        Whether left and right are known: False where the head lies so far from how its header says
        that the header may be wrong. No output may then name a side.
    base_missing_mm, vertex_missing_mm : float
        Height of brain beyond the lowest and the highest slice, by the fitted template, mm.
    covered : float
        Share of the brain's height that the slices cover.
    slice_mm : float or None
        Distance of the scan's slices, mm; None: not known.
    """

    input_hash: str
    settings_hash: str
    rotation_degrees: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    brain_ml: float
    frames_padded_top: int
    frames_padded_bottom: int
    brain_cut_mm: float
    doubts: tuple[str, ...] = ()
    sides_known: bool = True
    base_missing_mm: float = 0.0
    vertex_missing_mm: float = 0.0
    covered: float = 1.0
    slice_mm: float | None = None


@dataclass(frozen=True)
class Stack:
    """A model's input: the brain, upright, in a fixed number of frames.

    Parameters
    ----------
    frames : ndarray of float32, shape (28, H, W)
        Inferior to superior, each as in `Volume.hu` (anterior at the top, the patient's right at
        the left), HU window mapped to [0, 1] in steps of 1 / `LEVELS`, 0 outside the brain.
    brain : ndarray of bool, shape (28, H, W)
        Where brain (with its fluid spaces) is.
    affine : ndarray of float64, shape (4, 4)
        Maps stack voxel ``(x, y, frame, 1)`` to the **scan's** patient millimetres (RAS+), so that
        ``inv(volume.affine) @ stack.affine`` takes a stack voxel back to a Volume voxel.
    record : StackRecord
        What preparation did.
    """

    frames: FloatArray
    brain: BoolArray
    affine: Affine
    record: StackRecord

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or self.frames.dtype != np.float32:
            raise ValueError(
                f"frames must be float32 (frame, y, x); got {self.frames.dtype} {self.frames.shape}"
            )
        if self.brain.shape != self.frames.shape or self.brain.dtype != np.bool_:
            raise ValueError("brain must be a bool mask of the frames' shape")

    def __repr__(self) -> str:
        """One line: shape, voxel size and how much brain."""
        extent = _extent(self.frames.shape, self.spacing)
        return f"Stack({extent}, {self.record.brain_ml:.0f} mL of brain)"

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm, in array order (frame, y, x)."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(z), float(y), float(x)
