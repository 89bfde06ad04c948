"""A small U-Net: scan on blocks of 3 mm -> what every block holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hemocast.anatomy.tissue.map import Kind
from hemocast.nets.blocks import doubled

WIDTHS = (40, 48, 64)
"""Features at 6, 12 and 24 mm."""

CHANNELS = 3
OUTPUTS = len(Kind) + 1
"""A logit for every `Kind`, and one for inside the dura."""

_PARTS = 8


class TissueNet(nn.Module):
    """U-Net of three levels on cells of 6 mm, whose channels are the 8 blocks of 3 mm in each.

    Nothing but input and output is held on blocks of 3 mm: a third of the time for the same
    detail. Batch normalisation folds into its convolutions at export.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, coarse, deep = WIDTHS
        self.first = _layers(CHANNELS * _PARTS, fine)
        self.second = _layers(fine, coarse)
        self.bottom = _layers(coarse, deep)
        self.up = _layer(coarse + deep, coarse)
        self.last = _layers(fine + coarse, fine)
        self.head = nn.Conv3d(fine, OUTPUTS * _PARTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, OUTPUTS, z, y, x) for windows (n, CHANNELS, z, y, x)."""
        first = self.first(_folded(x))
        second = self.second(nn.functional.max_pool3d(first, 2))
        deep = self.bottom(nn.functional.max_pool3d(second, 2))
        up = self.up(torch.cat([second, doubled(deep)], 1))
        last = self.last(torch.cat([first, doubled(up)], 1))
        return _unfolded(self.head(last))


def _folded(x: Tensor) -> Tensor:
    """Put the 2 x 2 x 2 blocks of a cell into its channels."""
    n, c, z, y, width = x.shape
    cells = x.reshape(n, c, z // 2, 2, y // 2, 2, width // 2, 2)
    return cells.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, c * 8, z // 2, y // 2, width // 2)


def _unfolded(x: Tensor) -> Tensor:
    n, c, z, y, width = x.shape
    parts = x.reshape(n, c // 8, 2, 2, 2, z, y, width)
    return parts.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, z * 2, y * 2, width * 2)


def _layer(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(given, made, 3, padding=1, bias=False), nn.BatchNorm3d(made), nn.ReLU()
    )


def _layers(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(_layer(given, made), _layer(made, made))
