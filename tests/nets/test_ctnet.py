from __future__ import annotations

import pytest
import torch

from hemocast.config import CTNETS, NetConfig
from hemocast.errors import ConfigError
from hemocast.nets import build
from hemocast.nets.blocks import ResidualBlock


def tiny(name: str, **changes) -> NetConfig:
    return NetConfig(name=name, pool=1, smooth=3, stem=8, widths=(8, 16), blocks=1, **changes)


@pytest.mark.parametrize(
    ("name", "shape"), [("ctnet3d", (3, 16, 4, 4, 4)), ("ctnet2d", (3, 16, 4, 4))]
)
def test_logit_and_last_map(name, shape):
    logit, maps = build(tiny(name), frames=8)(torch.rand(3, 8, 16, 16))
    assert logit.shape == (3,)
    assert maps.shape == shape


@pytest.mark.parametrize("name", CTNETS)
def test_both_kinds_of_block_are_stacked(name):
    net = build(tiny(name), frames=8)
    blocks = [module for module in net.modules() if isinstance(module, ResidualBlock)]
    kinds = [isinstance(block.shortcut, torch.nn.Identity) for block in blocks]
    assert kinds == [False, True, False, True]


@pytest.mark.parametrize("name", CTNETS)
def test_the_logit_is_the_weighted_mean_of_the_map_plus_the_bias(name):
    net = build(tiny(name), frames=8).eval()
    logit, maps = net(torch.rand(3, 8, 16, 16))
    weighted = torch.einsum("c,nc...->n...", net.head.weight[0], maps)
    torch.testing.assert_close(weighted.flatten(1).mean(1) + net.head.bias, logit)


@pytest.mark.parametrize("name", CTNETS)
def test_a_scan_alone_and_in_a_batch_give_the_same(name):
    net = build(tiny(name), frames=8).eval()
    frames = torch.rand(5, 8, 16, 16)
    alone = torch.cat([net(frame[None])[0] for frame in frames])
    torch.testing.assert_close(net(frames)[0], alone)


@pytest.mark.parametrize("name", CTNETS)
def test_an_empty_stack_gives_a_number(name):
    logit, maps = build(tiny(name), frames=8).eval()(torch.zeros(1, 8, 16, 16))
    assert torch.isfinite(logit).all()
    assert float(maps.detach().abs().max()) == 0


@pytest.mark.parametrize("name", CTNETS)
def test_every_weight_learns(name):
    net = build(tiny(name, dropout=0.0), frames=8)
    net(torch.rand(2, 8, 16, 16))[0].sum().backward()
    assert all(
        parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
        for parameter in net.parameters()
    )


@pytest.mark.parametrize("name", ["ctnet2d", "ctnet3d"])
def test_a_stack_without_any_tissue_gives_numbers(name):
    net = build(tiny(name), frames=8).eval()
    with torch.inference_mode():
        logit, maps = net(torch.zeros(2, 8, 32, 32))
    assert bool(torch.isfinite(logit).all() and torch.isfinite(maps).all())


def test_the_window_reaches_the_mirror_channel_and_left_out_fluid_is_an_option():
    torch.manual_seed(0)
    frames = torch.rand(1, 8, 32, 32)
    usual, wide = (build(tiny("ctnet3d"), 8, window) for window in ((10, 50), (0, 80)))
    before = build(tiny("ctnet3d").model_copy(update={"fluid_hu": None}), 8)
    assert torch.equal(usual.inputs(frames)[:, 0], before.inputs(frames)[:, 0])
    assert not torch.allclose(usual.inputs(frames)[:, 1], before.inputs(frames)[:, 1])
    assert not torch.allclose(usual.inputs(frames)[:, 1], wide.inputs(frames)[:, 1])
    assert "fluid 7.5 HU" in str(usual.inputs)


def test_the_same_seed_builds_the_same_network():
    def weights() -> torch.Tensor:
        torch.manual_seed(3)
        return torch.cat([p.flatten() for p in build(tiny("ctnet3d"), frames=8).parameters()])

    assert torch.equal(weights(), weights())


def test_settings_out_of_range_are_named(tmp_path):
    from hemocast.config import load_config

    path = tmp_path / "run.yaml"
    path.write_text("net: {smooth: 4, widths: [8]}\n")
    with pytest.raises(ConfigError, match="smooth must be odd"):
        load_config(path)
    path.write_text("net: {widths: []}\n")
    with pytest.raises(ConfigError, match="widths"):
        load_config(path)
