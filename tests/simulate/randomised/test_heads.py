from __future__ import annotations

import numpy as np

from hemocast.anatomy.tissue import Kind
from hemocast.simulate.randomised.heads import (
    DEPTH_ZERO,
    STEP_MM,
    draw_person,
    keep_heads,
    read_head,
)  # fmt: skip
from hemocast.simulate.randomised.labels import CLASS_OF, INSIDE


def test_a_labelled_head_has_the_volumes_of_a_head(labelled):
    ml = np.bincount(CLASS_OF[labelled.code].ravel(), minlength=len(Kind)) * STEP_MM**3 / 1000
    assert 1200 < INSIDE[labelled.code].sum() * STEP_MM**3 / 1000 < 2100
    assert 300 < ml[Kind.BONE] < 1200
    assert 50 < ml[Kind.ACUTE] < 75
    assert 5 < ml[Kind.VENTRICLE] < 200
    assert ml[Kind.BLOOD] == 0


def test_the_dura_lies_between_brain_and_bone(labelled):
    inside = INSIDE[labelled.code]
    assert (labelled.depth[inside] <= DEPTH_ZERO).mean() > 0.99  # sinuses lie in the dura
    vault = (labelled.code >= 16) & (labelled.code < 24)
    assert (labelled.depth[vault] >= DEPTH_ZERO).all()


def test_heads_are_kept_and_the_same_again(tmp_path):
    keep_heads(tmp_path / "a", 1, 5)
    keep_heads(tmp_path / "b", 1, 5)
    (one,), (other,) = ((tmp_path / name).iterdir() for name in "ab")
    assert np.array_equal(read_head(one).code, read_head(other).code)
    before = one.stat().st_mtime_ns
    keep_heads(tmp_path / "a", 1, 5)
    assert one.stat().st_mtime_ns == before


def test_people_are_young_and_old_well_and_ill():
    drawn = [draw_person(np.random.default_rng(seed)) for seed in range(60)]
    ages = [person.age for person, _ in drawn]
    assert min(ages) < 35
    assert max(ages) > 85
    assert 10 < sum(stroke is None for _, stroke in drawn) < 40
