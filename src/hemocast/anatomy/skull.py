"""What may be wrong with the skull round a brain: bone that is missing, metal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.checks import CROSS
from hemocast.anatomy.grid import Coarse, bounding_box
from hemocast.volume import BoolArray, Volume

# Ours: dura, partial volume and streaks lie between brain and bone.
_NEAR_MM = 7.0
_THIN_BONE_HU = 110.0
# Ordinary heads, a real one among them, have bare patches of up to 0.2 cm2.
LEAST_CM2 = 1.5
# Petrous bone reads up to 2000, metal above 2500 HU.
METAL_HU = 2500.0
_LEAST_MM3 = 8.0
_METAL_NEAR_MM = 15.0


@dataclass(frozen=True)
class Gap:
    """A place where the brain has no bone over it.

    Parameters
    ----------
    width_cm : float
        Side of a square as large as the gap, cm.
    slices : tuple of int
        First and last slice it reaches, from 1 at the bottom of the scan.
    """

    width_cm: float
    slices: tuple[int, int]

    @property
    def doubt(self) -> str:
        """The doubt, in words."""
        low, high = self.slices
        return f"a gap in the skull of about {self.width_cm:.0f} cm, in slices {low} to {high}"


@dataclass(frozen=True)
class Metal:
    """Metal in the head or at the skull.

    Parameters
    ----------
    volume_ml : float
        What reads above 2500 HU, mL.
    slices : tuple of int
        First and last slice it lies in, from 1 at the bottom of the scan.
    levels : ndarray of int
        Levels of the coarse grid that it lies in: streaks run within a slice.
    """

    volume_ml: float
    slices: tuple[int, int]
    levels: NDArray[np.intp]

    @property
    def doubt(self) -> str:
        """The doubt, in words."""
        low, high = self.slices
        return f"metal of about {self.volume_ml:.1f} mL, with streaks in slices {low} to {high}"


def find_gap(coarse: Coarse, inside: BoolArray) -> Gap | None:
    """Find the largest place where a brain's outline has no bone near.

    Parameters
    ----------
    coarse : Coarse
        The scan.
    inside : ndarray of bool, shape (z, y, x)
        Its brain.
    """
    from scipy import ndimage

    # Bone beyond this box is too far to count.
    z, y, x = (int(np.ceil(_NEAR_MM / mm)) + 1 for mm in coarse.spacing)
    box = bounding_box(inside, (z, y, x))
    bone, within = coarse.hu[box] > _THIN_BONE_HU, inside[box]
    away = ndimage.distance_transform_edt(~bone, sampling=coarse.spacing)
    edge = within & ~ndimage.binary_erosion(within, CROSS, border_value=1)
    bare = edge & (away > _NEAR_MM)
    labels, n = ndimage.label(bare, np.ones((3, 3, 3), np.bool_))
    if n == 0:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    largest = labels == int(sizes.argmax()) + 1
    # One voxel of an outline stands for about one pixel's length in each slice.
    area_cm2 = float(sizes.max()) * coarse.spacing[0] * coarse.spacing[1] / 100
    if area_cm2 < LEAST_CM2:
        return None
    used = (np.flatnonzero(largest.any(axis=(1, 2))) + box[0].start) * coarse.factors[0]
    slices = int(used[0]) + 1, int(used[-1]) + coarse.factors[0]
    # Brain within `_NEAR_MM` of the gap's edge has bone near.
    return Gap(float(np.sqrt(area_cm2)) + 2 * _NEAR_MM / 10, slices)


def find_metal(volume: Volume, coarse: Coarse, inside: BoolArray) -> Metal | None:
    """Find metal in or near the brain.

    Parameters
    ----------
    volume : Volume
        The scan.
    coarse : Coarse
        The same on blocks.
    inside : ndarray of bool, shape (z, y, x)
        About where the brain is, on the blocks.
    """
    from scipy import ndimage

    if not inside.any() or float(volume.hu.max()) < METAL_HU:
        return None
    steps = [2 * int(np.ceil(_METAL_NEAR_MM / mm)) + 1 for mm in coarse.spacing]
    near = ndimage.maximum_filter(inside, steps)
    at = np.argwhere(volume.hu > METAL_HU)
    block = np.minimum(at // coarse.factors, np.array(near.shape) - 1)
    at = at[near[tuple(block.T)]]
    volume_mm3 = len(at) * float(np.prod(volume.spacing))
    if volume_mm3 < _LEAST_MM3:
        return None
    return Metal(
        volume_ml=volume_mm3 / 1000,
        slices=(int(at[:, 0].min()) + 1, int(at[:, 0].max()) + 1),
        levels=np.unique(np.minimum(at[:, 0] // coarse.factors[0], len(near) - 1)),
    )
