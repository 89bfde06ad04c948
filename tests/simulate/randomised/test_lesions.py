from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy.tissue import Kind
from hemocast.simulate.randomised import lesions
from hemocast.simulate.randomised.heads import DEPTH_ZERO
from hemocast.simulate.randomised.labels import CLASS_OF, INSIDE, Code


def test_a_clot_is_one_piece_of_the_volume_asked_for(copied):
    for seed, volume in enumerate((1.0, 8.0, 30.0)):
        head = copied()
        lesions.clot(np.random.default_rng(seed), head, volume, Code.BLOOD)
        blood = head.code == Code.BLOOD
        assert blood.sum() * lesions.VOXEL_ML == pytest.approx(volume, rel=0.02)
        labels, _ = ndimage.label(blood)
        assert np.bincount(labels.ravel())[1:].max() > 0.7 * blood.sum()


def test_blood_lies_where_its_name_says(copied, labelled):
    was = CLASS_OF[labelled.code]
    head = copied()
    lesions.ventricular(np.random.default_rng(1), head, 4.0, Code.BLOOD)
    assert (was[head.code == Code.BLOOD] == Kind.VENTRICLE).all()
    head = copied()
    lesions.subarachnoid(np.random.default_rng(1), head, Code.BLOOD)
    assert (was[head.code == Code.BLOOD] == Kind.FLUID).all()
    head = copied()
    lesions.subdural(np.random.default_rng(1), head, 6.0, Code.BLOOD)
    under_mm = (DEPTH_ZERO - head.depth[head.code == Code.BLOOD].astype(float)) / 2
    assert 4 < np.quantile(under_mm, 0.95) < 9
    head = copied()
    lesions.petechiae(np.random.default_rng(1), head, Code.BLOOD)
    assert set(np.unique(was[head.code == Code.BLOOD])) <= {Kind.BRAIN, Kind.ACUTE}
    head = copied()
    lesions.along_falx(np.random.default_rng(1), head, Code.BLOOD)
    assert (head.code == Code.BLOOD).any()


def test_nothing_put_in_changes_where_the_dura_is(copied, labelled):
    for seed in range(8):
        head, rng = copied(), np.random.default_rng(seed)
        lesions.vessels(rng, head)
        lesions.calcify(rng, head)
        lesions.bleed(rng, head)
        assert np.array_equal(INSIDE[head.code], INSIDE[labelled.code])
    kinds = set(np.unique(CLASS_OF[head.code]))
    assert {Kind.VESSEL, Kind.DURA} <= kinds


def test_metal_is_small(copied):
    head = copied()
    lesions.implant(np.random.default_rng(0), head)
    metal = CLASS_OF[head.code] == Kind.METAL
    assert 0 < metal.sum() * lesions.VOXEL_ML < 15
