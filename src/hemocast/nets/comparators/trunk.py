"""What the networks to compare with share: the input layer before them and the predictor behind."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from hemocast.config import NetConfig
from hemocast.nets.blocks import StackInput, StackNetwork, predictor, to_unit
from hemocast.nets.grid import MapGrid


class Comparator(StackNetwork):
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
        self.inputs = StackInput.of(config)
        pooled = (1, config.pool, config.pool)[-len(step) :]
        first = origin or (0.0,) * len(step)
        self.map_grid = MapGrid(
            step=tuple(float(a * b) for a, b in zip(step, pooled, strict=True)),
            origin=tuple(a * b + (b - 1) / 2 for a, b in zip(first, pooled, strict=True)),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = predictor(features)

    def classify(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """See `StackNetwork`."""
        maps = self.maps(channels, to_unit(channels))
        return self.head(self.dropout(maps.flatten(2).mean(2))).squeeze(1), maps

    @abstractmethod
    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the last feature map.

        Parameters
        ----------
        channels : Tensor, (B, C, frames, h, w)
            As the input layer gives them.
        scaled : Tensor
            The same, of about unit spread: see `to_unit`.
        """
