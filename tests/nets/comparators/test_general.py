"""MONAI's networks and the 2.5D ones."""

from __future__ import annotations

import importlib

import pytest
import torch
from torch import nn

from hemocast.config import NetConfig
from hemocast.errors import ConfigError, MissingExtra
from hemocast.nets import build
from hemocast.nets.comparators.general import resnet


def count(net: nn.Module) -> int:
    return sum(one.numel() for one in net.parameters())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("resnet10", 5_073_409), ("frames-mean", 79_665), ("frames-attention", 80_721)],
)
def test_as_many_parameters_as_their_text_says(name: str, wanted: int) -> None:
    assert count(build(NetConfig(name=name), 28)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flat", "deep"),
    [
        ("resnet10", 5_073_409, 14_378_881),
        ("resnet18", 11_344_129, 33_183_361),
        ("densenet121", 7_121_089, 11_265_601),
    ],
)
def test_as_many_parameters_in_3d_too(name: str, flat: int, deep: int) -> None:
    for dims, wanted in ((2, flat), (3, deep)):
        assert count(build(NetConfig(name=name, options={"dims": dims}), 28)) == wanted


def test_no_batch_normalisation_is_left() -> None:
    net = resnet(2, (1, 1, 1, 1), dims=3, width=0.125)
    kinds = {type(one) for one in net.modules()}
    assert nn.GroupNorm in kinds
    assert not kinds & {nn.BatchNorm2d, nn.BatchNorm3d}


def test_frames_are_an_axis_in_3d() -> None:
    net = build(NetConfig(name="resnet10", options={"dims": 3, "width": 0.125}), 28).eval()
    with torch.inference_mode():
        maps = net(torch.rand(1, 28, 192, 192))[1]
    assert maps.shape == (1, 64, 1, 2, 2)
    assert net.map_grid.step == (32.0, 96.0, 96.0)
    assert net.map_grid.origin == (-2.0, 1.0, 1.0)


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ConfigError) as told:
        build(NetConfig(name="resnet10", options={"dims": 4}), 28)
    assert "building it failed" in str(told.value)


@pytest.mark.parametrize("name", ["frames-mean", "frames-attention"])
def test_a_frame_of_air_does_not_count(name: str) -> None:
    torch.manual_seed(0)
    net = build(NetConfig(name=name, mirror=False), 6).eval()
    frames = torch.zeros(1, 6, 192, 192)
    frames[:, 2:5, 40:150, 40:150] = 0.5
    with torch.inference_mode():
        maps = net(frames)[1][0].abs().sum((0, 2, 3))
    assert float(maps[[0, 5]].max()) < 1e-3 * float(maps[2:5].min())


def test_attention_weighs_frames_by_what_they_show() -> None:
    torch.manual_seed(0)
    frames = torch.zeros(1, 6, 192, 192)
    frames[:, :, 40:150, 40:150] = 0.5
    frames[:, 3, 60:100, 50:80] = 0.2
    net = build(NetConfig(name="frames-attention", mirror=False), 6).eval()
    with torch.inference_mode():
        net.attention[0].weight.mul_(30)
        net.attention[-1].weight.mul_(30)
        maps = net(frames)[1][0].abs().sum((0, 2, 3))
    apart = maps.max() / maps.min()
    assert float(apart) > 1.5


def test_without_monai_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def lacking(name: str, *rest: object) -> object:
        if name.startswith("monai"):
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", lacking)
    with pytest.raises(MissingExtra, match="compare"):
        resnet(2, (1, 1, 1, 1), dims=2)
