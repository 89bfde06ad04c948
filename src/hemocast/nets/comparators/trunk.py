"""What the networks to compare with share: the input layer before them and the predictor behind."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hemocast.config import NetConfig
from hemocast.nets.blocks import StackInput
from hemocast.nets.grid import MapGrid


class Comparator(nn.Module):
    """Input layer as CTNet's, somebody's convolutions, mean pooling and one linear layer.

    The mean of the last feature map, weighted by the predictor, plus its bias is the logit, as in
    CTNet, so that its heatmap means the same.

    Parameters
    ----------
    config : NetConfig
        ``pool``, ``mirror``, ``smooth``, ``fluid_hu`` and ``dropout`` are used.
    features : int
        Of the last map.
    step : tuple of int
        From cell to cell of the last map, in frames and pooled pixels, (frame, y, x) or (y, x).
    origin : tuple of float
        Where the middle of its first cell lies, likewise.
    """

    def __init__(
        self,
        config: NetConfig,
        features: int,
        step: tuple[int, ...],
        origin: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__()
        self.inputs = StackInput(config.pool, config.mirror, config.smooth, config.fluid_hu)
        pooled = (1, config.pool, config.pool)[-len(step) :]
        first = origin or (0.0,) * len(step)
        self.map_grid = MapGrid(
            step=tuple(float(a * b) for a, b in zip(step, pooled, strict=True)),
            origin=tuple(a * b + (b - 1) / 2 for a, b in zip(first, pooled, strict=True)),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(features, 1)
        nn.init.zeros_(self.head.bias)

    def set_window(self, low: float, high: float) -> None:
        """Say which HU the levels 0 and 1 of the frames are; `build` does."""
        self.inputs.window_hu = high - low

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit (B,) and last feature map for frames (B, frames, H, W) in [0, 1]."""
        return self.classify(self.inputs(frames))

    def classify(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and map for what the input layer gave, (B, C, frames, h, w)."""
        maps = self.maps(channels, torch.cat([channels[:, :1] * 4 - 2, channels[:, 1:] * 16], 1))
        return self.head(self.dropout(maps.flatten(2).mean(2))).squeeze(1), maps

    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the last feature map.

        Parameters
        ----------
        channels : Tensor, (B, C, frames, h, w)
            As the input layer gives them.
        scaled : Tensor
            The same, of about unit spread, as CTNet scales them.
        """
        raise NotImplementedError
