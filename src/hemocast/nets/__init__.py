"""Stack -> logit: the residual blocks and CTNet, open to others' networks (extra `train`).

Torch is imported when a network is built, so that importing this room costs nothing.
"""

from hemocast.nets.facts import NetworkFacts, facts_of
from hemocast.nets.grid import MapGrid, ctnet_grid
from hemocast.nets.registry import Network, build, classify, input_channels, try_network

__all__ = [
    "MapGrid",
    "Network",
    "NetworkFacts",
    "build",
    "classify",
    "ctnet_grid",
    "facts_of",
    "input_channels",
    "try_network",
]
