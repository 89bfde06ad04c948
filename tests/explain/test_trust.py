"""A good map is told from a bad one, and learned weights from drawn ones."""

from __future__ import annotations

import numpy as np
import torch

from hemocast.config import NetConfig
from hemocast.explain.trust import deletion_and_insertion, randomised
from hemocast.nets import build


def test_a_true_map_gains_more_than_noise_and_its_opposite_loses(stack, logits, in_cube) -> None:
    true = in_cube.astype(np.float32)
    noise = np.random.default_rng(5).normal(size=true.shape).astype(np.float32)
    gains = [deletion_and_insertion(logits, stack, one).gain for one in (true, noise, -true)]
    assert gains[0] > gains[1] > gains[2]
    assert gains[0] > 0 > gains[2]


def test_curves_begin_and_end_at_the_whole_and_the_even_head(stack, logits, in_cube) -> None:
    curves = deletion_and_insertion(logits, stack, in_cube.astype(np.float32))
    assert curves.deletion[0] == curves.insertion[-1]
    assert curves.deletion[-1] == curves.insertion[0]
    assert curves.deletion[0] > curves.deletion[-1]
    np.testing.assert_allclose(curves.share, np.linspace(0, 1, 11), rtol=1e-6)


def test_all_weights_but_the_last_layer_s_are_drawn_anew_from_the_seed() -> None:
    net = build(NetConfig(stem=8, widths=(8,), blocks=1), 8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, again, other = (randomised(net, seed) for seed in (1, 1, 2))
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
        assert torch.equal(first.state_dict()[name], again.state_dict()[name])
        if value.ndim > 2:  # convolutions
            assert not torch.equal(first.state_dict()[name], before[name])
            assert not torch.equal(other.state_dict()[name], first.state_dict()[name])
    assert torch.equal(first.head.weight, net.head.weight)
