from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy import align, find_brain
from hemocast.anatomy.skull import Metal
from hemocast.signs.subdural import SHALLOW_HU, Rim, look_at_rim
from hemocast.simulate import Protocol, render_head


def _layer(volume, brain, pose, sides, mm):
    """Lay blood of 65 HU under the vault, over the middle of the head's length and height."""
    bone = volume.hu > 400
    inside = ndimage.binary_dilation(brain.mask, np.ones((1, 9, 9)))
    away = np.stack(
        [ndimage.distance_transform_edt(~level, sampling=volume.spacing[1:]) for level in bone]
    )
    zyx = np.argwhere(inside & ~bone & (away < mm))
    to_upright = np.linalg.inv(pose.matrix) @ volume.affine
    x, y, z = (zyx[:, ::-1] @ to_upright[:3, :3].T + to_upright[:3, 3]).T
    kept = (np.abs(y) < 30) & (z > 5) & (z < 35) & np.isin(np.sign(x), sides)
    hu = volume.hu.copy()
    hu[tuple(zyx[kept].T)] += 35.0
    return replace(volume, hu=hu)


def test_the_real_head_and_a_simulated_one_raise_no_doubt(ge_volume, ge_brain, ge_pose):
    found = look_at_rim(ge_volume, ge_brain, ge_pose)
    assert found is not None
    assert found.doubt is None
    volume = render_head(3)
    brain = find_brain(volume)
    assert look_at_rim(volume, brain, align(volume, brain)).doubt is None


def test_slices_that_hold_more_of_the_vaults_slope_must_show_more():
    volume = render_head(9, protocol=Protocol(slice_mm=8.0))
    brain = find_brain(volume)
    found = look_at_rim(volume, brain, align(volume, brain))
    assert found.excess_hu > SHALLOW_HU
    assert found.doubt is None


@pytest.fixture(scope="module")
def one(ge_volume, ge_brain, ge_pose) -> Rim:
    """Return what is seen of a layer on one side."""
    return look_at_rim(_layer(ge_volume, ge_brain, ge_pose, [1], 5.0), ge_brain, ge_pose)


def test_a_layer_on_one_side_is_doubted_where_it_lies(ge_volume, ge_pose, one):
    said = "may hold a thin layer of blood under the skull, at slice "
    assert one.doubt == f"{said}{one.slice_number}"
    middle = (np.linalg.inv(ge_volume.affine) @ ge_pose.matrix @ [65, 0, 20, 1])[2] + 1
    assert one.slice_number == pytest.approx(middle, abs=5)


def test_a_layer_so_wide_that_the_head_takes_it_for_usual_is_doubted(ge_volume, ge_brain, ge_pose):
    # Within 5 mm of bone over half the vault of one side: real bone's blur hides the first 2 mm.
    to_upright = np.linalg.inv(ge_pose.matrix) @ ge_volume.affine
    zyx = np.argwhere(ge_brain.mask)
    x, y, z = (zyx[:, ::-1] @ to_upright[:3, :3].T + to_upright[:3, 3]).T
    away = ndimage.distance_transform_edt(ge_brain.mask, sampling=ge_volume.spacing)[ge_brain.mask]
    kept = (x > 0) & (np.abs(y) < 50) & (z > -15) & (z < 60) & (away < 4)
    hu = ge_volume.hu.copy()
    hu[tuple(zyx[kept].T)] = 65.0
    assert look_at_rim(replace(ge_volume, hu=hu), ge_brain, ge_pose).doubt is not None


def test_what_is_as_dense_on_both_sides_stands_out_less(ge_volume, ge_brain, ge_pose, one):
    layers = _layer(ge_volume, ge_brain, ge_pose, [1, -1], 5.0)
    both = look_at_rim(layers, ge_brain, ge_pose)
    assert both.excess_hu < one.excess_hu - 5


def test_nothing_is_said_beside_metal(ge_volume, ge_brain, ge_pose):
    metal = Metal(1.0, (10, 12), np.array([9, 10, 11]))
    assert look_at_rim(ge_volume, replace(ge_brain, metal=metal), ge_pose) is None


def test_nothing_is_said_where_no_bone_is_seen(ge_volume, ge_brain, ge_pose):
    soft = replace(ge_volume, hu=np.minimum(ge_volume.hu, 200))
    assert look_at_rim(soft, ge_brain, ge_pose) is None


def test_a_little_is_no_doubt():
    assert Rim(6.9, 0.99, 3).doubt is None
