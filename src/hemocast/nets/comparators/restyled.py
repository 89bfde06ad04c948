"""The paper's two comparators, in style: no layer table of either is public."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig
from hemocast.nets.blocks import normalisation
from hemocast.nets.comparators.trunk import Comparator

WIDTHS = (16, 32, 64)
COARSE = 4
HIDDEN = 32


class WozniakStyle(Comparator):
    """A small CNN whose filters are picked, scan by scan, by a fully connected support network.

    Input: (B, 28, 192, 192), pooled to 64 x 64, frames as channels. 63,793 parameters.

    Source: Wozniak M, Silka J, Wieczorek M 2021, Neural Comput Appl 35:14611-14626,
    10.1007/s00521-021-05841-x: a CNN and a classic network beside it that "helps CNN to find the
    most adequate filters for pooling and convolution layers", for single CT images with brain
    tumours. Zhang 2026 (10.3389/fnins.2025.1753071) re-created it for its Table 3, where it called
    every scan positive, and says nothing of its layers.

    Ours: three 3 x 3 convolutions with group normalisation, ReLU and 2 x 2 max pooling, 16, 32 and
    64 filters; the support network sees the picture at 4 x 4 cells, has 32 hidden units and gives
    every filter of every layer a gain from 0 to 2 (1 where it does not care); mean pooling. The
    original learns both parts in turn, this one together, end to end.
    """

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__(config, WIDTHS[-1], (8, 8), (3.5, 3.5))
        channels = self.inputs.channels * frames
        before = (channels, *WIDTHS)
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(before, WIDTHS, strict=False)
        )
        self.norms = nn.ModuleList(normalisation(width) for width in WIDTHS)
        self.support = nn.Sequential(
            nn.Linear(channels * COARSE**2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, sum(WIDTHS))
        )

    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the map (B, 64, h / 8, w / 8); see `Comparator.maps`."""
        x = scaled.flatten(1, 2)
        coarse = functional.adaptive_avg_pool2d(x, COARSE).flatten(1)
        gains = torch.split(2 * torch.sigmoid(self.support(coarse)), list(WIDTHS), 1)
        for layer, norm, gain in zip(self.layers, self.norms, gains, strict=True):
            x = functional.max_pool2d(torch.relu(norm(layer(x)) * gain[..., None, None]), 2)
        return x


class SoundariStyle(Comparator):
    """A plain small CNN: three convolutions, each with ReLU and max pooling.

    Input: (B, 28, 192, 192), pooled to 64 x 64, frames as channels. 31,281 parameters.

    Source: Soundari DV et al. 2022, a CNN for CT of the lung, cited by Zhang 2026
    (10.3389/fnins.2025.1753071) for its Table 3, where it called every scan positive. Neither its
    title and DOI nor its layers could be found: this stands for a CNN of its kind, no more.

    Ours: 16, 32 and 64 filters of 3 x 3 and no normalisation, as such networks were; mean pooling
    in place of flattening, so that the map means what CTNet's does.
    """

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__(config, WIDTHS[-1], (8, 8), (3.5, 3.5))
        before = (self.inputs.channels * frames, *WIDTHS)
        self.layers = nn.Sequential(
            *(
                layer
                for a, b in zip(before, WIDTHS, strict=False)
                for layer in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            )
        )

    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the map (B, 64, h / 8, w / 8); see `Comparator.maps`."""
        made: Tensor = self.layers(scaled.flatten(1, 2))
        return made


def wozniak_style(config: NetConfig, frames: int) -> WozniakStyle:
    """Build it: see `WozniakStyle`."""
    return WozniakStyle(config, frames)


def soundari_style(config: NetConfig, frames: int) -> SoundariStyle:
    """Build it: see `SoundariStyle`."""
    return SoundariStyle(config, frames)
