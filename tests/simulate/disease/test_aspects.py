from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.simulate import Edema, Infarct, Person, Stroke, build_head
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.disease.aspects import LOST_SHARE, REGIONS, aspects, regions
from hemocast.simulate.disease.lesion import PATTERNS, TERRITORIES, Territory, TissueShare, half_box
from hemocast.simulate.disease.swelling import midline_shift_mm

COUNTED: tuple[Territory, ...] = (
    "MCA", "MCA superior", "MCA inferior", "MCA deep", "lacunar",
)  # fmt: skip
LARGEST = {"MCA": 250.0, "MCA superior": 120.0, "MCA inferior": 100.0, "MCA deep": 40.0}


@given(
    st.sampled_from(TERRITORIES),
    st.integers(0, PATTERNS - 1),
    st.floats(0.1, 300),
    st.floats(0.1, 300),
)
def test_more_infarct_never_scores_higher(territory, pattern, one, other):
    low, high = aspects([territory] * 2, [pattern] * 2, sorted((one, other)))
    assert 0 <= high <= low <= 10
    if territory not in COUNTED:
        assert (low, high) == (10, 10)


def test_whole_territory_scores_nothing_and_a_speck_scores_ten():
    patterns = np.arange(PATTERNS)
    whole = aspects(["MCA"] * PATTERNS, patterns, np.full(PATTERNS, 330.0))
    assert whole.max() <= 2
    assert whole.mean() < 0.3
    assert aspects(["MCA"] * PATTERNS, patterns, np.full(PATTERNS, 0.5)).min() == 10
    lacunes = aspects(["lacunar"] * PATTERNS, patterns, np.full(PATTERNS, 1.5))
    assert lacunes.min() >= 9
    halves = aspects(["MCA"] * PATTERNS, patterns, np.full(PATTERNS, 100.0))
    assert 4 < halves.mean() < 7  # a third of the territory or more


def test_forty_thousand_patients_take_no_time():
    rng = np.random.default_rng(0)
    names = np.array(TERRITORIES)[rng.integers(0, len(TERRITORIES), 40_000)]
    patterns, volumes = rng.integers(0, PATTERNS, 40_000), np.exp(rng.normal(3, 1.3, 40_000))
    aspects(names[:1], patterns[:1], volumes[:1])
    start = time.process_time()
    score = aspects(names, patterns, volumes)
    assert time.process_time() - start < 0.5
    assert score.shape == (40_000,)


def test_unknown_territory_is_refused():
    with pytest.raises(ValueError, match="territories are"):
        aspects(["MCA", "basilar"], [0, 0], [10.0, 10.0])


def test_every_region_is_brain_and_the_grids_agree():
    fine, coarse = regions(2), regions(FIELD)
    assert np.array_equal(fine[::2, ::2, ::2], coarse)
    sizes = np.bincount(fine.ravel(), minlength=11)[1:] * 0.008
    assert len(sizes) == len(REGIONS)
    assert (sizes > 1.5).all()
    assert (sizes[4:] > sizes[:4].max()).all()  # every cortical region is larger than a deep one


def _measured(infarct: TissueShare, side: str) -> int:
    """Return the ASPECTS of an infarct in a head of its own."""
    share = infarct.on_atlas() if side == "right" else infarct.on_atlas()[..., ::-1]
    label = regions().ravel()
    held = np.bincount(label, weights=share[half_box(2)].ravel() / 255, minlength=11)
    return 10 - int((held[1:] >= LOST_SHARE * np.bincount(label, minlength=11)[1:]).sum())


def _agreement(count: int) -> float:
    rng = np.random.default_rng(1)
    close = 0
    for i in range(count):
        name = COUNTED[i % len(COUNTED)]
        volume = float(np.exp(rng.uniform(0, np.log(LARGEST.get(name, 1.5)))))
        side = "left" if rng.random() < 0.5 else "right"
        pattern = int(rng.integers(PATTERNS))
        shift = float(midline_shift_mm(volume, rng.uniform(0, 0.3)))
        person = Person(float(rng.uniform(40, 88)), bool(i % 2), (0, 0))
        stroke = Stroke(Infarct(name, side, volume, pattern), Edema(0.2, shift))
        head = build_head(np.random.default_rng(i), person, stroke)
        expected = aspects([name], [pattern], [volume])[0]
        close += abs(int(expected) - _measured(head.infarct, side)) <= 1
    return close / count


def test_the_table_agrees_with_real_heads():
    assert _agreement(5) >= 0.9


@pytest.mark.slow
def test_the_table_agrees_with_many_real_heads():
    assert _agreement(150) >= 0.9
