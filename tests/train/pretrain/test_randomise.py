from __future__ import annotations

import numpy as np
import torch

from hemocast.train.pretrain.findings import FindingsTable
from hemocast.train.pretrain.learn import Cache
from hemocast.train.pretrain.randomise import Strength, randomise

STILL = Strength(0, 0, 0, 0, 0, 0, 0)


def _batch(cohort, net, folder):
    cache = Cache.of([FindingsTable.of_cohort(cohort)], net, folder)
    return cache.batch(np.arange(6))


def test_the_same_draw_gives_the_same_change(cohort, net, tmp_path):
    batch = _batch(cohort, net, tmp_path)
    one, two = (randomise(*batch, torch.Generator().manual_seed(4)) for _ in range(2))
    other = randomise(*batch, torch.Generator().manual_seed(5))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], other[0])


def test_scans_differ_and_stay_scans(cohort, net, tmp_path):
    channels, lesion = _batch(cohort, net, tmp_path)
    made, moved, _ = randomise(channels, lesion, torch.Generator().manual_seed(4))
    assert made.shape == channels.shape
    assert torch.isfinite(made).all()
    assert ((made[:, 2] >= 0) & (made[:, 2] <= 1 + 1e-5)).all()
    assert ((moved >= 0) & (moved <= 1 + 1e-5)).all()
    assert (made[:, 0] - channels[:, 0]).abs().mean() > 0.01


def test_a_wetter_infarct_is_darker_and_its_finding_says_so(cohort, net, tmp_path):
    channels, lesion = _batch(cohort, net, tmp_path)
    wetter = Strength(0.5, 0, 0, 0, 0, 0, 0)
    made, moved, told = randomise(channels, lesion, torch.Generator().manual_seed(1), wetter)
    plain, same, nothing = randomise(channels, lesion, torch.Generator().manual_seed(1), STILL)
    assert torch.equal(moved, same)
    assert not nothing.any()
    inside = (moved > 0.9) & (plain[:, 2] > 0.9)
    for k in range(len(told)):
        change = float((made - plain)[k, 1][inside[k]].mean())
        assert np.sign(change) == -np.sign(float(told[k]))
