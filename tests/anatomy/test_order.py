from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy.grid import coarsen
from hemocast.anatomy.order import check_order
from hemocast.errors import BadGeometry
from hemocast.simulate import Protocol, render_head


@pytest.fixture(scope="module")
def head():
    return render_head(3, protocol=Protocol(slice_mm=5.0, matrix=128))


def _said(head, hu=None):
    volume = head if hu is None else replace(head, hu=hu)
    return check_order(coarsen(volume.hu, volume.affine, volume.spacing))


def test_slices_of_a_head_follow_one_another(head):
    assert _said(head) is None


def test_so_do_those_of_the_real_head(ge_volume):
    assert _said(ge_volume) is None


@pytest.mark.parametrize("filled", [-1000.0, 0.0])
def test_a_blank_slice_is_refused(head, filled):
    hu = head.hu.copy()
    hu[15] = filled
    with pytest.raises(BadGeometry, match="Slice 16 is unlike") as refusal:
        _said(head, hu)
    assert refusal.value.code == "HC206"


def test_swapped_slices_are_refused(head):
    hu = head.hu.copy()
    hu[[8, 12]] = hu[[12, 8]]
    with pytest.raises(BadGeometry, match="in the wrong place"):
        _said(head, hu)


def test_a_slice_of_a_patient_who_moved_is_doubted(head):
    hu = head.hu.copy()
    hu[15] = np.roll(hu[15], round(5 / head.spacing[2]), axis=1)
    assert "slice 16 does not fit between its neighbours" in _said(head, hu)


def test_two_slices_are_in_order(head):
    pair = replace(head, hu=head.hu[14:16], slices=head.slices[14:16])
    assert _said(pair) is None
