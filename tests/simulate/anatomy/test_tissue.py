from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate.anatomy.tissue import (
    BLOOD_HU,
    CSF_HU,
    GREY_HU,
    WHITE_HU,
    Tissue,
    draw_tissue_hu,
    healthy_hu,
)


def test_ct_numbers_are_ordered_as_on_the_hounsfield_scale():
    assert CSF_HU < WHITE_HU < GREY_HU < BLOOD_HU
    assert Tissue.AIR.hu < Tissue.FAT.hu < Tissue.GLOBE.hu < Tissue.MUSCLE.hu < Tissue.BONE.hu
    assert Tissue.CLOT.hu - Tissue.ARTERY.hu == 15  # Koo 2000


def test_a_tissue_is_its_code_in_a_map():
    assert np.array([0, 10, 22], np.uint8).tolist() == [Tissue.AIR, Tissue.BONE, Tissue.CLOT]
    assert Tissue(14) is Tissue.LENS


def test_healthy_tissue_goes_from_grey_to_white_and_leukoaraiosis_takes_white_only():
    white = np.array([0, 0.5, 1], np.float32)
    plain = healthy_hu(white, np.zeros(3, np.float32))
    assert plain == pytest.approx([GREY_HU, (GREY_HU + WHITE_HU) / 2, WHITE_HU])
    pale = healthy_hu(white, np.full(3, 8, np.float32))
    assert plain - pale == pytest.approx([0, 4, 8])


def test_blood_in_vessels_goes_with_the_hematocrit_and_sheets_with_age():
    drawn = np.array([draw_tissue_hu(np.random.default_rng(k), 60) for k in range(200)])
    arteries = drawn[:, Tissue.ARTERY]
    assert arteries.mean() == pytest.approx(Tissue.ARTERY.hu, abs=1)
    assert 3 < arteries.std() < 5
    np.testing.assert_allclose(drawn[:, Tissue.CLOT] - arteries, 15, atol=1e-3)  # Koo 2000
    np.testing.assert_allclose(drawn[:, Tissue.BONE], Tissue.BONE.hu)
    old = np.array([draw_tissue_hu(np.random.default_rng(k), 85) for k in range(200)])
    assert old[:, Tissue.FALX].mean() > drawn[:, Tissue.FALX].mean() + 1.5
