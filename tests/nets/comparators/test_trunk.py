"""What every network to compare with has to be, whatever its convolutions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hemocast.config import COMPARATORS, Config, NetConfig, PrepareConfig
from hemocast.nets import build, classify, facts_of, input_channels, try_network

GENERAL = ("resnet10", "resnet18", "densenet121")
LARGE = GENERAL[1:]
SMALL = tuple(name for name in COMPARATORS if name not in LARGE)
PREPARE = PrepareConfig(frames=6, size=192)


def small(name: str, **changes: object) -> NetConfig:
    options = {} if name.endswith("style") else {"width": 0.125}
    return NetConfig(name=name, options=options, **changes)


def heads(count: int = 3) -> torch.Tensor:
    """Two halves of tissue around a ventricle, one half darker, and noise."""
    draw = torch.Generator().manual_seed(4)
    frames = torch.zeros(count, 6, 192, 192)
    frames[..., 30:160, 40:152] = 0.5
    frames[..., 70:100, 90:102] = 0.05
    frames[:, 2:4, 60:90, 50:80] -= 0.1
    return (frames + 0.05 * torch.randn(frames.shape, generator=draw)).clamp(0, 1) * (frames > 0)


@pytest.mark.parametrize("name", SMALL)
def test_it_is_a_network_of_this_project(name: str) -> None:
    torch.manual_seed(0)
    config = small(name)
    try_network(config, PREPARE)
    net = build(config, 6).eval()
    frames = heads()
    with torch.inference_mode():
        logit, maps = net(frames)
        again, _ = classify(net, input_channels(net, frames))
        alone = torch.cat([net(one[None])[0] for one in frames])
    weighted = torch.einsum("c,nc...->n...", net.head.weight[0], maps)
    torch.testing.assert_close(weighted.flatten(1).mean(1) + net.head.bias, logit)
    torch.testing.assert_close(again, logit)
    torch.testing.assert_close(alone, logit, atol=1e-5, rtol=1e-4)
    facts = facts_of(net, config, (6, 192, 192))
    assert not facts.changed
    assert facts.builder.startswith("hemocast.nets.comparators.")


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_learns_and_an_empty_stack_gives_a_number(name: str) -> None:
    torch.manual_seed(1)
    net = build(small(name, dropout=0.0), 6)
    net(heads(2))[0].pow(2).sum().backward()
    still = [
        key
        for key, one in net.named_parameters()
        if one.grad is None or not bool((one.grad != 0).any())
    ]
    assert not still
    with torch.inference_mode():
        logit, maps = net.eval()(torch.zeros(1, 6, 192, 192))
    assert bool(torch.isfinite(logit).all() and torch.isfinite(maps).all())


@pytest.mark.parametrize("name", COMPARATORS)
def test_a_mirror_channel_needs_an_even_number_of_pooled_pixels(name: str) -> None:
    with pytest.raises(ValueError, match="no multiple of"):
        Config(net={"name": name, "pool": 5}, prepare={"size": 192})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dims"), [*((name, 2) for name in COMPARATORS), *((name, 3) for name in GENERAL)]
)
def test_the_exported_network_computes_the_same_at_full_size(name: str, dims: int) -> None:
    from hemocast.model.export import check_parity, to_onnx

    torch.manual_seed(2)
    net = build(NetConfig(name=name, options={"dims": dims}), 6)
    examples = heads().numpy().astype(np.float32)
    assert check_parity(net, to_onnx(net, examples), examples) <= 1e-4
