"""Was contrast agent given, although no header says so? A look for bright vessels in the brain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy import Brain
from hemocast.anatomy.grid import bounding_box, coarsen_around
from hemocast.volume import BoolArray, Volume

# Nothing in a plain scan but calcium and metal is as bright; above it vessels never are.
VESSEL_HU = (90.0, 500.0)
# Hematomas, enhancing masses and heavy calcifications are thicker than twice this; the widest
# vessel, a sinus, is not.
THICK_MM = 5.0
# A clot of 60 to 90 HU holds scattered noise above 90: it is its whole that is thick.
DENSE_HU = 60.0
# Vessels lie everywhere, calcifications in few places: the brain is cut into cubes of this size.
CUBE_MM = 20.0
LEAST_IN_CUBE_ML = 0.01
LEAST_ML = 1.5
LEAST_CUBES = 15
_BLOCK_MM = 1.0


@dataclass(frozen=True)
class Enhancement:
    """What looks like contrast agent in vessels.

    Parameters
    ----------
    present : bool
        Whether bright vessels take at least 1.5 mL and lie in at least 15 cubes of 20 mm.
    bright_ml : float
        Volume inside the brain between 90 and 500 HU that is thin, mL.
    cubes : int
        How many cubes of 20 mm hold some of it.
    """

    present: bool
    bright_ml: float
    cubes: int


def find_enhancement(volume: Volume, brain: Brain) -> Enhancement:
    """Look for vessels brighter than a plain scan can show.

    The thresholds are ours, and no contrast-enhanced scan of a patient was at hand to test them. A
    real plain head measured 0.6 mL in 10 cubes; 30 simulated ones, of them 10 with a bleed, at most
    0.3 mL in 6. Vessels painted into the real head (10 mL of 200 or 300 HU, 16 mL of 115 or 140 HU,
    22 mL of 100 HU) and into 6 simulated heads (150 HU) all measured at least 6.4 mL in 46 cubes.
    Painted vessels are sharper than a scanner shows them, so weak or late enhancement in
    thick slices, and vessels at the skull alone (which is no part of the mask), may be missed. Very
    noisy plain scans (12 HU) come near the thresholds; widespread calcification may reach them.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    """
    tissue, share = coarsen_around(volume, brain.mask, in_plane_mm=_BLOCK_MM)
    bright = (tissue.hu > VESSEL_HU[0]) & (tissue.hu < VESSEL_HU[1]) & (share > 0.99)
    if not bright.any():
        return Enhancement(present=False, bright_ml=0.0, cubes=0)
    bright &= ~_thick(bright, tissue.hu > DENSE_HU, tissue.spacing)
    voxel_ml = float(np.prod(tissue.spacing)) / 1000
    cube = np.floor(np.argwhere(bright) * (np.array(tissue.spacing) / CUBE_MM)).astype(int)
    _, counts = np.unique(cube, axis=0, return_counts=True)
    bright_ml = float(np.count_nonzero(bright)) * voxel_ml
    cubes = int(np.count_nonzero(counts * voxel_ml >= LEAST_IN_CUBE_ML))
    return Enhancement(
        present=bright_ml >= LEAST_ML and cubes >= LEAST_CUBES, bright_ml=bright_ml, cubes=cubes
    )


def _thick(bright: BoolArray, dense: BoolArray, spacing: tuple[float, float, float]) -> BoolArray:
    """What of the bright lies in dense tissue thicker than twice `THICK_MM`."""
    from scipy import ndimage

    near = bounding_box(bright, (0, 0, 0))
    part = bright[near]
    thick = np.zeros(bright.shape, np.bool_)
    core = ndimage.distance_transform_edt(np.pad(dense[near], 1), sampling=spacing)[
        1:-1, 1:-1, 1:-1
    ]
    core = core > THICK_MM
    if core.any():
        away = ndimage.distance_transform_edt(~core, sampling=spacing)
        thick[near] = part & (away <= THICK_MM + 1)
    return thick
