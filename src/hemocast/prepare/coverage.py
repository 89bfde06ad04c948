"""How much of the brain lies within the scan: known from the template fitted to it.

A scan may stop below the vertex or above the base; what is missing cannot be seen, but the template
that was stretched to the rest says where the brain would end. Only where the head's outermost slice
shows much brain does anything count as missing: a whole head ends in neck or scalp. And the field
of view may cut the head within its slices: then the template's brain lies partly beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.template import STEP_MM, template
from hemocast.anatomy.tissue import TissueMap
from hemocast.errors import NotCovered
from hemocast.volume import Volume

LEAST_SHARE = 0.8
"""Of the brain's height; below it a scan is refused."""
DOUBT_MM = 6.0
"""Missing height from which on a doubt is named: the template tells it to 2 or 3 mm."""
MOST_BESIDE, DOUBT_BESIDE = 0.1, 0.01
"""Share of the brain beside the field of view: above it a scan is refused, or it is a doubt."""
CUT_CM2 = 12.0
"""A head whose outermost slice shows more brain than this was cut there."""
# Outermost: brain is looked for in whole blocks of slices, so that a thin last one may be left out.
_OUTERMOST_MM = 3.0
# A slice that shows less than this of a head is air; every fourth pixel tells.
_HEAD_CM2 = 5.0
_TISSUE_HU = -200.0
_EVERY = 4
# The smoothed template's vertex is rounded off by this much; the base, which is narrow anyway, is
# not. Measured on 46 simulated heads cut at known heights: mean errors 0.7 and 0.3 mm.
_ROUNDED_MM = 6.5
# The outermost points of the template that its ends leave out, as a share.
_TIP = 0.002
# Air round a head, or what fills a picture beyond its field of view.
_AIR_HU = -500.0


@dataclass(frozen=True)
class Coverage:
    """What of the brain the slices leave out.

    Parameters
    ----------
    base_mm, vertex_mm : float
        Height of brain below the lowest and above the highest slice, mm along the slices' normal;
        0 where the brain ends within the scan.
    share : float
        Of the brain's height that the slices cover.
    beside : float
        Share of the brain that lies beside the field of view, within the slices.
    """

    base_mm: float
    vertex_mm: float
    share: float
    beside: float = 0.0

    @property
    def missing(self) -> str:
        """What is missing, in words; "" where it is too little to matter."""
        ends = ((self.base_mm, "at the base"), (self.vertex_mm, "at the vertex"))
        return " and ".join(f"{mm:.0f} mm {place}" for mm, place in ends if mm >= DOUBT_MM)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is missing and may matter, in words."""
        doubts = []
        if self.missing:
            doubts.append(f"brain lies beyond the slices: about {self.missing}")
        if self.beside >= DOUBT_BESIDE:
            doubts.append(f"the field of view leaves out about {self.beside:.0%} of the brain")
        return tuple(doubts)


def measure_coverage(volume: Volume, brain: Brain, pose: Alignment) -> Coverage:
    """Measure how far the fitted template reaches beyond the brain's slices.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment
        As `align` found it.
    """
    places = _template_places(volume, pose)
    low, high = np.quantile(places[:, 2], (_TIP, 1 - _TIP))
    high += _ROUNDED_MM / volume.spacing[0]
    step = volume.spacing[0]
    pixel_cm2 = float(np.prod(volume.spacing[1:])) / 100
    tissue = (volume.hu[:, ::_EVERY, ::_EVERY] > _TISSUE_HU).sum(axis=(1, 2))
    seen = np.flatnonzero(tissue * pixel_cm2 * _EVERY**2 > _HEAD_CM2)
    lowest, highest = int(seen[0]), int(seen[-1])
    head = replace(brain, mask=brain.mask[lowest : highest + 1])
    lowest_cm2, highest_cm2 = outermost_cm2(volume, head)
    base = (lowest - 0.5 - low) * step if lowest_cm2 > CUT_CM2 else 0.0
    vertex = (high - highest - 0.5) * step if highest_cm2 > CUT_CM2 else 0.0
    base, vertex = max(0.0, float(base)), max(0.0, float(vertex))
    return Coverage(
        base_mm=base,
        vertex_mm=vertex,
        share=float(1 - (base + vertex) / ((high - low) * step)),
        beside=_beside(brain.tissue, places) if brain.tissue else 0.0,
    )


def outermost_cm2(volume: Volume, brain: Brain) -> tuple[float, float]:
    """Return the brain's area in the lowest and highest slices of its mask's array, cm2.

    Parameters
    ----------
    volume : Volume
        For the size of its voxels.
    brain : Brain
        All slices, or those that show the head.
    """
    area = brain.mask.sum(axis=(1, 2)) * float(np.prod(volume.spacing[1:])) / 100
    few = int(np.ceil(_OUTERMOST_MM / volume.spacing[0]))
    return float(area[:few].max()), float(area[-few:].max())


def _template_places(volume: Volume, pose: Alignment) -> NDArray[np.float64]:
    """Return the voxels (x, y, z), with fractions, in which the fitted template's brain lies."""
    fixed = template()
    zyx = np.argwhere(fixed.fields[..., 0, 0] > 0.5)
    upright = (zyx[:, ::-1] * STEP_MM + np.array(fixed.origin_mm)) * np.array(pose.stretch)
    to_voxel = np.linalg.inv(volume.affine) @ pose.matrix
    return np.asarray(upright @ to_voxel[:3, :3].T + to_voxel[:3, 3])


def _beside(tissue: TissueMap, places: NDArray[np.float64]) -> float:
    """Return the share of places, of those within the slices, in the air round the head."""
    from scipy import ndimage

    blocks = tissue.blocks
    air = np.pad(blocks.hu < _AIR_HU, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    within_slice = np.zeros((3, 3, 3), np.bool_)
    within_slice[1] = True
    labels, _ = ndimage.label(air, within_slice)
    outside = labels == labels[:, :1, :1]
    at = np.rint((places[:, ::-1] - blocks.first) / blocks.step).astype(np.intp)
    z, y, x = at[(at[:, 0] >= 0) & (at[:, 0] < len(air))].T
    rows, columns = (n - 1 for n in air.shape[1:])
    beside = outside[z, np.clip(y + 1, 0, rows), np.clip(x + 1, 0, columns)]
    return float(beside.mean())


def refuse_half_a_head(coverage: Coverage) -> None:
    """Refuse a scan that leaves out too much of the brain, at its ends or sides.

    Raises
    ------
    NotCovered
        It does.
    """
    if coverage.share < LEAST_SHARE:
        raise NotCovered(
            f"The slices cover {coverage.share:.0%} of the brain's height: about "
            f"{coverage.missing} are missing",
            f"at least {LEAST_SHARE:.0%} of the height from the base to the vertex",
            "Give all slices of the series, and its other part where the head was scanned in two",
        )
    if coverage.beside > MOST_BESIDE:
        raise NotCovered(
            f"The field of view leaves out about {coverage.beside:.0%} of the brain within the "
            "slices",
            f"at most {MOST_BESIDE:.0%} beside the field of view",
            "Reconstruct the series with a field of view that holds the whole head",
        )
