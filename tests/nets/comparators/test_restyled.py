"""The paper's comparators, in style."""

from __future__ import annotations

import torch

from hemocast.config import NetConfig
from hemocast.nets import build


def count(name: str, **changes: object) -> int:
    net = build(NetConfig(name=name, **changes), 28)
    return sum(one.numel() for one in net.parameters())


def test_as_many_parameters_as_their_text_says() -> None:
    assert count("wozniak-style") == 63_793
    assert count("soundari-style") == 31_281


def test_the_support_network_weighs_every_filter_by_the_scan() -> None:
    torch.manual_seed(0)
    net = build(NetConfig(name="wozniak-style", mirror=False), 4).eval()
    frames = torch.rand(2, 4, 192, 192)
    with torch.inference_mode():
        before = net(frames)[1]
        net.support[-1].weight.zero_()
        net.support[-1].bias.fill_(-50.0)  # no filter is wanted
        shut = net(frames)[1]
    assert float(before.abs().max()) > 0
    assert float(shut.abs().max()) < 1e-6


def test_a_cell_of_the_map_lies_where_the_grid_says() -> None:
    torch.manual_seed(0)
    net = build(NetConfig(name="soundari-style", mirror=False, pool=1), 1).eval()
    assert net.map_grid.step == (8.0, 8.0)
    frames = torch.zeros(1, 1, 64, 64)
    y, x = (round(first + 3 * 8) for first in net.map_grid.origin)
    frames[..., y, x] = 1.0
    with torch.inference_mode():
        moved = (net(frames)[1] - net(torch.zeros(1, 1, 64, 64))[1]).abs().sum(1)[0]
    assert divmod(int(moved.argmax()), moved.shape[1]) == (3, 3)
