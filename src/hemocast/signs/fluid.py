"""Fluid inside the skull, as a share of it: how much the brain has shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy import Brain
from hemocast.anatomy.grid import coarsen_around
from hemocast.volume import Volume

# Fluid measures about 8 HU, the darkest healthy white matter 24: a block between is both.
_FLUID_HU, _TISSUE_HU = 8.0, 24.0
_BLOCK_MM = 1.0

LIMIT = (
    "an index and no volume: sulci are thinner than a slice and bone brightens them, so that it is "
    "smaller than the fluid there is; old infarcts count as fluid."
)


@dataclass(frozen=True)
class Fluid:
    """Fluid in the brain mask.

    Parameters
    ----------
    share : float
        0 to 1, of the brain with its fluid.
    """

    share: float


def measure_fluid(volume: Volume, brain: Brain) -> Fluid:
    """Measure the share of fluid: ventricles, sulci, cisterns, old cavities.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    """
    tissue, inside = coarsen_around(volume, brain.mask, in_plane_mm=_BLOCK_MM)
    fluid = np.clip((_TISSUE_HU - tissue.hu) / (_TISSUE_HU - _FLUID_HU), 0, 1)
    return Fluid(float((fluid * inside).sum(dtype=np.float64) / inside.sum(dtype=np.float64)))
