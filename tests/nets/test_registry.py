"""Networks by name: built in, installed, or named by module; and what is none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hemocast.config import CTNETS, NetConfig, PrepareConfig
from hemocast.errors import ConfigError
from hemocast.nets import MapGrid, build, classify, input_channels, try_network
from hemocast.nets.ctnet import CTNet
from hemocast.nets.registry import find_builder


class Whole(nn.Module):
    """A network without an input layer of its own."""

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__()
        self.head = nn.Linear(frames, 1)
        self.map_grid = MapGrid(step=(1.0, 1.0), origin=(0.0, 0.0))

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.head(frames.mean((2, 3))).squeeze(1), frames


class Headless(nn.Module):
    """No network: it ends in nothing."""

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__()


class WrongMap(Whole):
    """Says that its map has frames, which it has not."""

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__(config, frames)
        self.map_grid = MapGrid(step=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))


SMALL = PrepareConfig(frames=8, size=64)


@pytest.mark.parametrize("name", CTNETS)
def test_every_built_in_network_can_be_used(name: str) -> None:
    assert isinstance(build(NetConfig(name=name), 8), CTNet)
    try_network(NetConfig(name=name), SMALL)


def test_a_network_is_found_by_module_and_class() -> None:
    assert find_builder(f"{__name__}:Whole") is Whole
    try_network(NetConfig(name=f"{__name__}:Whole"), SMALL)


def test_a_network_without_an_input_layer_is_run_as_a_whole() -> None:
    net = build(NetConfig(name=f"{__name__}:Whole"), 8)
    frames = torch.rand(2, 8, 16, 16)
    channels = input_channels(net, frames)
    assert channels.shape == (2, 1, 8, 16, 16)
    assert torch.equal(classify(net, channels)[0], net(frames)[0])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ctnet4d", "ctnet2d, ctnet3d"),
        ("no.such.module:Net", "no network"),
        ("json:nothing", "no network"),
        ("json:dumps", "building it failed"),
        (f"{__name__}:Headless", "no linear layer `head`"),
        (f"{__name__}:WrongMap", "other axes"),
    ],
)
def test_what_is_no_network_is_refused_with_the_setting_named(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"net\.name") as refusal:
        try_network(NetConfig(name=name), SMALL)
    assert said in str(refusal.value)


@pytest.mark.parametrize("frames", [4, 5, 27, 28, 29])
@pytest.mark.parametrize("size", [64, 65, 69, 70, 71, 200, 203])
def test_every_number_of_frames_and_every_size_runs(frames: int, size: int) -> None:
    """Odd numbers of frames and a quarter of all sizes failed in the middle of the work."""
    for name in CTNETS:
        config = NetConfig(name=name, stem=4, widths=(4, 4))
        try_network(config, PrepareConfig(frames=frames, size=size))
        with torch.inference_mode():
            logit, maps = build(config, frames).eval()(torch.rand(1, frames, size, size))
        assert torch.isfinite(logit).all()
        assert torch.isfinite(maps).all()
