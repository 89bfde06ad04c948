from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate.anatomy.atlas import load_atlas
from hemocast.simulate.anatomy.structures import M1_COURSE, draw_structures, lay_arteries
from hemocast.simulate.anatomy.tissue import Tissue


def _drawn(seed: int, age: float) -> np.ndarray:
    return draw_structures(np.random.default_rng(seed), load_atlas().tissue.copy(), age)


def test_no_placeholder_of_an_air_cell_is_left_and_half_of_the_mastoid_is_air():
    before, after = load_atlas().tissue, _drawn(1, 60)
    assert not (after == Tissue.FRONTAL_SINUS).any()
    cells = before == Tissue.MASTOID
    assert 0.05 < (after[cells] == Tissue.CAVITY).mean() < 0.55
    frontal = before == Tissue.FRONTAL_SINUS
    assert set(np.unique(after[frontal])) <= {Tissue.BONE, Tissue.CAVITY}


def test_calcium_and_lacunes_come_with_age():
    count = {
        age: sum(int(np.isin(_drawn(s, age), (Tissue.CALCIUM, Tissue.LACUNE)).sum())
                 for s in range(6)) for age in (25, 90)
    }  # fmt: skip
    assert count[90] > 2 * count[25]
    assert not any((_drawn(s, 25) == Tissue.LACUNE).any() for s in range(6))


def test_heads_differ_and_the_same_seed_gives_the_same():
    assert np.array_equal(_drawn(3, 70), _drawn(3, 70))
    assert not np.array_equal(_drawn(3, 70), _drawn(4, 70))


@pytest.mark.parametrize("side", [None, "left", "right"])
def test_the_clot_lies_in_the_artery_of_its_side(side):
    tissue = load_atlas().tissue.copy()
    lay_arteries(tissue, side)
    left, right = tissue[..., :98], tissue[..., 99:]  # the midline's voxel is 98
    for name, part in (("left", left), ("right", right)):
        kind, other = (Tissue.CLOT, Tissue.ARTERY)[:: 1 if name == side else -1]
        assert (part == kind).sum() > 150
        assert not (part == other).any()
    length = np.linalg.norm(np.diff(np.array(M1_COURSE), axis=0), axis=1).sum()
    assert 25 < length < 45  # mm; textbooks give an M1 of about 30
