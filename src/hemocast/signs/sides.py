"""An upright brain, its right side beside its left, and where in the template each cell lies.

Frames of a Stack are upright, so that the template's millimetres run along their axes: a place of
the atlas is looked up without moving a voxel, and the mirror image of a cell is the cell of the
same number on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.align import Alignment
from hemocast.anatomy.atlas.solids import Points
from hemocast.anatomy.template import CENTRE_MM, FIRST_VOXEL_MM
from hemocast.config import PrepareConfig
from hemocast.volume import Affine, BoolArray, FloatArray, Stack, Volume

Side = Literal["left", "right"]

RIGHT, LEFT = 0, 1
"""Which side is which along the first axis."""

NAMES: tuple[Side, Side] = ("right", "left")

# Fluid measures about 8 HU, the darkest healthy white matter 24: a voxel between is both. The
# window of a stack ends at 10 HU.
FLUID_HU, TISSUE_HU = 10.0, 24.0
_PIXELS = 2


@dataclass(frozen=True)
class Place:
    """A place in the frames of a Stack: frame, row and column, from 0."""

    frame: int
    row: int
    column: int


@dataclass(frozen=True)
class Sides:
    """Both halves of a brain on cells of 2 x 2 pixels of a Stack's frames.

    All arrays are (2, frame, y, x): the right half, then the left one, each from the midline
    outwards, inferior to superior, anterior to posterior.

    Parameters
    ----------
    hu : ndarray of float32
        Mean CT number of the brain in a cell, HU, as far as the frames' window goes; 0 where there
        is none.
    brain, fluid : ndarray of float32
        Share of the cell that is brain with its fluid spaces, and that is fluid.
    points : Points
        Template millimetres of the right half's cells (MNI).
    to_mm : ndarray of float64, shape (4, 4)
        Maps a cell of the right half (x, y, frame, 1) to the scan's millimetres; with -1 - x it
        maps one of the left.
    cell_ml : float
        Volume of a cell, mL.
    """

    hu: FloatArray
    brain: FloatArray
    fluid: FloatArray
    points: Points
    to_mm: Affine
    cell_ml: float

    @property
    def tissue(self) -> FloatArray:
        """Share of each cell that is brain tissue."""
        return self.brain - self.fluid

    @property
    def frame_mm(self) -> float:
        """Height of a cell, mm."""
        return float(np.linalg.norm(self.to_mm[:3, 2]))

    @property
    def cell_mm(self) -> float:
        """Width of a cell within the frame, mm."""
        return float(np.linalg.norm(self.to_mm[:3, 0]))

    def on_frames(self, mask: BoolArray) -> BoolArray:
        """Return a mask of cells (2, frame, y, x) on the Stack's voxels, (frame, y, x)."""
        whole = np.concatenate([mask[RIGHT][..., ::-1], mask[LEFT]], axis=-1)
        return np.asarray(whole.repeat(_PIXELS, axis=1).repeat(_PIXELS, axis=2), np.bool_)

    def of_frames(self, values: FloatArray) -> FloatArray:
        """Return the mean in each cell, (2, frame, y, x), of values on the Stack's voxels."""
        return _halves(_cells(values))

    def place(self, side: int, frame: int, row: int, column: int) -> Place:
        """Return where in the Stack a cell lies."""
        middle = self.hu.shape[3]
        across = middle - 1 - column if side == RIGHT else middle + column
        return Place(frame, row * _PIXELS, across * _PIXELS)

    def place_at(self, mm: tuple[float, float, float]) -> Place:
        """Return where in the Stack a place of the scan lies, its edge where it is beyond."""
        x, y, z = (np.linalg.inv(self.to_mm) @ [*mm, 1.0])[:3]
        side, across = (RIGHT, x) if x > -0.5 else (LEFT, -1 - x)
        frame, row, column = (
            int(np.clip(round(float(at)), 0, most - 1))
            for at, most in zip((z, y, across), self.hu.shape[1:], strict=True)
        )
        return self.place(side, frame, row, column)

    def place_of(self, weight: FloatArray, side: int) -> Place:
        """Return the middle of what lies in the frame where most of one side's weight lies."""
        frame = int(weight[side].sum(axis=(1, 2)).argmax())
        rows, columns = np.nonzero(weight[side, frame])
        held = weight[side, frame][rows, columns]
        row, column = (round(float(np.average(at, weights=held))) for at in (rows, columns))
        return self.place(side, frame, row, column)

    def voxels(self, chosen: BoolArray, volume: Volume) -> NDArray[np.float64]:
        """Return the voxels (z, y, x), with fractions, in which the chosen cells' middles lie.

        Parameters
        ----------
        chosen : ndarray of bool, shape (2, frame, y, x)
        volume : Volume
            The scan.
        """
        side, frame, row, column = np.nonzero(chosen)
        across = np.where(side == RIGHT, column, -1 - column)
        cells = np.stack([across, row, frame, np.ones_like(row)], axis=-1)
        to_voxel = np.linalg.inv(volume.affine) @ self.to_mm
        return np.asarray((cells @ to_voxel.T)[:, 2::-1])


def lay_out(stack: Stack, pose: Alignment, config: PrepareConfig) -> Sides:
    """Lay a Stack's halves beside each other.

    Parameters
    ----------
    stack : Stack
        The upright brain.
    pose : Alignment
        How it was set upright; its stretch fits the template to the head.
    config : PrepareConfig
        The settings that made the stack.
    """
    low, high = config.window
    hu = stack.frames * np.float32(high - low) + np.float32(low)
    brain = stack.brain.astype(np.float32)
    fluid = np.clip((TISSUE_HU - hu) / (TISSUE_HU - FLUID_HU), 0, 1) * brain
    share, level, water = (_halves(_cells(part)) for part in (brain, hu * brain, fluid))
    np.divide(level, share, out=level, where=share > 0)
    upright = np.linalg.inv(pose.matrix) @ stack.affine
    to_pixel = np.diag([-_PIXELS, _PIXELS, 1.0, 1.0])
    middle = (_PIXELS - 1) / 2
    to_pixel[:2, 3] = [(stack.frames.shape[2] // _PIXELS // 2 - 1) * _PIXELS + middle, middle]
    to_upright = upright @ to_pixel
    x, y, z = (
        (to_upright[a, a] * np.arange(n) + to_upright[a, 3]) / pose.stretch[a] + CENTRE_MM[a]
        for a, n in enumerate(share.shape[:0:-1])
    )
    points = Points(
        z.astype(np.float32)[:, None, None],
        y.astype(np.float32)[None, :, None],
        x.astype(np.float32)[None, None, :],
    )
    cell_ml = float(np.prod(stack.spacing)) * _PIXELS**2 / 1000
    return Sides(level, share, water, points, stack.affine @ to_pixel, cell_ml)


def _cells(values: FloatArray) -> FloatArray:
    """Average over 2 x 2 pixels."""
    frames, rows, columns = values.shape
    cells = values.reshape(frames, rows // _PIXELS, _PIXELS, columns // _PIXELS, _PIXELS)
    return np.asarray(cells.mean(axis=(2, 4)), np.float32)


def _halves(cells: FloatArray) -> FloatArray:
    """Lay the right half beside the left one, both from the midline outwards."""
    middle = cells.shape[2] // 2
    return np.stack([cells[..., :middle][..., ::-1], cells[..., middle:]])


def share_at(points: Points, values: NDArray[np.uint8]) -> FloatArray:
    """Return a map of the template at the voxels nearest to some points, 0 to 1, (z, y, x).

    Parameters
    ----------
    points : Points
        Of a grid.
    values : ndarray of uint8
        From `hemocast.anatomy.template.read_map`.
    """
    near = (
        np.clip(np.rint(axis.ravel() - first), 0, n - 1).astype(np.intp)
        for axis, first, n in zip(points, FIRST_VOXEL_MM[::-1], values.shape, strict=True)
    )
    return np.asarray(values[np.ix_(*near)] * np.float32(1 / 255), np.float32)
