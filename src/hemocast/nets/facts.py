"""What is true of a network, read off the network itself; known without torch once written down."""

from __future__ import annotations

from hemocast.config import NetConfig, Settings
from hemocast.nets.grid import MapGrid
from hemocast.nets.registry import Network, build, find_builder
from hemocast.version import VERSION


class NetworkFacts(Settings):
    """A network's provenance, as ``model.yaml`` keeps it.

    Parameters
    ----------
    builder, made : str
        ``module:name`` of what built it, and of its class.
    distribution, distribution_version : str or None
        The installed package that holds its class.
    changed : bool
        It is not as its builder makes it from the settings: a part was replaced since.
    parameters : int
        Learned numbers.
    layers : tuple of str
        Every layer that learns or acts, in order: its name, and what it is.
    grid : MapGrid
        What a cell of its map means.
    """

    builder: str
    made: str
    distribution: str | None
    distribution_version: str | None
    changed: bool
    parameters: int
    layers: tuple[str, ...]
    grid: MapGrid


def facts_of(net: Network, config: NetConfig, shape: tuple[int, int, int]) -> NetworkFacts:
    """Read a network's provenance off itself.

    Parameters
    ----------
    net : Network
        Built from `config`, and perhaps changed since.
    config : NetConfig
        The settings it was built from.
    shape : tuple of int
        (frames, H, W) of a stack.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        built = build(config, shape[0])
    changed = type(net) is not type(built) or _layers(net) != _layers(built)
    grid = net.map_grid
    if changed:
        with torch.inference_mode():
            maps = net(torch.zeros(1, *shape))[1]
        grid = MapGrid.even(tuple(maps.shape[2:]), shape)
    package = _distribution(type(net).__module__.partition(".")[0])
    return NetworkFacts(
        builder=_qualified(find_builder(config.name)),
        made=_qualified(type(net)),
        distribution=package[0],
        distribution_version=package[1],
        changed=changed,
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        layers=_layers(net),
        grid=grid,
    )


def _layers(net: Network) -> tuple[str, ...]:
    """List the modules that hold no others; a module's own text has one line."""
    return tuple(
        f"{name}: {module}"
        for name, module in net.named_modules()
        if name and not list(module.children())
    )


def _qualified(thing: object) -> str:
    module, name = (getattr(thing, part, "") for part in ("__module__", "__qualname__"))
    return f"{module}:{name}"


def _distribution(package: str) -> tuple[str | None, str | None]:
    from importlib import metadata

    if package == "hemocast":
        return package, VERSION
    names = metadata.packages_distributions().get(package)
    return (names[0], metadata.version(names[0])) if names else (None, None)
