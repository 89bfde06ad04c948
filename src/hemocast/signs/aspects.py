"""ASPECTS: ten regions of one side, each with what speaks for its point.

The score is Barber's (2000, 10.1016/S0140-6736(00)02237-6). Regions are the atlas's, fitted to the
head by its length, width and height alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.anatomy.atlas import REGIONS, aspects_regions, territory_margins
from hemocast.signs.estimate import Estimate
from hemocast.signs.infarct import Infarct
from hemocast.signs.outline import Outline, card
from hemocast.signs.sides import LEFT, RIGHT, Place, Sides
from hemocast.volume import FloatArray

# Darker by so much, smoothed over 6 mm, a part of a region counts as darker.
DARKER_HU = 2.0
_SMOOTH = (0.4, 1.5, 1.5)
_LEAST_CELLS = 10.0
MOST = 10


@dataclass(frozen=True)
class Region:
    """One region and what speaks for it.

    Parameters
    ----------
    name : str
        One of `REGIONS`.
    affected : bool
        Whether it costs a point.
    probability : float
        That it is affected.
    darker_hu : float
        How much darker its tissue is than its mirror image's, HU.
    darker_share : float
        Share of the region that is darker than its mirror image by 2 HU and more.
    mask_share : float
        Share of it in the infarct's mask.
    place : Place
        Its middle.
    """

    name: str
    affected: bool
    probability: float
    darker_hu: float
    darker_share: float
    mask_share: float
    place: Place

    @property
    def evidence(self) -> str:
        """What speaks for it, in words."""
        darker = (
            f"darker than its mirror image by {self.darker_hu:.1f} HU"
            if self.darker_hu > 0
            else "no darker than its mirror image"
        )
        return (
            f"{darker}, by {DARKER_HU:.0f} HU and more over {100 * self.darker_share:.0f} % of it; "
            f"{100 * self.mask_share:.0f} % lies in the infarct"
        )


@dataclass(frozen=True)
class Aspects:
    """The score.

    Parameters
    ----------
    score : Estimate
        0 to 10.
    regions : tuple of Region
        All ten, of the infarct's side; empty where no infarct is seen.
    """

    score: Estimate
    regions: tuple[Region, ...]


def measure_aspects(sides: Sides, outline: Outline, infarct: Infarct) -> Aspects | None:
    """Score a scan.

    Parameters
    ----------
    sides : Sides
        The upright brain.
    outline : Outline
        What the network says of it.
    infarct : Infarct
        What was measured by it.

    Returns
    -------
    Aspects or None
        None where a region lies beyond the scan.
    """
    below, above = card().aspects_spread
    side = LEFT if infarct.side == "left" else RIGHT
    evidence = region_evidence(sides, outline, infarct, side)
    if evidence is None:
        return None
    if not infarct.seen:
        return Aspects(Estimate(MOST, max(MOST - below, 0), MOST), ())
    first, of_mask, of_mean, of_hu = card().region
    regions = []
    for name, (mask, mean, darker, share), place in zip(REGIONS, *evidence, strict=True):
        logit = first + of_mask * mask + of_mean * mean + of_hu * darker
        probability = float(1 / (1 + np.exp(-logit)))
        regions.append(Region(name, probability > 0.5, probability, darker, share, mask, place))
    score = MOST - sum(region.affected for region in regions)
    ends = max(score - below, 0), min(score + above, MOST)
    return Aspects(Estimate(score, *ends), tuple(regions))


def region_evidence(
    sides: Sides, outline: Outline, infarct: Infarct, side: int
) -> tuple[list[tuple[float, float, float, float]], list[Place]] | None:
    """Return what speaks for each region, and its middle; None where one is not seen.

    That is: its share in the mask, its mean probability, how much darker it is than its mirror
    image (HU), and over which share of it.
    """
    label = aspects_regions(sides.points, territory_margins(sides.points)["MCA"] > -1)
    tissue, other = sides.tissue[side], sides.tissue[1 - side]
    both = tissue * other
    darker = _darker(sides, side)
    found, places = [], []
    for number in range(1, len(REGIONS) + 1):
        inside = label == number
        held, pair = float(tissue[inside].sum()), float(both[inside].sum())
        if min(held, pair) < _LEAST_CELLS:
            return None
        weight = np.zeros_like(sides.tissue)
        weight[side] = np.where(inside, tissue, 0)
        hu = float((darker * both)[inside].sum() / pair)
        share = float(((darker > DARKER_HU) * both)[inside].sum() / pair)
        mask = float((infarct.mask[side] * tissue)[inside].sum() / held)
        mean = float((outline.probability[side] * tissue)[inside].sum() / held)
        found.append((mask, mean, hu, share))
        places.append(sides.place_of(weight, side))
    return found, places


def _darker(sides: Sides, side: int) -> FloatArray:
    """Return how much darker each cell's tissue is than its mirror image's, smoothed, HU."""
    from scipy import ndimage

    both = sides.tissue[side] * sides.tissue[1 - side]
    apart = (sides.hu[1 - side] - sides.hu[side]) * both
    weight = ndimage.gaussian_filter(both, _SMOOTH)
    smooth = ndimage.gaussian_filter(apart, _SMOOTH)
    return np.where(weight > 0.05, smooth / np.maximum(weight, 0.05), 0).astype(np.float32)
