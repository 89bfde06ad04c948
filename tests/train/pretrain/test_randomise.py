from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.findings import FindingsTable
from hemocast.train.pretrain.learn import Cache
from hemocast.train.pretrain.randomise import NONE, TISSUE, Strength, randomise

UPTAKE, VOLUME = FINDINGS.index("water_uptake"), FINDINGS.index("volume")


@pytest.fixture(scope="module")
def batch(cohort, net, tmp_path_factory):
    """Return six scans as they are."""
    cache = Cache.of([FindingsTable.of_cohort(cohort)], net, tmp_path_factory.mktemp("cache"))
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


def test_a_wetter_infarct_is_darker_and_its_finding_says_so(batch):
    made, plain = (_drawn(batch, replace(NONE, uptake=u)) for u in (0.5, 0.0))
    inside = (batch.lesion[:, 0] > 0.9) & (batch.channels[:, 2] > 0.9)
    for k in range(6):
        change = float((made.channels - plain.channels)[k, 1][inside[k]].mean())
        told = float((made.target - plain.target)[k, UPTAKE])
        assert np.sign(change) == -np.sign(told)
        assert float(made.uptake[k] - batch.uptake[k]) * TISSUE == pytest.approx(-change, abs=0.02)


def test_an_infarct_moves_to_another_head_with_all_that_is_said_of_it(batch):
    made = _drawn(batch, replace(NONE, exchange=1.0))
    other = torch.arange(6).roll(1)
    assert torch.equal(made.target[:, VOLUME], batch.target[other, VOLUME])
    age = FINDINGS.index("age")
    assert torch.equal(made.target[:, age], batch.target[:, age])
    middle = batch.lesion.shape[-1] // 2
    for k in range(6):
        on_left = made.lesion[k, ..., middle:].sum() > made.lesion[k, ..., :middle].sum()
        assert bool(on_left) == bool(made.left[k])
        was = (batch.lesion[k, 0] > 0.9) & (made.lesion[k, 0] < 0.1)
        now = (made.lesion[k, 0] > 0.9) & (batch.lesion[k, 0] < 0.1)
        change = made.channels[k, 1] - batch.channels[k, 1]
        if was.any() and now.any():
            assert float(change[was].mean()) > 0.05 > -0.05 > float(change[now].mean())


def test_a_larger_head_has_a_larger_infarct(batch):
    made = _drawn(batch, replace(NONE, scale=0.2))
    grown = (made.lesion.flatten(1).sum(1) / batch.lesion.flatten(1).sum(1)).log()
    told = (made.target - batch.target)[:, VOLUME] * 1.4
    assert np.corrcoef(grown, told)[0, 1] > 0.9
