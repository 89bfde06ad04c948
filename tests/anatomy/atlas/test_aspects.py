from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.atlas import REGIONS, aspects_regions
from hemocast.anatomy.atlas.solids import Points


@pytest.fixture(scope="module")
def label() -> np.ndarray:
    """Regions on a grid of 2 mm of the right side, all of it taken for the MCA's."""
    z, y, x = np.meshgrid(
        np.arange(-40, 70, 2, dtype=np.float32), np.arange(-100, 70, 2, dtype=np.float32),
        np.arange(0, 80, 2, dtype=np.float32), indexing="ij", sparse=True,
    )  # fmt: skip
    return aspects_regions(Points(z, y, x), np.ones((55, 85, 40), bool))


def _centre(label: np.ndarray, name: str) -> np.ndarray:
    z, y, x = np.argwhere(label == REGIONS.index(name) + 1).mean(axis=0) * 2
    return np.array([x, y - 100, z - 40])


def test_all_ten_regions_are_there_and_nothing_else(label):
    assert set(np.unique(label)) == set(range(11))
    assert len(REGIONS) == len(set(REGIONS)) == 10


def test_ganglionic_regions_lie_below_supraganglionic_ones(label):
    for low, high in (("M1", "M4"), ("M2", "M5"), ("M3", "M6")):
        assert _centre(label, low)[2] < 20 < _centre(label, high)[2]


def test_cortical_regions_follow_each_other_from_front_to_back(label):
    for front, middle, back in (("M1", "M2", "M3"), ("M4", "M5", "M6")):
        places = [_centre(label, name)[1] for name in (front, middle, back)]
        assert places == sorted(places, reverse=True)


def test_deep_regions_lie_from_the_ventricle_outwards(label):
    depth = [_centre(label, name)[0] for name in ("C", "IC", "L", "I")]
    assert depth == sorted(depth)


def test_cortical_regions_need_the_territory_of_the_artery():
    points = Points(*(np.full((1, 1, 1), v, np.float32) for v in (40, -10, 45)))
    assert REGIONS[aspects_regions(points, np.ones((1, 1, 1), bool))[0, 0, 0] - 1] == "M5"
    assert aspects_regions(points, np.zeros((1, 1, 1), bool))[0, 0, 0] == 0
