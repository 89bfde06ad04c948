from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate.anatomy.atlas import DISTANCE_ZERO, SHAPE, load_atlas, upsample
from hemocast.simulate.anatomy.tissue import Tissue


def test_maps_share_one_grid_and_cannot_be_changed():
    atlas = load_atlas()
    for array in (atlas.level, atlas.white, atlas.distance, atlas.tissue):
        assert array.shape == SHAPE
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 1


def test_brain_lies_inside_its_hull_and_the_hull_inside_the_skin():
    atlas = load_atlas()
    brain = atlas.level > 100
    assert 1.3e6 < brain.sum() < 2.2e6  # voxels of 1 mm: the template is larger than most heads
    assert (atlas.distance[brain] <= DISTANCE_ZERO + 12).all()
    assert not (atlas.tissue[brain] == Tissue.AIR).any()


def test_the_base_is_closed_by_bone_but_for_the_canal():
    atlas = load_atlas()
    below = atlas.tissue[: (112 - 70)]
    assert (below == Tissue.CORD).any()
    assert (below == Tissue.CANAL).any()
    assert (below == Tissue.BONE).any()


def test_upsampling_keeps_straight_lines():
    z, y, x = np.meshgrid(*(np.arange(-(-n // 2)) for n in SHAPE), indexing="ij")
    coarse = (2 * x + 6 * y - 4 * z).astype(np.float32)
    fine = upsample(coarse)
    assert fine.shape == SHAPE
    assert fine[10, 21, 33] == pytest.approx(33 + 3 * 21 - 2 * 10)
