"""Dense artery: the first segment of a middle cerebral artery, denser than the other side's.

An artery of 3 mm fills half of a slice of 5 mm, so that thick slices cannot tell (Nakatsuka 2013,
10.4236/ojrad.2013.34031, saw 36 to 54 HU there where thin ones gave 46 to 65). In thin slices the
densest line that runs along the artery's usual course is sought on each side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.fields import sample
from hemocast.anatomy.template import CENTRE_MM
from hemocast.signs.sides import Side
from hemocast.volume import FloatArray, Volume

# Ours: the thickest slices of which a vessel of 3 mm fills most.
THICKEST_MM = 2.5
# Koo 2000, Cerebrovasc Dis 10:419: above 43 HU and 1.2 times the other side.
DENSE_HU, RATIO = 43.0, 1.2
# The largest ratio of 16 simulated heads without a clot was 1.08: from here it cannot be told.
DOUBTFUL_RATIO = 1.09
# The course, MNI mm, from beside the carotid's end to the branching (as textbooks draw it).
_COURSE_MM = ((12.0, 4.0, -22.5), (21.0, 4.0, -19.0), (27.0, 6.0, -19.0), (36.0, 9.0, -19.0))
_STEP_MM, _BESIDE_MM, _BESIDE_STEP_MM = 1.0, 7.0, 0.7
_SMOOTH_MM, _BONE_HU, _BONE_RIM_MM = 0.5, 110.0, 2.0
_LEAST_KNOWN, _MOST_HU = 0.4, 110.0


@dataclass(frozen=True)
class Artery:
    """The first segments of the middle cerebral arteries, in thin slices.

    Parameters
    ----------
    right_hu, left_hu : float
        Mean along the densest line of each side, HU.
    slice_number : int
        Slice through the middle of the denser one, from 1 at the bottom.
    """

    right_hu: float
    left_hu: float
    slice_number: int

    @property
    def ratio(self) -> float:
        """The denser by the less dense."""
        denser, other = sorted((self.right_hu, self.left_hu), reverse=True)
        return denser / max(other, 1.0)

    @property
    def denser(self) -> Side:
        """Which side is denser."""
        return "right" if self.right_hu > self.left_hu else "left"

    @property
    def dense(self) -> bool | None:
        """Whether one is a dense artery; None where it cannot be told."""
        if self.ratio < DOUBTFUL_RATIO:
            return False
        if self.ratio > RATIO and max(self.right_hu, self.left_hu) > DENSE_HU:
            return True
        return None


def measure_artery(volume: Volume, brain: Brain, pose: Alignment) -> Artery | None:
    """Measure how dense the first segments of both middle cerebral arteries are.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment
        How it is set upright.

    Returns
    -------
    Artery or None
        None where slices lie further than 2.5 mm apart, metal is near, or the course is not seen.
    """
    if volume.spacing[0] > THICKEST_MM or brain.metal is not None:
        return None
    found = [_densest(volume, brain, pose, sign) for sign in (1.0, -1.0)]
    if min(hu for hu, _ in found) <= 0:
        return None
    (right, right_slice), (left, left_slice) = found
    return Artery(right, left, right_slice if right > left else left_slice)


def _densest(volume: Volume, brain: Brain, pose: Alignment, sign: float) -> tuple[float, int]:
    """Return the mean CT number along one side's densest line, and the slice of its middle."""
    from scipy import ndimage

    places = _places(sign)
    upright = (places.reshape(-1, 3) - CENTRE_MM) * pose.stretch
    to_voxel = np.linalg.inv(volume.affine) @ pose.matrix
    voxel = (upright @ to_voxel[:3, :3].T + to_voxel[:3, 3])[:, ::-1]
    near, first = _soft(volume, brain, voxel)
    hu = sample(near[..., None], (voxel - first).astype(np.float32))[:, 0]
    sections = hu.reshape(places.shape[:3])
    # The best line that ends at each place moves on by one place a step at most.
    total = sections[0]
    for section in sections[1:]:
        total = ndimage.maximum_filter(total, size=3) + section
    middle = voxel.reshape(*places.shape)[len(sections) // 2, :, :, 0].mean()
    return float(total.max()) / len(sections), round(float(middle)) + 1


def _places(sign: float) -> NDArray[np.float64]:
    """Return places round the course, (section, forward, up, xyz), template mm."""
    course = np.array(_COURSE_MM)
    x = np.arange(course[0, 0], course[-1, 0] + _STEP_MM / 2, _STEP_MM)
    y, z = (np.interp(x, course[:, 0], course[:, axis]) for axis in (1, 2))
    beside = np.arange(-_BESIDE_MM, _BESIDE_MM + _BESIDE_STEP_MM / 2, _BESIDE_STEP_MM)
    parts = np.broadcast_arrays(
        sign * x[:, None, None],
        y[:, None, None] + beside[None, :, None],
        z[:, None, None] + beside[None, None, :],
    )
    return np.stack(parts, axis=-1)


def _soft(
    volume: Volume, brain: Brain, voxel: NDArray[np.float64]
) -> tuple[FloatArray, NDArray[np.float64]]:
    """Return smoothed CT numbers of what is brain and not near bone, 0 elsewhere; first voxel."""
    from scipy import ndimage

    low = np.maximum(np.floor(voxel.min(axis=0)).astype(int) - 8, 0)
    high = np.minimum(np.ceil(voxel.max(axis=0)).astype(int) + 9, volume.hu.shape)
    box = tuple(slice(a, max(b, a + 1)) for a, b in zip(low, high, strict=True))
    hu, spacing = volume.hu[box], volume.spacing
    sigma = [_SMOOTH_MM / mm for mm in spacing]
    rim = [2 * round(_BONE_RIM_MM / mm) + 1 for mm in spacing]
    bone = ndimage.maximum_filter(ndimage.gaussian_filter(hu, sigma) > _BONE_HU, size=rim)
    kept = brain.mask[box] & ~bone
    weight = ndimage.gaussian_filter(kept.astype(np.float32), sigma)
    level = ndimage.gaussian_filter(np.where(kept, np.minimum(hu, _MOST_HU), 0), sigma)
    known = kept & (weight > _LEAST_KNOWN)
    return np.where(known, level / np.maximum(weight, _LEAST_KNOWN), 0).astype(
        np.float32
    ), low.astype(np.float64)
