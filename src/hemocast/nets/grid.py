"""Where the cells of a network's last feature map lie on the stack."""

from __future__ import annotations

import math
from typing import Self

from pydantic import model_validator

from hemocast.config import NetConfig, Settings

STRIDES = ((1, 2, 2), (2, 1, 1))
"""Strides (frame, y, x) of CTNet's first stages; later stages keep the size.

With the stem's (1, 2, 2), a cell of the last feature map spans 2 frames (10 mm) and 4 pooled pixels
(12 mm): nearly a cube, since frames lie further apart than pixels. `CTNet2d` drops the first axis.
"""


class MapGrid(Settings):
    """Where the cells of a network's last feature map lie on the stack.

    Parameters
    ----------
    step : tuple of float
        From cell to cell, in frames and pixels: (frame, y, x), or (y, x) where the network merges
        the frames and its map is one picture for all of them.
    origin : tuple of float
        Where the middle of the first cell lies, in the same order: 0 is the first pixel's middle.
    """

    step: tuple[float, ...]
    origin: tuple[float, ...]

    @model_validator(mode="after")
    def _axes_agree(self) -> Self:
        if len(self.step) not in (2, 3) or len(self.origin) != len(self.step):
            raise ValueError("step and origin need three numbers each, or two for one picture")
        if min(self.step) <= 0:
            raise ValueError("step must be above 0")
        return self

    @property
    def per_frame(self) -> bool:
        """Whether the map tells frame from frame."""
        return len(self.step) == 3

    @classmethod
    def even(cls, cells: tuple[int, ...], stack: tuple[int, ...]) -> MapGrid:
        """Spread cells evenly: the map's border is the stack's.

        Parameters
        ----------
        cells : tuple of int
            Of the map, (frame, y, x) or (y, x).
        stack : tuple of int
            (frames, H, W).
        """
        pairs = zip(cells, stack[-len(cells) :], strict=True)
        step = tuple(whole / part for part, whole in pairs)
        return cls(step=step, origin=tuple((one - 1) / 2 for one in step))


def ctnet_grid(config: NetConfig) -> MapGrid:
    """Follow CTNet's pooling, strides and padding from the last feature map back to the stack.

    The stem's 3x3 kernel has no padding, so that its first output lies on the second pooled pixel;
    a kernel of 3 with padding of 1, as in the blocks, keeps the place of its first output.
    """
    pool = config.pool
    place = (pool - 1) / 2 + pool
    steps = [(1, pool, pool), (1, 2, 2), *STRIDES[: len(config.widths)]]
    step = tuple(float(math.prod(axis)) for axis in zip(*steps, strict=True))
    axes = slice(1 if config.name == "ctnet2d" else 0, 3)
    return MapGrid(step=step[axes], origin=(0.0, place, place)[axes])
