from __future__ import annotations

import numpy as np

from hemocast.anatomy.tissue import Kind
from hemocast.simulate.randomised.sample import BLOCKS, draw_sample


def test_a_sample_shows_what_its_labels_say(labelled):
    volumes = []
    for seed in range(6):
        drawn = draw_sample(np.random.default_rng(seed), labelled)
        assert drawn.hu.shape == drawn.kind.shape == drawn.inside.shape == BLOCKS
        hu = drawn.hu.astype(np.float32)
        assert np.median(hu[drawn.kind == Kind.BONE]) > 150
        assert 15 < np.median(hu[drawn.kind == Kind.BRAIN]) < 60
        assert np.median(hu[drawn.kind == Kind.BACKGROUND]) < -600
        inside = drawn.inside > 127
        brain = np.isin(drawn.kind, (Kind.BRAIN, Kind.FLUID, Kind.VENTRICLE, Kind.ACUTE))
        assert inside[brain].mean() > 0.97
        volumes.append(inside.sum() * 0.027)
    assert min(volumes) > 300
    assert max(volumes) < 2600
    assert np.std(volumes) > 50


def test_the_same_seed_gives_the_same_sample_and_leaves_the_head_as_it_was(labelled):
    before = labelled.code.copy()
    one, other = (draw_sample(np.random.default_rng(9), labelled) for _ in range(2))
    assert np.array_equal(one.hu, other.hu)
    assert np.array_equal(one.kind, other.kind)
    assert np.array_equal(labelled.code, before)
