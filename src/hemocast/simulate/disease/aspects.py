"""ASPECTS of a simulated infarct, and a table of the volumes at which each region is lost.

The regions are those of `hemocast.anatomy.atlas`, as far as they are brain in a head of middle age.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.anatomy.atlas import REGIONS, aspects_regions
from hemocast.simulate.anatomy.atlas import COARSE, LEVEL_ONE, load_atlas
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.disease.lesion import (
    PATTERNS,
    TERRITORIES,
    Territory,
    draw_growth,
    half_axes,
    half_box,
    margins_of,
)
from hemocast.volume import FloatArray

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
    label = aspects_regions(half_axes(step), margins_of(step)["MCA"] > -1)
    label[load_atlas().level[half_box(step)] < THRESHOLD * LEVEL_ONE] = 0
    return label


@lru_cache(maxsize=1)
def _table() -> FloatArray:
    """Return the volumes, mL, at which each region is lost, (territories, patterns, regions)."""
    label = regions(FIELD).ravel()
    cell = np.float32(HEAD_SIZE * FIELD**3 / 1000)
    tissue = np.flatnonzero(load_atlas().level[half_box(FIELD)].ravel() >= THRESHOLD * LEVEL_ONE)
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
    return np.asarray(len(REGIONS) - lost.sum(axis=-1))
