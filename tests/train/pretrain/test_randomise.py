from __future__ import annotations

import numpy as np
import pytest
import torch

from hemocast.train.pretrain.findings import FindingsTable
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
