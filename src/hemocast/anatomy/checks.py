"""Refuse what is no scan in Hounsfield units, or holds no brain inside a skull."""

from __future__ import annotations

import numpy as np

from hemocast.errors import NotABrain, NotHounsfield
from hemocast.volume import BoolArray, FloatArray

# Air is -1000 HU by definition and surrounds or fills part of every head; noise, partial volume and
# padding with 0 are allowed for.
AIR_HU = -500.0
SOFT_HU = 200.0
METAL_HU = 4000.0
# Metal reads up to 3071 HU on 12-bit scanners and about 32,000 on those with an extended scale.
HIGHEST_HU = 40_000.0
# Ours: a whole adult's inside of the skull is about 1200 to 1700 mL; children, atrophy and scans
# that miss base or vertex are allowed for below, large heads and macrocephaly above.
BRAIN_ML = (600.0, 2200.0)
# Grey matter is about 37, white 28, fluid 5 HU; atrophy lowers the median, kV moves it.
MEDIAN_HU = (18.0, 45.0)
# A brain has fluid and tissue: its smoothed CT numbers spread over more than a filled ball's.
SPREAD_HU = 8.0
BONE_CONTACT = 0.5
# The four neighbours within a slice.
CROSS = np.zeros((3, 3, 3), np.bool_)
CROSS[1, 1, :] = CROSS[1, :, 1] = True


def check_hounsfield(hu: FloatArray) -> None:
    """Refuse values that are not the CT numbers of a body in air.

    All must be finite and on a CT scale. Of every fourth voxel along each axis, some must be air
    (below -500), some water or tissue (-200 to 200), and nearly none above 4,000 HU.

    Parameters
    ----------
    hu : ndarray of float32, any shape
        What claims to be HU: voxels, or means of blocks.

    Raises
    ------
    NotHounsfield
        It is not.
    """
    low, high = float(hu.min()), float(hu.max())
    sample = hu[tuple(slice(None, None, 4 if n >= 16 else 1) for n in hu.shape)]
    air, tissue, metal = (
        float(np.mean(kind))
        for kind in (sample < AIR_HU, np.abs(sample) < SOFT_HU, sample > METAL_HU)
    )
    on_scale = np.isfinite(low) and high <= HIGHEST_HU
    if not on_scale or air < 0.005 or tissue < 0.01 or metal > 0.02:
        raise NotHounsfield(
            f"The values run from {low:.0f} to {high:.0f}; {air:.0%} look like air, {tissue:.0%} "
            "like tissue",
            "CT numbers in HU: air near -1000, water 0, bone above 300",
            "Give the original CT images, with their rescale slope and intercept applied",
        )


def check_skull(hu: FloatArray) -> None:
    """Refuse a scan whose skull and scalp were taken off: a brain alone, in one constant value.

    Parameters
    ----------
    hu : ndarray of float32, any shape
        HU, and one value outside the brain: 0, or that of air.

    Raises
    ------
    NotABrain
        At least two fifths of the voxels have the value of a corner, which is air or 0, and of the
        others nearly none is bone while nearly all are on the scale of brain and fluid.
    """
    corner = float(hu.flat[0])
    if corner > AIR_HU and abs(corner) > 1.0:
        return
    sample = hu[tuple(slice(None, None, 2 if n >= 16 else 1) for n in hu.shape)]
    tissue = sample[sample != corner]
    share = tissue.size / sample.size
    if not 0.02 <= share <= 0.6:
        return
    bone = float(np.mean(tissue > SOFT_HU))
    brain = float(np.mean((tissue > -20.0) & (tissue < 100.0)))
    if bone < 0.002 and brain > 0.95:
        raise NotABrain(
            f"The skull has been removed: {share:.0%} of the scan is soft tissue, the rest one "
            f"constant value of {corner:.0f}, and there is no bone",
            "the whole head, as it was scanned, with skull and scalp",
            "Give the scan from before brain extraction",
        )


def check_brain(
    hu: FloatArray, inside: BoolArray, skull: BoolArray, spacing: tuple[float, float, float]
) -> None:
    """Refuse an inside of a skull that is no brain.

    A ball of even density in a shell of bone is refused for its lack of structure; a phantom made
    with fluid spaces and CT numbers of a brain cannot be told from one here.

    Parameters
    ----------
    hu : ndarray of float32, shape (z, y, x)
        Block means, HU.
    inside, skull : ndarray of bool, shape (z, y, x)
        Soft tissue inside bone, and that bone.
    spacing : tuple of float
        Block size in mm, (z, y, x).

    Raises
    ------
    NotABrain
        Its volume, CT numbers, structure or shell of bone are not a brain's.
    """
    from scipy import ndimage

    volume_ml = float(np.count_nonzero(inside)) * float(np.prod(spacing)) / 1000
    if not BRAIN_ML[0] <= volume_ml <= BRAIN_ML[1]:
        raise _refusal(
            f"The soft tissue inside bone measures {volume_ml:.0f} mL",
            f"a brain of {BRAIN_ML[0]:.0f} to {BRAIN_ML[1]:.0f} mL inside a skull",
        )
    median = float(np.median(hu[inside]))
    if not MEDIAN_HU[0] <= median <= MEDIAN_HU[1]:
        raise _refusal(
            f"The soft tissue inside bone has a median of {median:.0f} HU",
            f"a brain, with a median between {MEDIAN_HU[0]:.0f} and {MEDIAN_HU[1]:.0f} HU",
        )
    # One block further at least: under a header whose axes are swapped a thick slice is a "pixel".
    bone_near = ndimage.uniform_filter(
        skull.astype(np.float32), size=[1, *(max(3, _odd(8.0, mm)) for mm in spacing[1:])]
    )
    edge = inside & ~ndimage.binary_erosion(inside, CROSS)
    contact = float((bone_near[edge] > 1e-3).mean())
    if contact < BONE_CONTACT:
        raise _refusal(
            f"Bone borders {contact:.0%} of the soft tissue's outline",
            "a brain with a closed skull around it",
        )
    size = [_odd(6.0, mm) for mm in spacing]
    weight = ndimage.uniform_filter(inside.astype(np.float32), size)
    smooth = ndimage.uniform_filter(np.where(inside, hu, 0).astype(np.float32), size)
    low, high = np.percentile(smooth[inside] / weight[inside], (2, 98))
    if high - low < SPREAD_HU:
        raise _refusal(
            f"The soft tissue inside bone is even: 96 % of it lies within {high - low:.1f} HU",
            f"a brain, whose fluid and tissue differ by more than {SPREAD_HU:.0f} HU",
        )


def _odd(mm: float, step: float) -> int:
    return 2 * max(0, round(mm / 2 / step)) + 1


def _refusal(seen: str, expected: str) -> NotABrain:
    return NotABrain(seen, expected, "Give the head series, or leave this scan out")
