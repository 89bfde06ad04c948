from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate.anatomy.tissue import (
    BLOOD_HU,
    CSF_HU,
    GREY_HU,
    WHITE_HU,
    Tissue,
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
