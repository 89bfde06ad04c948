"""Midline shift, at the third ventricle: how far its middle lies from the middle of the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment
from hemocast.anatomy.fields import sample
from hemocast.anatomy.template import CENTRE_MM
from hemocast.volume import FloatArray, Volume

# Where the third ventricle lies in the template, mm: rows and planes that are averaged.
_ROWS_MM = (-22.0, -3.0)
_PLANES_MM = (-4.0, 7.0)
_STEP_MM = 1.5
# It is looked for so far from the middle; swelling moves it hardly further.
_REACH_MM = 13.0
_ACROSS_MM = 0.5
# The ventricle is a furrow between brighter walls; a swollen infarct beside it is wide and dark.
_SMOOTH_MM, _WALLS_MM = 2.0, 8.0
_FLUID_HU, _TISSUE_HU = 8.0, 26.0
# Ours: where so little stands out against its walls there is no ventricle to be seen.
_LEAST = 0.02

LIMITS_MM = 2.5
"""95 % limits of agreement with the truth in 54 simulated heads, to both sides.

From docs/lab/signs.md.
"""


@dataclass(frozen=True)
class MidlineShift:
    """How far the third ventricle lies from the midline.

    Parameters
    ----------
    shift_mm : float
        To the patient's right positive, to the left negative.
    limits_mm : float
        Limits of agreement, to both sides of it.
    sides_known : bool
        Whether left and right can be believed; else only the size of the shift can.
    """

    shift_mm: float
    limits_mm: float
    sides_known: bool

    @property
    def side(self) -> Literal["left", "right", "unknown"]:
        """To which side it is shifted, as far as can be said: where the interval leaves out 0."""
        if not self.sides_known or abs(self.shift_mm) <= self.limits_mm:
            return "unknown"
        return "right" if self.shift_mm > 0 else "left"


def measure_midline(volume: Volume, alignment: Alignment) -> MidlineShift | None:
    """Measure the midline shift.

    The head is set upright on its own symmetry. In the rows and planes of the third ventricle the
    share of fluid is averaged along each sagittal line; what stands out most against its
    surroundings within 13 mm of the middle is the ventricle.

    Parameters
    ----------
    volume : Volume
        The scan.
    alignment : Alignment
        How it is set upright.

    Returns
    -------
    MidlineShift or None
        None where no third ventricle can be seen.
    """
    across = np.arange(-20.0, 20.0 + _ACROSS_MM / 2, _ACROSS_MM)
    fluid = _fluid_across(volume, alignment, across)
    furrow = _smooth(fluid, _SMOOTH_MM) - _smooth(fluid, _WALLS_MM)
    peak = int(np.where(np.abs(across) < _REACH_MM, furrow, -1).argmax())
    if furrow[peak] < _LEAST:
        return None
    # From wall to wall: as far as half of what stands out.
    lower = np.flatnonzero(furrow < furrow[peak] / 2)
    wall = (
        int(lower[lower < peak].max(initial=0)),
        int(lower[lower > peak].min(initial=len(across))),
    )
    near = slice(wall[0] + 1, wall[1])
    shift = float(np.average(across[near], weights=furrow[near]))
    return MidlineShift(shift, LIMITS_MM, alignment.sides_known)


def _smooth(values: NDArray[np.float64], sigma_mm: float) -> NDArray[np.float64]:
    from scipy import ndimage

    sigma = sigma_mm / _ACROSS_MM
    return np.asarray(ndimage.gaussian_filter1d(values, sigma, mode="nearest"), np.float64)


def _fluid_across(
    volume: Volume, alignment: Alignment, across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of fluid at each distance from the midline, averaged over rows and planes."""
    rows, planes = (
        (np.arange(low, high, _STEP_MM) - CENTRE_MM[axis]) * alignment.stretch[axis]
        for axis, (low, high) in ((1, _ROWS_MM), (2, _PLANES_MM))
    )
    upright = np.stack(np.meshgrid(across, rows, planes, indexing="ij"), axis=-1).reshape(-1, 3)
    to_voxel = np.linalg.inv(volume.affine) @ alignment.matrix
    voxel = upright @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    near, first = _smoothed_box(volume, voxel[:, ::-1])
    hu = sample(near[..., None], (voxel[:, ::-1] - first).astype(np.float32))[:, 0]
    share = np.clip((_TISSUE_HU - hu) / (_TISSUE_HU - _FLUID_HU), 0, 1)
    return np.asarray(share.reshape(len(across), -1).mean(axis=1), np.float64)


def _smoothed_box(
    volume: Volume, zyx: NDArray[np.float64]
) -> tuple[FloatArray, NDArray[np.float64]]:
    """CT numbers round some points, smoothed by 1 mm within the slice, and the box's first voxel.

    Points beyond the scan are sampled as 0 HU, as fluid: a scan that lacks these planes has been
    refused before.
    """
    from scipy import ndimage

    low = np.maximum(np.floor(zyx.min(axis=0)).astype(int) - 6, 0)
    high = np.minimum(np.ceil(zyx.max(axis=0)).astype(int) + 7, volume.hu.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    sigma = (0.0, *(1.0 / mm for mm in volume.spacing[1:]))
    return ndimage.gaussian_filter(volume.hu[box], sigma), low.astype(np.float64)
