from __future__ import annotations

import numpy as np

from hemocast.anatomy.tissue import Kind
from hemocast.simulate.randomised.labels import ACUTE, BRAIN, CLASS_OF, INSIDE, Code, draw_hu


def test_every_kind_has_a_code():
    assert set(CLASS_OF.tolist()) == set(Kind)


def test_what_is_intracranial_lies_inside_the_dura():
    assert INSIDE[[Code.BLOOD, Code.SINUS, Code.CALCIUM, BRAIN, BRAIN + ACUTE]].all()
    assert not INSIDE[[Code.BONE, Code.CORD, Code.GLOBE, Code.FLAP, Code.PLATE, Code.AIR]].any()


def test_ct_numbers_scatter_about_the_usual_and_keep_their_order():
    drawn = np.stack([draw_hu(np.random.default_rng(seed)) for seed in range(200)])
    grey, white, fluid = drawn[:, BRAIN + 28], drawn[:, BRAIN + 31], drawn[:, BRAIN]
    assert 35 < np.median(grey) < 40
    assert grey.std() > 1.5
    assert (grey > white).all()
    assert (fluid < grey).mean() > 0.99
    infarct = drawn[:, BRAIN + ACUTE + 28]
    assert (infarct < grey).all()
    assert drawn[:, Code.METAL].min() > 1500
