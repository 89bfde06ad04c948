"""CTNet: a convolution layer, residual blocks of both kinds in sequence, the HT predictor.

Two readings of the paper (Zhang 2026, 10.3389/fnins.2025.1753071), which does not say whether its
convolutions run over the frames: `CTNet2d` takes the 28 frames as input channels (the literal
reading: it is what makes a fixed 28 necessary), `CTNet3d` takes them as an axis. Channels, kernels,
strides and normalisation are this project's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig
from hemocast.nets.blocks import (
    TISSUE,
    ResidualBlock,
    StackInput,
    StackNetwork,
    convolution,
    normalisation,
    predictor,
    to_unit,
)
from hemocast.nets.grid import STRIDES, ctnet_grid


class CTNet(StackNetwork):
    """One of the readings: input layer, trunk, mean pooling with one linear layer.

    Because the predictor is linear in the mean of the last feature map, that map weighted by the
    predictor's weights says how much each place contributes to the logit (class activation map,
    Zhou 2016, 10.1109/CVPR.2016.319): its mean plus the bias **is** the logit. The map is weighted
    by the share of tissue in each cell before the mean, so that air does not vote.

    Parameters
    ----------
    config : NetConfig
    frames : int
        Frames of a stack.
    dims : int
        3: frames are an axis; 2: frames are channels.
    """

    def __init__(self, config: NetConfig, frames: int, dims: int) -> None:
        super().__init__()
        self.dims = dims
        self.map_grid = ctnet_grid(config)
        self.inputs = StackInput.of(config)
        channels = self.inputs.channels * (1 if dims == 3 else frames)
        flat, cube = (1, 3, 3)[3 - dims :], (3, 3, 3)[3 - dims :]
        layers: list[nn.Module] = [
            convolution(dims, channels, config.stem, flat, (1, 2, 2)[3 - dims :], bias=False),
            normalisation(config.stem),
            nn.ReLU(),
        ]
        before = config.stem
        for stage, width in enumerate(config.widths):
            kernel = flat if stage == 0 else cube
            stride = STRIDES[stage][3 - dims :] if stage < len(STRIDES) else None
            layers.append(ResidualBlock(before, width, kernel, stride))
            layers.extend(ResidualBlock(width, width, kernel) for _ in range(config.blocks))
            before = width
        self.trunk = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = predictor(before)

    def classify(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """See `StackNetwork`."""
        tissue = (channels[:, :1] > TISSUE).to(channels.dtype)
        scaled = to_unit(channels)
        if self.dims == 2:
            scaled, tissue = scaled.flatten(1, 2), tissue.mean(2)
        maps = self.trunk(scaled)
        share = self._share(tissue, maps.shape[2:])
        maps = maps * (share / (share.flatten(1).mean(1).view(-1, *[1] * (self.dims + 1)) + 1e-3))
        pooled = maps.flatten(2).mean(2)
        return self.head(self.dropout(pooled)).squeeze(1), maps

    def _share(self, tissue: Tensor, cells: torch.Size) -> Tensor:
        """Return the share of tissue in each cell; what a last cell reaches beyond is none."""
        cell = [int(step) for step in self.map_grid.step]
        cell[-2:] = [step // self.inputs.pool for step in cell[-2:]]
        beyond = [
            max(0, step * count - whole)
            for step, count, whole in zip(cell, cells, tissue.shape[2:], strict=True)
        ]
        if any(beyond):
            tissue = functional.pad(tissue, [end for one in beyond[::-1] for end in (0, one)])
        pool = functional.avg_pool3d if self.dims == 3 else functional.avg_pool2d
        return pool(tissue, cell)


def ctnet2d(config: NetConfig, frames: int) -> CTNet:
    """Frames as channels: the first layer merges them, so its map is one picture for all frames."""
    return CTNet(config, frames, 2)


def ctnet3d(config: NetConfig, frames: int) -> CTNet:
    """Frames as an axis: the map tells frame from frame."""
    return CTNet(config, frames, 3)
