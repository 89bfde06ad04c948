"""Calcifications inside the brain: how much is denser than blood can be, and where most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy import Brain
from hemocast.anatomy.grid import coarsen_around
from hemocast.volume import Volume

# Clotted blood measures up to 90 HU; the smooth mean of a small calcification much less than it.
CALCIUM_HU = 90.0
# Bone smears inwards: what lies nearer to the brain's border does not count.
BORDER_MM = 4.0
_BLOCK_MM = 1.0
_LEAST_ML = 0.005

LIMIT = (
    "choroid plexus, pineal gland and basal ganglia are calcified in most healthy old people; what "
    "lies within 4 mm of the skull, and grains that a thick slice averages away, are not seen."
)


@dataclass(frozen=True)
class Calcification:
    """What looks like calcium inside the brain.

    Parameters
    ----------
    volume_ml : float
        Denser than 90 HU, further than 4 mm from the brain's border, mL.
    places : int
        How many separate ones.
    slice_number : int or None
        Slice through the middle of the largest, from 1 at the bottom; None where there is none.
    """

    volume_ml: float
    places: int
    slice_number: int | None


def measure_calcification(volume: Volume, brain: Brain) -> Calcification | None:
    """Measure calcifications.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.

    Returns
    -------
    Calcification or None
        None where metal is in or near the brain: its streaks are as dense.
    """
    from scipy import ndimage

    if brain.metal is not None:
        return None
    tissue, share = coarsen_around(volume, brain.mask, in_plane_mm=_BLOCK_MM)
    size = [2 * round(BORDER_MM / mm) + 1 for mm in tissue.spacing]
    deep = ndimage.minimum_filter(share > 0.5, size=size, mode="nearest")
    labels, n = ndimage.label(deep & (tissue.hu > CALCIUM_HU), np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:] * np.prod(tissue.spacing) / 1000
    kept = np.flatnonzero(sizes >= _LEAST_ML)
    if not kept.size:
        return Calcification(0.0, 0, None)
    largest = int(sizes.argmax())
    middle = np.argwhere(labels == largest + 1).mean(axis=0)
    at = np.linalg.inv(volume.affine) @ tissue.affine @ [*middle[::-1], 1]
    return Calcification(float(sizes[kept].sum()), int(kept.size), round(float(at[2])) + 1)
