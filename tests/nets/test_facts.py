"""What is written down about a network."""

from __future__ import annotations

from hemocast.config import NetConfig
from hemocast.nets import build, facts_of


def test_a_networks_facts_are_its_own() -> None:
    config = NetConfig(stem=4, widths=(4,))
    net = build(config, 8)
    facts = facts_of(net, config, (8, 64, 64))
    assert facts.builder == "hemocast.nets.ctnet:ctnet3d"
    assert facts.distribution == "hemocast"
    assert facts.parameters == sum(p.numel() for p in net.parameters())
    assert facts.layers[-1].startswith("head: Linear(in_features=4")
    assert not facts.changed
