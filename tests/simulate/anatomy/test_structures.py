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
        assert ((part == Tissue.CLOT).sum() > 150) == (name == side)
        assert (part == Tissue.CLOT).any() == (name == side)
        assert (part == Tissue.ARTERY).sum() > 150
    length = np.linalg.norm(np.diff(np.array(M1_COURSE), axis=0), axis=1).sum()
    assert 25 < length < 45  # mm; textbooks give an M1 of about 30


def test_vessels_lie_where_they_belong():
    tissue = load_atlas().tissue.copy()
    lay_arteries(tissue, None)
    middle = tissue[:, :, 96:101]
    assert (middle == Tissue.ARTERY).sum() > 150  # basilar and anterior cerebral arteries
    assert (middle == Tissue.DEEP_VEIN).sum() > 100
    veins = _drawn(2, 60) == Tissue.VEIN
    assert veins.sum() > 500
    depth = (60 - load_atlas().distance[veins].astype(int)) / 4
    assert np.percentile(depth, 90) < 6  # mm under the hull of the brain


def test_falx_tentorium_and_pallidum_calcify_in_the_old():
    def counted(age: float) -> np.ndarray:
        before = load_atlas().tissue
        sheets = np.isin(before, (Tissue.FALX, Tissue.TENTORIUM))
        drawn = [_drawn(seed, age) for seed in range(12)]
        return np.array(
            [
                [(after[sheets] == Tissue.CALCIUM).sum() for after in drawn],
                [(after == Tissue.FAINT_CALCIUM).sum() for after in drawn],
            ]
        )

    young, old = counted(25), counted(85)
    assert not young[0].any()
    assert (old[0] > 0).sum() >= 4
    assert 1 <= (old[1] > 0).sum() <= 8
