from __future__ import annotations

from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hemocast.anatomy.tissue import Kind, map_tissue


def test_a_real_head_has_bone_brain_and_ventricles(ge_volume):
    found = map_tissue(ge_volume)
    ml = 0.027 * np.bincount(found.kinds.argmax(0).ravel(), minlength=len(Kind))
    assert 1300 < 0.027 * (found.inside > 0.5).sum() < 1700
    assert 400 < ml[Kind.BONE] < 1100
    assert ml[Kind.BRAIN] + ml[Kind.FLUID] + ml[Kind.VENTRICLE] + ml[Kind.ACUTE] > 1200
    assert ml[Kind.METAL] < 0.1
    assert np.allclose(found.kinds.sum(axis=0), 1, atol=1e-4)


def test_the_map_does_not_depend_on_the_number_of_threads(head):
    volume = head(3)
    maps = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            found = map_tissue(volume)
            on_voxels = found.at_voxels(found.inside, volume.hu.shape)
            maps.add((found.kinds.tobytes(), on_voxels.tobytes()))
    assert len(maps) == 1


def test_it_finds_the_brain_whichever_way_the_head_lies(ge_volume):
    upright = (map_tissue(ge_volume).inside > 0.5).sum()
    for turned in (ge_volume.hu[::-1], ge_volume.hu[:, ::-1, ::-1]):
        hu = np.ascontiguousarray(turned)
        assert (map_tissue(replace(ge_volume, hu=hu)).inside > 0.5).sum() == pytest.approx(
            upright, rel=0.06
        )


def test_a_map_interpolates_to_the_voxels_of_the_scan(head):
    volume = head(3)
    found = map_tissue(volume)
    fine = found.at_voxels(found.inside, volume.hu.shape)
    assert fine.shape == volume.hu.shape
    ml = float(np.prod(volume.spacing)) / 1000
    assert (fine > 0.5).sum() * ml == pytest.approx((found.inside > 0.5).sum() * 0.027, rel=0.02)
    part = found.at_voxels(found.inside, (4, 5, 6), (10.0, 100.0, 120.0))
    assert np.allclose(part, fine[10:14, 100:105, 120:126], atol=1e-5)


def test_where_no_bone_is_nothing_is_inside(head):
    volume = head(3)
    soft = map_tissue(replace(volume, hu=np.minimum(volume.hu, 100.0)))
    assert (soft.inside > 0.5).sum() * 0.027 < 2000


def test_the_weights_are_small_and_have_a_card():
    folder = resources.files("hemocast") / "assets" / "tissue_model"
    assert len((folder / "tissue.onnx").read_bytes()) <= 3_000_000
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "simulated" in card.lower()
