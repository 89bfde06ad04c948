from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.findings import UPTAKE_SPREAD, VOLUME_SPREAD, FindingsTable
from hemocast.train.pretrain.learn import Cache
from hemocast.train.pretrain.lessons import lesson_of
from hemocast.train.pretrain.randomise import NONE, Strength, randomise


@pytest.fixture(scope="module")
def batch(cohort, net, tmp_path_factory):
    """Return six scans as they are."""
    cache = Cache.of(
        [FindingsTable.of_cohort(cohort)], lesson_of(net, 8), tmp_path_factory.mktemp("cache")
    )
    return cache.batch(np.arange(6))


def _drawn(batch, strength=None, seed=4):
    return randomise(batch, torch.Generator().manual_seed(seed), strength or Strength())


def test_the_same_draw_gives_the_same_change(batch):
    one, two, other = _drawn(batch), _drawn(batch), _drawn(batch, seed=5)
    assert all(torch.equal(getattr(one, name), getattr(two, name)) for name in vars(one))
    assert not torch.equal(one.channels, other.channels)


def test_scans_differ_and_stay_scans(batch):
    made = _drawn(batch)
    assert made.channels.shape == batch.channels.shape
    assert torch.isfinite(made.channels).all()
    for part in (made.channels[:, 2], made.lesion):
        assert ((part >= 0) & (part <= 1 + 1e-5)).all()
    assert (made.channels[:, 0] - batch.channels[:, 0]).abs().mean() > 0.01


def test_without_strength_nothing_changes(batch):
    made = _drawn(batch, NONE)
    torch.testing.assert_close(made.lesion, batch.lesion, atol=1e-4, rtol=0)
    torch.testing.assert_close(made.channels[:, ::2], batch.channels[:, ::2], atol=1e-3, rtol=0)
    assert torch.equal(made.target, batch.target)
    assert torch.equal(made.left, batch.left)


def test_a_larger_head_has_a_larger_infarct(batch):
    whole = torch.zeros_like(batch.lesion)
    quarter = whole.shape[-1] // 4
    whole[..., quarter:-quarter, quarter:-quarter] = 1
    held = replace(batch, lesion=whole)
    made = _drawn(held, replace(NONE, zoom=0.1))
    volume = FINDINGS.index("volume")
    told = (made.target - batch.target)[:, volume] * VOLUME_SPREAD
    grown = torch.log(made.lesion.flatten(1).sum(1) / whole.flatten(1).sum(1))
    torch.testing.assert_close(grown, told, atol=0.02, rtol=0)
    assert told.std() > 0.05
    rest = [k for k in range(len(FINDINGS)) if k != volume]
    assert torch.equal(made.target[:, rest], batch.target[:, rest])


def test_a_turned_head_has_the_same_infarct_elsewhere(batch):
    bar = torch.zeros_like(batch.lesion)
    middle = bar.shape[-2] // 2
    bar[..., middle - 1 : middle + 1, 3:-3] = 1
    made = _drawn(replace(batch, lesion=bar), replace(NONE, turn_deg=10.0)).lesion
    torch.testing.assert_close(made.flatten(1).sum(1), bar.flatten(1).sum(1), rtol=0.05, atol=0)
    assert (made - bar).abs().mean() > 0.01
    assert torch.equal(made[:, :, 0], made[:, :, -1])


def test_a_darkened_infarct_has_taken_up_more_water_and_nothing_else_has(batch):
    made = _drawn(batch, replace(NONE, dark=1.0, dark_hu=14.0))
    uptake = FINDINGS.index("water_uptake")
    told = (made.target - batch.target)[:, uptake] * UPTAKE_SPREAD
    torch.testing.assert_close(told, torch.log(made.uptake / batch.uptake))
    assert (told > 0).all()
    inside = (batch.lesion > 0.99).expand_as(batch.channels[:, :1])
    outside = batch.lesion == 0
    picture, before = made.channels[:, :1], batch.channels[:, :1]
    assert (picture <= before + 1e-4)[inside].all()
    assert (picture - before)[inside].mean() < -0.02
    assert (made.channels[:, 2:3] <= batch.channels[:, 2:3] + 1e-4).all()
    torch.testing.assert_close(picture[outside], before[outside], atol=1e-4, rtol=0)
    assert torch.equal(made.lesion, batch.lesion)
