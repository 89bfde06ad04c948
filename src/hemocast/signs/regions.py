"""Which regions of the brain the evidence of a map lies in, and what was measured there.

Every cell of an upright brain belongs to one place of its side: an ASPECTS region, or else the rest
of the arterial territory whose anchors are nearest (`hemocast.anatomy.atlas`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.atlas import REGIONS, aspects_regions, territory_margins
from hemocast.anatomy.atlas.solids import Points
from hemocast.signs.infarct import TERRITORIES, Infarct, measured_uptake
from hemocast.signs.sides import NAMES, Side, Sides
from hemocast.volume import FloatArray

MCA = "MCA"
LEAST = 0.1
"""Share of the evidence from which on a place is named in words."""
_MOST_NAMED = 3
LEAST_ML = 0.5
"""Infarct from which on its volume and water uptake are told, mL."""

Key = TypeVar("Key")

_PLACES: tuple[tuple[str, str | None], ...] = (
    *((MCA, name) for name in REGIONS),
    *((name, None) for name in TERRITORIES),
)


@dataclass(frozen=True)
class RegionEvidence:
    """One place and what lies in it.

    Parameters
    ----------
    side : {"left", "right"} or None
        None where left and right are not known: then both sides' are added.
    territory : str
        Of `TERRITORIES`; of an ASPECTS region the middle cerebral artery's.
    region : str or None
        Of `hemocast.anatomy.atlas.REGIONS`; None: the territory outside of these.
    share : float
        Of all evidence for HT, 0 to 1.
    infarct_ml : float
        Of the acute infarct as outlined, mL of tissue.
    """

    side: Side | None
    territory: str
    region: str | None
    share: float
    infarct_ml: float


@dataclass(frozen=True)
class Leading:
    """The places of one side that hold most of the evidence.

    Parameters
    ----------
    side : {"left", "right"} or None
        As of `RegionEvidence`.
    regions : tuple of RegionEvidence
        The most first, each with at least `LEAST` of the evidence.
    water_uptake : float or None
        Net water uptake of the infarct as outlined in these places, 0 to 1; None where less than
        0.5 mL of it lies there, or where it is no darker than its mirror image.
    """

    side: Side | None
    regions: tuple[RegionEvidence, ...]
    water_uptake: float | None

    @property
    def share(self) -> float:
        """Share of all evidence."""
        return sum(one.share for one in self.regions)

    @property
    def infarct_ml(self) -> float:
        """Infarct as outlined, mL."""
        return sum(one.infarct_ml for one in self.regions)


@dataclass(frozen=True)
class EvidencePlaces:
    """Where the evidence for HT of one scan lies.

    Parameters
    ----------
    regions : tuple of RegionEvidence
        All places that hold some of it, or of the infarct; the most evidence first.
    leading : tuple of Leading
        For words: the side with most first.
    """

    regions: tuple[RegionEvidence, ...]
    leading: tuple[Leading, ...]

    @property
    def by_side(self) -> dict[Side | None, float]:
        """Share of the evidence by hemisphere, the most first."""
        return _most_first({side: self._held(side) for side in {one.side for one in self.regions}})

    @property
    def by_territory(self) -> dict[tuple[Side | None, str], float]:
        """Share of the evidence by side and arterial territory, the most first."""
        keys = {(one.side, one.territory) for one in self.regions}
        return _most_first({key: self._held(*key) for key in keys})

    def _held(self, side: Side | None, territory: str | None = None) -> float:
        return sum(
            one.share
            for one in self.regions
            if one.side == side and territory in (None, one.territory)
        )


def evidence_by_region(
    values: FloatArray, sides: Sides, infarct: Infarct, *, sides_known: bool
) -> EvidencePlaces | None:
    """Say where the positive part of a map lies, and how much of the infarct lies there.

    Parameters
    ----------
    values : ndarray of float32, shape (28, H, W)
        The map, on the frames of `sides`, 0 outside the brain.
    sides : Sides
        The upright brain.
    infarct : Infarct
        As measured on `sides`.
    sides_known : bool
        Whether left and right may be named.

    Returns
    -------
    EvidencePlaces or None
        None where nothing speaks for HT.
    """
    weight = sides.of_frames(np.maximum(values, 0))
    total = float(weight.sum(dtype=np.float64))
    if total <= 0:
        return None
    place = _places(sides.points)
    share = _sums(place, weight / total)
    ml = _sums(place, infarct.mask * sides.tissue) * sides.cell_ml
    named: tuple[Side | None, ...] = NAMES if sides_known else (None,)
    if not sides_known:
        share, ml = share.sum(axis=0, keepdims=True), ml.sum(axis=0, keepdims=True)
    found = [
        RegionEvidence(
            side, _PLACES[at][0], _PLACES[at][1], float(share[row, at]), float(ml[row, at])
        )
        for row, side in enumerate(named)
        for at in np.flatnonzero((share[row] > 0) | (ml[row] > 0))
    ]
    found.sort(key=lambda one: -one.share)
    leading = [_leading(side, found, place, sides, infarct) for side in named]
    with_any = sorted((one for one in leading if one.regions), key=lambda one: -one.share)
    return EvidencePlaces(tuple(found), tuple(with_any))


def _leading(
    side: Side | None,
    found: list[RegionEvidence],
    place: NDArray[np.intp],
    sides: Sides,
    infarct: Infarct,
) -> Leading:
    """Choose the places of a side that are named, and measure the infarct in them."""
    regions = [one for one in found if one.side == side and one.share >= LEAST][:_MOST_NAMED]
    inside = np.isin(place, [_PLACES.index((one.territory, one.region)) for one in regions])
    mask = infarct.mask & inside
    if side is not None:
        mask = mask.copy()
        mask[1 - NAMES.index(side)] = False
    uptake = None
    if float((mask * sides.tissue).sum()) * sides.cell_ml >= LEAST_ML:
        uptake = measured_uptake(sides, mask)
    return Leading(side, tuple(regions), uptake if uptake and uptake > 0 else None)


def _places(points: Points) -> NDArray[np.intp]:
    """Return for every cell of one side which of `_PLACES` it is in, (frame, y, x)."""
    margins = territory_margins(points)
    region = aspects_regions(points, margins[MCA] > -1).astype(np.intp)
    territory = np.argmax([margins[name] for name in TERRITORIES], axis=0)
    return np.where(region > 0, region - 1, len(REGIONS) + territory)


def _sums(place: NDArray[np.intp], weight: FloatArray) -> NDArray[np.float64]:
    """Add up a weight (2, frame, y, x) by side and place, (2, places)."""
    return np.array([np.bincount(place.ravel(), one.ravel(), len(_PLACES)) for one in weight])


def _most_first(shares: dict[Key, float]) -> dict[Key, float]:
    return dict(sorted(shares.items(), key=lambda item: (-item[1], str(item[0]))))
