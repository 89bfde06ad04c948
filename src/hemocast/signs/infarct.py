"""The acute infarct: where it lies, how large it is, and how much water it took up.

What is outlined is measured; where nothing is, no infarct is seen, which is not that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy.atlas import territory_margins
from hemocast.signs.estimate import Estimate
from hemocast.signs.outline import UPTAKE, VOLUME, Card, Outline, card
from hemocast.signs.sides import NAMES, Place, Side, Sides
from hemocast.volume import BoolArray, FloatArray

TERRITORIES = ("MCA", "ACA", "PCA", "cerebellar", "pons")
"""Whose share of the mask is told, as `hemocast.anatomy.atlas.territory_margins` names them."""

THIRD = 1 / 3
# Of an infarct of another territory, what reaches over is the atlas's error.
_TOUCHED = 0.1
# Cells less likely than this are none of the mask, however large the infarct may be.
_LEAST_LIKELY = 0.03
# Net water uptake counts tissue of these CT numbers (Minnerup 2016, 10.1002/ana.24818).
_TISSUE_HU = 20.0
_LEAST_SHARE, _MOST_SHARE = 0.005, 0.6
_MOST_ML = 400.0


@dataclass(frozen=True)
class Infarct:
    """An acute infarct, or that none is seen.

    Parameters
    ----------
    seen : bool
        Whether one is outlined.
    volume_ml : Estimate
        Infarcted tissue, mL; of one not seen, 0 up to what may be missed.
    side : {"left", "right"} or None
        As the header has it.
    territories : dict of str to float
        Share of the mask in each of `TERRITORIES`.
    mca_share : float
        Share of the tissue of its side's middle cerebral artery that is in the mask.
    water_uptake : Estimate or None
        Net water uptake, 0 to 1.
    mask : ndarray of bool, shape (2, frame, y, x)
        The cells that make up its volume.
    place : Place or None
        Its middle.
    """

    seen: bool
    volume_ml: Estimate
    side: Side | None
    territories: dict[str, float]
    mca_share: float
    water_uptake: Estimate | None
    mask: BoolArray
    place: Place | None

    @property
    def territory(self) -> str | None:
        """The territory that holds most of it."""
        if not self.seen:
            return None
        return max(self.territories, key=lambda name: self.territories[name])

    @property
    def hypodensity(self) -> str:
        """As scores ask for it: of the territory of the middle cerebral artery."""
        if not self.seen or self.territories["MCA"] < _TOUCHED:
            return "none"
        return "third_or_more" if self.mca_share >= THIRD else "below_third"


def measure_infarct(sides: Sides, outline: Outline) -> Infarct:
    """Measure what the network outlined.

    Parameters
    ----------
    sides : Sides
        The upright brain.
    outline : Outline
        From `hemocast.signs.outline.read_outline`.
    """
    known = card()
    side = outline.side
    likely = outline.probability[side] * (sides.tissue[side] > 0)
    none = np.zeros(sides.hu.shape, np.bool_)
    if outline.evidence < known.seen or likely.max(initial=0) <= _LEAST_LIKELY:
        return Infarct(False, Estimate(0, 0, known.unseen_ml), None, {}, 0.0, None, none, None)
    mass_ml = float((likely * sides.tissue[side]).sum()) * sides.cell_ml
    volume = volume_ml(known, outline, mass_ml)
    mask = none
    mask[side] = largest_part(likely, sides.tissue[side], volume / sides.cell_ml)
    held = mask[side] * sides.tissue[side]
    shares, mca_share = _territories(sides, held, side)
    return Infarct(
        seen=True,
        volume_ml=Estimate.times(volume, known.volume_factors),
        side=NAMES[side],
        territories=shares,
        mca_share=mca_share,
        water_uptake=_water_uptake(known, outline, sides, mask),
        mask=mask,
        place=sides.place_of(mask * sides.tissue, side),
    )


def volume_ml(known: Card, outline: Outline, mass_ml: float) -> float:
    """Return the volume that the outline's mass and the network's finding tell, mL."""
    first, of_finding, of_mass = known.volume
    level = first + of_finding * float(outline.findings[VOLUME]) + of_mass * np.log(mass_ml + 0.1)
    return float(min(np.exp(level), _MOST_ML))


def largest_part(likely: FloatArray, tissue: FloatArray, cells: float) -> BoolArray:
    """Return the likeliest cells that together hold so much tissue.

    Parameters
    ----------
    likely, tissue : ndarray of float32, shape (frame, y, x)
        Probability, and share of tissue.
    cells : float
        Tissue wanted, in cells.
    """
    order = np.argsort(-likely, axis=None, kind="stable")
    held = np.cumsum(tissue.ravel()[order], dtype=np.float64)
    count = int(np.searchsorted(held, cells)) + 1
    mask = np.zeros(likely.size, np.bool_)
    mask[order[:count]] = True
    return mask.reshape(likely.shape) & (likely > _LEAST_LIKELY) & (tissue > 0)


def measured_uptake(sides: Sides, mask: BoolArray) -> float | None:
    """Return net water uptake, 0 to 1: how much darker the mask's tissue is than its mirror image.

    1 - D_infarct / D_mirror (Minnerup 2016, 10.1002/ana.24818), over tissue of 20 HU and more;
    None where the mirror image holds none.
    """
    weight = mask * sides.tissue * (sides.hu > _TISSUE_HU)
    other = mask[::-1] * sides.tissue * (sides.hu > _TISSUE_HU)
    if weight.sum() <= 0 or other.sum() <= 0:
        return None
    own_hu = float((weight * sides.hu).sum() / weight.sum())
    mirror_hu = float((other * sides.hu).sum() / other.sum())
    return 1 - own_hu / mirror_hu


def _water_uptake(known: Card, outline: Outline, sides: Sides, mask: BoolArray) -> Estimate | None:
    measured = measured_uptake(sides, mask)
    if measured is None:
        return None
    first, of_finding, of_mask = known.uptake
    level = first + of_finding * float(outline.findings[UPTAKE])
    level += of_mask * np.log(np.clip(measured, _LEAST_SHARE, _MOST_SHARE))
    return Estimate.times(float(min(np.exp(level), _MOST_SHARE)), known.uptake_factors)


def _territories(sides: Sides, held: FloatArray, side: int) -> tuple[dict[str, float], float]:
    """Return each territory's share of the mask, and the mask's share of the MCA's tissue."""
    margins = territory_margins(sides.points)
    inside = {name: margins[name] > 0 for name in TERRITORIES}
    total = max(float(held.sum()), 1e-6)
    shares = {name: float(held[inside[name]].sum()) / total for name in TERRITORIES}
    mca = float(sides.tissue[side][inside["MCA"]].sum())
    return shares, float(held[inside["MCA"]].sum()) / max(mca, 1e-6)
