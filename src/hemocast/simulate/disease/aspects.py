"""ASPECTS of a simulated infarct: ten regions, and a table of the volumes at which each is lost.

The Alberta Stroke Program Early CT Score (Barber 2000, 10.1016/S0140-6736(00)02237-6) takes one
point from ten for every region of the middle cerebral artery's territory with early ischemic
change: caudate C, lentiform L, internal capsule IC and insula I, and the cortical M1 to M3 at the
level of the ganglia and M4 to M6 above. The regions here are simple solids in MNI space, ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.simulate.anatomy.atlas import COARSE, LEVEL_ONE, SHAPE, load_atlas
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.disease.lesion import (
    FIRST,
    LAST,
    PATTERNS,
    TERRITORIES,
    Side,
    Stain,
    Territory,
    draw_growth,
    half_axes,
    territory_margins,
)
from hemocast.volume import FloatArray

REGIONS = ("C", "L", "IC", "I", "M1", "M2", "M3", "M4", "M5", "M6")

LOST_SHARE = 1 / 3
"""Share of a region's tissue whose infarction takes its point; ours."""

COUNTED: tuple[Territory, ...] = ("MCA", "MCA superior", "MCA inferior", "MCA deep", "lacunar")
"""Territories that cost points; the others score 10."""

HEAD_SIZE = 0.80
"""Mean volume of simulated heads against the atlas."""

THRESHOLD = 0.6
"""Level of tissue in a head of middle age."""


@lru_cache(maxsize=2)
def regions(step: int = COARSE) -> NDArray[np.uint8]:
    """Return the ten regions of the right side: 1 to 10 in the order of `REGIONS`, 0 elsewhere.

    Parameters
    ----------
    step : int
        Millimetres between points, of `lesion.half_axes`.
    """
    z, y, x = half_axes(step)
    mca = territory_margins(step)["MCA"] > -1

    def ball(at: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = ((x - at[0]) / radii[0]) ** 2 + (
            (y - at[1]) / radii[1]
        ) ** 2 + ((z - at[2]) / radii[2]) ** 2 < 1
        return inside

    caudate = ball((13, 14, 6), (6, 9, 11)) | ball((16, -2, 20), (5, 14, 6))
    # The capsule: from before the lentiform nucleus to its bend, and back beside the thalamus.
    bent = np.where(y > 2, 14 + 0.3 * (y - 2), 14 - 0.5 * (y - 2))
    capsule = (np.abs(x - bent) < 4) & (y < 20) & (y > -18) & (z > -2) & (z < 18)
    ganglionic, above = (z > -10) & (z <= 20), (z > 20) & (z < 50)
    cortex = mca & (x > 30)
    upper = mca & (x > 22)
    solids = (
        caudate,
        ball((25, 2, 1), (8, 17, 10)),
        capsule,
        ball((39, 2, 2), (6, 21, 15)) & (x > 33),
        cortex & ganglionic & (y > 10),
        cortex & ganglionic & (y <= 10) & (y > -22) & (x > 42),
        cortex & ganglionic & (y <= -22) & (y > -62),
        upper & above & (y > 4),
        upper & above & (y <= 4) & (y > -26),
        upper & above & (y <= -26) & (y > -60),
    )
    label = np.zeros(mca.shape, dtype=np.uint8)
    for k, solid in reversed(list(enumerate(solids, start=1))):  # the first wins
        label[np.broadcast_to(solid, label.shape)] = k
    level = load_atlas().level[_box(step)]
    label[level < THRESHOLD * LEVEL_ONE] = 0
    return label


def _box(step: int) -> tuple[slice, ...]:
    return tuple(slice(a, b + 1, step) for a, b in zip(FIRST, LAST, strict=True))


@lru_cache(maxsize=1)
def _table() -> FloatArray:
    """Return the volumes, mL, at which each region is lost, (territories, patterns, regions)."""
    label = regions(FIELD).ravel()
    cell = np.float32(HEAD_SIZE * FIELD**3 / 1000)
    tissue = np.flatnonzero(load_atlas().level[_box(FIELD)].ravel() >= THRESHOLD * LEVEL_ONE)
    places = [np.flatnonzero(label == k) for k in range(1, len(REGIONS) + 1)]
    last = [len(place) - 1 - int(np.ceil(LOST_SHARE * len(place))) for place in places]
    table = np.full((len(TERRITORIES), PATTERNS, len(REGIONS)), np.inf, dtype=np.float32)
    for name in COUNTED:
        for pattern in range(PATTERNS):
            order = draw_growth(name, pattern, "right", FIELD).order.ravel()
            levels = [
                np.partition(order[place], k)[k] for place, k in zip(places, last, strict=True)
            ]
            fallen = np.sort(order[tissue])
            count = len(fallen) - np.searchsorted(fallen, np.array(levels), side="left")
            row = cell * count.astype(np.float32)
            row[np.array(levels) < -1e3] = np.inf
            table[TERRITORIES.index(name), pattern] = row
    return table


def aspects(
    territory: Sequence[str] | NDArray[np.str_], pattern: ArrayLike, volume_ml: ArrayLike
) -> NDArray[np.int64]:
    """Return the ASPECTS that infarcts have in a head of mean size.

    Parameters
    ----------
    territory : sequence of str, shape (n,)
        A `lesion.Territory` each.
    pattern : array_like of int, shape (n,)
        Which growth map, 0 to `PATTERNS` - 1.
    volume_ml : array_like, shape (n,)
        Volume, mL.

    Returns
    -------
    ndarray of int64, shape (n,)
        10 none to 0 all regions lost.

    Raises
    ------
    ValueError
        An unknown territory.
    """
    names = np.asarray(territory, dtype=np.str_)
    order = np.argsort(TERRITORIES)
    place = np.searchsorted(np.asarray(TERRITORIES)[order], names)
    row = order[np.minimum(place, len(order) - 1)]
    if not np.array_equal(np.asarray(TERRITORIES)[row], names):
        raise ValueError(f"territories are {', '.join(TERRITORIES)}")
    needed = _table()[row, np.asarray(pattern)]
    lost = np.asarray(volume_ml, dtype=np.float32)[..., None] >= needed
    score: NDArray[np.int64] = len(REGIONS) - lost.sum(axis=-1)
    return score


def measure_aspects(stain: Stain, side: Side) -> int:
    """Return the ASPECTS of a stain of a real head.

    Parameters
    ----------
    stain : Stain
        The infarct.
    side : {"left", "right"}
        Its side.
    """
    share = np.zeros(SHAPE, dtype=np.uint8)
    share[stain.box] = stain.share
    if side == "left":
        share = share[..., ::-1]
    held = np.bincount(
        regions().ravel(), weights=share[_box(COARSE)].ravel() / 255, minlength=len(REGIONS) + 1
    )
    whole = np.bincount(regions().ravel(), minlength=len(REGIONS) + 1)
    return len(REGIONS) - int((held[1:] >= LOST_SHARE * whole[1:]).sum())
