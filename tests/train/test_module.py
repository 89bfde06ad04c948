"""Batches: every scan once, in an order that the seed and the epoch alone decide."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch

from hemocast.config import NetConfig, TrainConfig
from hemocast.nets import build
from hemocast.train.joint import NOTHING, Joint
from hemocast.train.module import Batches, Course, Scans, Training, loader

SMALL = NetConfig(pool=1, smooth=3, stem=8, widths=(8,))


@pytest.fixture
def scans() -> Scans:
    channels = np.random.default_rng(0).random((7, 2, 4, 8, 8)).astype(np.float32)
    label, weight = torch.tensor([0.0, 1, 0, 1, 1]), torch.tensor([1, 1, 0.5, 0.5, 1])
    return Scans(channels, [6, 0, 1, 2, 4], label, weight)


def test_every_scan_comes_once_in_batches_of_nearly_one_size() -> None:
    batches = list(Batches(10, 4, seed=1))
    assert sorted(len(batch) for batch in batches) == [3, 3, 4]
    assert sorted(chain.from_iterable(batches)) == list(range(10))


def test_the_order_follows_seed_and_epoch() -> None:
    one, other = Batches(50, 8, seed=1), Batches(50, 8, seed=1)
    assert list(one) == list(other)
    other.set_epoch(1)
    assert list(one) != list(other)
    assert list(chain.from_iterable(Batches(50, 8, seed=None))) == list(range(50))


def test_a_batch_holds_channels_labels_and_weights_of_mean_one(scans: Scans) -> None:
    channels, label, weight, columns = scans[[3, 0]]
    assert columns.shape == (2, 0)
    assert channels.shape == (2, 2, 4, 8, 8)
    assert channels.dtype == torch.float32
    assert np.array_equal(channels, scans.channels[[2, 6]])
    assert label.tolist() == [1, 0]
    assert scans.weight.mean() == pytest.approx(1)
    assert weight[0] == pytest.approx(float(weight[1]) / 2)
    assert len(list(loader(scans, 2, 0))) == 3


def test_weight_decay_spares_biases_and_norms_and_the_rate_ends_at_zero() -> None:
    training = Training(
        Joint(build(SMALL, 4), NOTHING), TrainConfig(learning_rate=0.1), Course(9, 100), None
    )
    made = training.configure_optimizers()
    decayed, spared = made["optimizer"].param_groups
    assert decayed["weight_decay"] > 0 == spared["weight_decay"]
    assert all(p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim <= 1 for p in spared["params"])
    factor = made["lr_scheduler"]["scheduler"].lr_lambdas[0]
    assert factor(0) == pytest.approx(0.1)
    assert factor(10) == pytest.approx(1)
    assert factor(100) == pytest.approx(0, abs=1e-9)


def test_the_average_does_not_learn_by_itself() -> None:
    training = Training(Joint(build(SMALL, 4), NOTHING), TrainConfig(), Course(1, 10), None)
    assert not any(p.requires_grad for p in training.average.parameters())
    assert not training.average.training
