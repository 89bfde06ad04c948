"""The networks by name: built in, installed by others, or named as ``module:Class``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, Protocol, cast

from hemocast.config import COMPARATORS, CTNETS, NetConfig, PrepareConfig
from hemocast.errors import ConfigError, MissingExtra
from hemocast.nets.grid import MapGrid

if TYPE_CHECKING:
    from torch import Tensor, nn

GROUP = "hemocast.networks"
"""Entry point group in which a package offers networks of its own."""

_RESTYLED = "hemocast.nets.comparators.restyled"
_GENERAL = "hemocast.nets.comparators.general"

BUILT_IN = {
    **{name: f"hemocast.nets.ctnet:{name}" for name in CTNETS},
    "hemispheres": "hemocast.nets.hemispheres:hemispheres",
    **{
        name: f"{_RESTYLED if name.endswith('style') else _GENERAL}:{name.replace('-', '_')}"
        for name in COMPARATORS
    },
}
"""Name -> ``module:builder``."""


class Network(Protocol):
    """A ``torch.nn.Module`` that turns stacks into logits, and says where its maps lie.

    ``network(frames)`` takes float32 (B, frames, H, W) in [0, 1] and gives the logits (B,) and the
    last feature maps, (B, C, D, h, w) or (B, C, h, w). ``head`` is its last layer, linear from C
    to 1, whose weights turn the maps into the heatmap. ``map_grid`` says what a cell of the map
    means. Three methods are optional: ``inputs(frames)`` gives the channels (B, c, frames, h, w) of
    a part that learns nothing and is computed once, and ``classify(channels)`` the rest;
    ``set_window(low, high)`` is told once which HU the levels 0 and 1 are.
    """

    head: nn.Linear
    map_grid: MapGrid

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and maps."""

    def eval(self) -> Any:
        """As of ``torch.nn.Module``, like all that follows."""

    def parameters(self) -> Iterator[nn.Parameter]: ...  # noqa: D102
    def modules(self) -> Iterator[nn.Module]: ...  # noqa: D102
    def named_modules(self) -> Iterator[tuple[str, nn.Module]]: ...  # noqa: D102
    def state_dict(self) -> dict[str, Tensor]: ...  # noqa: D102
    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object: ...  # noqa: D102


Builder = Callable[[NetConfig, int], Network]
"""Makes a network from the settings and the number of frames."""


def find_builder(name: str) -> Builder:
    """Find a network by the name that the settings use.

    Parameters
    ----------
    name : str
        Built in; or of an entry point in the group ``hemocast.networks``; or ``module:Class``.

    Raises
    ------
    ConfigError
        There is no such network, or it cannot be imported.
    """
    offered = {point.name: point.value for point in metadata.entry_points(group=GROUP)}
    target = BUILT_IN.get(name) or offered.get(name) or name
    module, _, attribute = target.partition(":")
    try:
        if not attribute:
            raise ImportError
        return cast("Builder", getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        known = ", ".join(sorted({*BUILT_IN, *offered}))
        raise ConfigError(
            f"net.name: there is no network {name!r}, or it cannot be imported",
            f"one of {known}; or module:Class, importable from here",
            "Correct the name, or install the package that holds the network",
        ) from error


def build(
    config: NetConfig, frames: int = 28, window: tuple[float, float] = PrepareConfig().window
) -> Network:
    """Make the network the settings name, with fresh weights from torch's global generator.

    Parameters
    ----------
    config : NetConfig
        ``config.name`` picks the builder.
    frames : int
        Frames of a stack; 28 in the paper.
    window : tuple of float
        HU of the levels 0 and 1.

    Raises
    ------
    MissingExtra
        Torch is not installed.
    ConfigError
        There is no such network, or it is none: see `Network`.
    """
    try:
        from torch import nn
    except ImportError as error:
        raise MissingExtra(
            "The networks need torch, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    builder = find_builder(config.name)
    try:
        net = builder(config, frames)
    except Exception as error:  # others' code may fail in any way
        raise _unusable(config, f"building it failed ({type(error).__name__})") from error
    lacks = [
        text
        for text, there in (
            ("it is no torch.nn.Module", isinstance(net, nn.Module)),
            ("it has no linear layer `head` with one output", _is_head(net)),
            ("it has no `map_grid`", isinstance(getattr(net, "map_grid", None), MapGrid)),
        )
        if not there
    ]
    if lacks:
        raise _unusable(config, "; ".join(lacks))
    if hasattr(net, "set_window"):
        net.set_window(*window)
    return net


def try_network(config: NetConfig, prepare: PrepareConfig) -> None:
    """Build the network and send an empty stack through it, so that work ends before it begins.

    Raises
    ------
    MissingExtra, ConfigError
        As `build` does, or its outputs are not of the shapes that `Network` tells.
    """
    net = build(config, prepare.frames, prepare.window)

    import torch

    try:
        with torch.inference_mode():
            net.eval()
            logit, maps = net(torch.zeros(1, prepare.frames, prepare.size, prepare.size))
    except Exception as error:
        raise _unusable(config, f"it does not take {prepare.frames} frames of that size") from error
    if tuple(logit.shape) != (1,) or maps.shape[1] != net.head.in_features:
        raise _unusable(config, f"its outputs have shapes {(*logit.shape,)} and {(*maps.shape,)}")
    if maps.ndim - 2 != len(net.map_grid.step):
        raise _unusable(config, "its map has other axes than its map_grid says")


def input_channels(net: Network, frames: Tensor) -> Tensor:
    """Run the part that learns nothing: (B, c, frames, h, w) from (B, frames, H, W)."""
    made: Tensor = net.inputs(frames) if hasattr(net, "inputs") else frames.unsqueeze(1)
    return made


def classify(net: Network, channels: Tensor) -> tuple[Tensor, Tensor]:
    """Run the rest: logits and maps from what `input_channels` gave."""
    if hasattr(net, "classify"):
        both: tuple[Tensor, Tensor] = net.classify(channels)
        return both
    return net(channels[:, 0])


def _is_head(net: Network) -> bool:
    from torch import nn

    head = getattr(net, "head", None)
    return isinstance(head, nn.Linear) and head.out_features == 1


def _unusable(config: NetConfig, why: str) -> ConfigError:
    return ConfigError(
        f"net.name: the network {config.name!r} cannot be used: {why}",
        "a network as hemocast.nets.Network describes it, for these frames and this size",
        "Correct it, or change prepare.frames, prepare.size or the settings under net",
    )
