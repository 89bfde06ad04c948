"""What a network is made of, layer by layer, read off the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hemocast.config import NetConfig, PrepareConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

Kind = Literal["input", "convolution", "block 1", "block 2", "predictor"]


@dataclass(frozen=True)
class Layer:
    """One box of the architecture.

    Parameters
    ----------
    kind : str
        ``input`` (pooling and the mirror channel), ``convolution``, ``block 1`` (``F(x) + x``),
        ``block 2`` (``F(x) + H(x)``), ``predictor`` (mean pooling and one linear layer).
    shape : tuple of int
        Of what leaves it, without the batch: channels, then frames where they are an axis, rows,
        columns; ``(1,)`` for the predictor's logit.
    kernel, stride : tuple of int
        Of its first convolution; empty where it has none.
    parameters : int
        Learned numbers in it.
    """

    kind: Kind
    shape: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    parameters: int


def describe(config: NetConfig, prepare: PrepareConfig) -> tuple[Layer, ...]:
    """Build the network the settings name, send one empty stack through it, and list its layers.

    Parameters
    ----------
    config : NetConfig
        The network.
    prepare : PrepareConfig
        Gives the size of a stack.

    Returns
    -------
    tuple of Layer
        In the order in which a stack meets them.

    Raises
    ------
    MissingExtra
        Torch is not installed.
    """
    from hemocast.nets import build

    net = build(config, prepare.frames, prepare.window)

    import torch

    from hemocast.nets.blocks import ResidualBlock
    from hemocast.nets.ctnet import CTNet

    if not isinstance(net, CTNet):
        raise TypeError(f"layers of a CTNet are described, not of a {type(net).__name__}")

    layers: list[Layer] = []
    with torch.no_grad():
        x = net.inputs(torch.zeros(1, prepare.frames, prepare.size, prepare.size))
        layers.append(Layer("input", tuple(x.shape[1:]), (), (), 0))
        if net.dims == 2:
            x = x.flatten(1, 2)
        trunk = list(net.trunk)
        stem = torch.nn.Sequential(*trunk[:3])
        x = stem(x)
        layers.append(_layer("convolution", x, trunk[0], stem))
        for block in trunk[3:]:
            x = block(x)
            if not isinstance(block, ResidualBlock):
                raise TypeError(f"a {type(block).__name__} stands among the residual blocks")
            agree = isinstance(block.shortcut, torch.nn.Identity)
            layers.append(_layer("block 1" if agree else "block 2", x, block.residual[0], block))
    layers.append(Layer("predictor", (1,), (), (), _count(net.head)))
    return tuple(layers)


def _layer(kind: Kind, x: Tensor, convolution: nn.Module, module: nn.Module) -> Layer:
    kernel, stride = convolution.kernel_size, convolution.stride
    return Layer(kind, tuple(x.shape[1:]), _numbers(kernel), _numbers(stride), _count(module))


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise TypeError("a convolution keeps kernel and stride as tuples")
    return value


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
