"""The two residual blocks of CTNet and the input layer before them.

The paper (Zhang 2026, 10.3389/fnins.2025.1753071) gives the two equations and no more: kernels,
normalisation and activation are this project's choice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig

TISSUE = 0.02
"""Intensity above which a pooled pixel counts as brain tissue: fluid and background are 0."""

WINDOW_HU = 40.0
"""Width of the usual window, HU: what a level of 1 is above a level of 0."""

RAMP = 0.05
"""Levels over which a pixel goes from fluid to tissue."""

ABOUT = 5
"""Box, in pooled pixels, of the tissue about a pixel that its relief is taken from."""

RELIEF = 5.0
"""How far the loss of relief is enlarged, for a spread about that of the mirror difference."""

FINE = 3
"""Pixels in which grey matter is told from white; a gyrus is gone in coarser ones."""

_SOME = 1e-3
EMPTY = 1e-4
"""Added to a share of tissue before something is divided by it."""


def convolution(dims: int, *args: object, **kwargs: object) -> nn.Module:
    """Return a 2D or 3D convolution."""
    layer = nn.Conv3d if dims == 3 else nn.Conv2d
    return layer(*args, **kwargs)  # type: ignore[arg-type]


def normalisation(features: int) -> nn.GroupNorm:
    """Return group normalisation of 8 features a group or more (Wu & He 2018).

    It knows nothing of the batch, so that training on batches of any size, validation and the
    exported network compute the same. DOI 10.1007/978-3-030-01261-8_1.
    """
    groups = next(n for n in range(max(1, features // 8), 0, -1) if features % n == 0)
    return nn.GroupNorm(groups, features)


class ResidualBlock(nn.Module):
    """Block 1, ``y = F(x, W, b) + x``, where shapes agree; else block 2, ``y = F(x, W, b) + H(x)``.

    F is two convolutions with group normalisation and a ReLU between them; H is the linear
    shortcut, a 1x1 convolution with F's stride. A ReLU follows the sum (He 2016,
    10.1109/CVPR.2016.90).

    Parameters
    ----------
    inputs, outputs : int
        Features in and out.
    kernel : sequence of int
        Kernel of both convolutions, one number per dimension (2 or 3).
    stride : sequence of int or None
        Stride of the first convolution; None: 1 everywhere.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Sequence[int],
        stride: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        dims = len(kernel)
        stride = tuple(stride or (1,) * dims)
        padding = tuple(size // 2 for size in kernel)
        self.residual = nn.Sequential(
            convolution(dims, inputs, outputs, tuple(kernel), stride, padding, bias=False),
            normalisation(outputs),
            nn.ReLU(),
            convolution(dims, outputs, outputs, tuple(kernel), 1, padding, bias=False),
            normalisation(outputs),
        )
        shapes_agree = inputs == outputs and all(step == 1 for step in stride)
        self.shortcut = (
            nn.Identity() if shapes_agree else convolution(dims, inputs, outputs, 1, stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for x (B, inputs, ...)."""
        return torch.relu(self.residual(x) + self.shortcut(x))


class StackInput(nn.Module):
    """Frames -> channels of one pooled picture: intensity and, if asked, the mirror difference.

    Pooling comes first: the signs of ischemia are wide and faint, noise is narrow and strong, so
    averaging over ``pool`` x ``pool`` pixels loses little and cleans much.

    The mirror difference is what the eye does at the light box: how much darker each place is than
    the same place on the other side, where both hold tissue, smoothed. Stacks come upright with the
    midline in the middle, so the mirror image is a flip of the last axis. Only the darker side
    counts: with the sign kept, the healthy side carries the same evidence, and a network is as
    likely to point there (docs/lab/performance.md).

    Sulci and ventricles are never the same on both sides and are far darker than an infarct. With
    ``fluid_hu`` the pixels that hold fluid are left out before pooling, so that the difference is
    one of tissue with tissue (docs/lab/models.md); without, as in models of version 0.1,
    pooled pixels mix both.

    Parameters
    ----------
    pool : int
        In-plane pooling.
    mirror : bool
        Add the second channel.
    smooth : int
        Width of the smoothing box in the pixels that the difference is taken in, odd; it is applied
        twice in-plane, and over three frames.
    fluid_hu : float or None
        What lies so far below the head's own white matter (`white_matter`) is fluid, HU. None:
        fluid is not told from tissue.
    relief : bool
        Add a third channel to these two: how much relief each place lacks (`relief`) against the
        other side. Needs ``fluid_hu``. All channels are then made in pixels of `FINE` and averaged
        over those of ``pool``, where ``pool`` is a multiple of `FINE`.
    """

    def __init__(
        self,
        pool: int,
        mirror: bool,
        smooth: int,
        fluid_hu: float | None = None,
        relief: bool = False,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.mirror = mirror
        self.smooth = smooth
        self.fluid_hu = fluid_hu
        self.relief = relief and mirror and fluid_hu is not None
        self.window_hu = WINDOW_HU

    @classmethod
    def of(cls, config: NetConfig) -> Self:
        """Make the layer that the settings ask for."""
        return cls(config.pool, config.mirror, config.smooth, config.fluid_hu, config.relief)

    def extra_repr(self) -> str:
        """Return the settings, for a model's list of layers."""
        mirror = f", mirror: smooth {self.smooth}, fluid {self.fluid_hu} HU" if self.mirror else ""
        return f"pool {self.pool}{mirror}{', relief' if self.relief else ''}"

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return 1 + self.mirror + self.relief

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, channels, frames, h, w) for frames (B, frames, H, W) in [0, 1]."""
        fine = FINE if self.relief and self.pool % FINE == 0 else self.pool
        channels, more = self._channels(frames, fine), self.pool // fine
        return pooled(channels, more)

    def _channels(self, frames: Tensor, pool: int) -> Tensor:
        picture = pooled(frames, pool).unsqueeze(1)
        if not self.mirror:
            return picture
        if self.fluid_hu is None:
            tissue, held = picture, (picture > TISSUE).to(picture.dtype)
        else:
            tissue, held = self._tissue(frames, picture, pool)
        both = held * held.flip(-1)
        some = self._blur(both) + 0.1
        channels = [picture, functional.relu(self._blur(_lacks(tissue) * both) / some)]
        if self.relief:
            height, _ = relief(tissue, held)
            flatter = functional.relu(self._blur(_lacks(height) * both) / some)
            channels.append(flatter * RELIEF)
        return torch.cat(channels, 1)

    def _tissue(self, frames: Tensor, picture: Tensor, pool: int) -> tuple[Tensor, Tensor]:
        """Return mean level of the tissue in each pooled pixel, and the share that is tissue."""
        assert self.fluid_hu is not None  # noqa: S101 - the caller looked
        fluid = white_matter(picture) - self.fluid_hu / self.window_hu
        # A ramp and no step: a rounding error in the last bit must not move a pixel across.
        held = ((frames - fluid[:, 0]) / RAMP + 0.5).clamp(0, 1) * (frames / RAMP).clamp(0, 1)
        share = pooled(held, pool)
        mean = pooled(frames * held, pool) / (share + EMPTY)
        return mean.unsqueeze(1), share.unsqueeze(1)

    def _blur(self, x: Tensor) -> Tensor:
        return blurred(x, self.smooth)


def _lacks(x: Tensor) -> Tensor:
    """Return how much less each place has than its mirror image."""
    return x.flip(-1) - x


def relief(tissue: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far each pixel's tissue lies above that about it, weighed, and the weight.

    Grey matter beside white has relief, and loses it in an infarct, long before the whole is darker
    (the insular ribbon: Truwit 1990, 10.1148/radiology.176.3.2389039). What a scanner adds smoothly
    over centimetres leaves it as it is. Nothing where a pixel lies below what is about it.

    Parameters
    ----------
    tissue, share : Tensor, shape (B, 1, frames, h, w)
        Mean level of a pixel's tissue, and the share that is tissue: pixels that hold fluid too
        count for little, since what they hold of tissue is uncertain.
    """
    weight = share * share
    around = _near(tissue * weight) / (_near(weight) + _SOME)
    return functional.relu(tissue - around) * weight, weight


def _near(x: Tensor) -> Tensor:
    """Average in-plane, weighed by how near."""
    return box_mean(x, (1, ABOUT, ABOUT), in_plane=2)


def blurred(x: Tensor, pixels: int) -> Tensor:
    """Average over three frames and, twice, over `pixels` x `pixels`."""
    return box_mean(x, (3, pixels, pixels), in_plane=2)


def pooled(frames: Tensor, size: int) -> Tensor:
    """Average frames (..., H, W) over `size` x `size` pixels; what is over is left out.

    Columns by a matrix: half the time of pooling, in torch and exported.
    """
    if size == 1:
        return frames
    rows, columns = (n // size for n in frames.shape[-2:])
    whole = frames[..., : rows * size, : columns * size]
    by_row = whole.reshape(*frames.shape[:-2], rows, size, columns * size)
    with _full_precision(frames):
        return by_row.mean(-2) @ frames.new_tensor(_steps(columns, size))


def box_mean(x: Tensor, sizes: Sequence[int], in_plane: int = 1) -> Tensor:
    """Average over a box about every place, zeros beyond the border.

    By matrices along each axis: several times as quick as pooling, in torch and exported.

    Parameters
    ----------
    x : Tensor, shape (B, C, frames, h, w)
    sizes : sequence of int
        Of the box along the last three axes, odd.
    in_plane : int
        How often to average along the last two.
    """
    # Lower precision would lose what is looked for: a fortieth of a level.
    with _full_precision(x):
        frames, rows, columns = (
            x.new_tensor(_band(x.shape[axis], size, times)) if size > 1 else None
            for axis, size, times in zip((2, 3, 4), sizes, (1, in_plane, in_plane), strict=True)
        )
        if columns is not None:
            x = x @ columns
        if rows is not None:
            x = rows @ x
        if frames is not None:
            x = (frames @ x.flatten(3)).view_as(x)
    return x


@lru_cache(maxsize=64)
def _band(count: int, size: int, times: int) -> NDArray[np.float32]:
    """Return the matrix (count, count) that averages over `size` places, so many `times`.

    Of NumPy: a tensor made while a graph is drawn is none that may be kept.
    """
    at = np.arange(count)
    near = (np.abs(at[:, None] - at) <= size // 2) / size
    return np.asarray(np.linalg.matrix_power(near, times), np.float32)


@lru_cache(maxsize=64)
def _steps(count: int, size: int) -> NDArray[np.float32]:
    """Return the matrix (count * size, count) that averages every `size` places."""
    return np.repeat(np.eye(count, dtype=np.float32) / np.float32(size), size, axis=0)


def _full_precision(x: Tensor) -> AbstractContextManager[object]:
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def padded(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Put zeros before and after, no more than there are places, without the operator for it.

    Padding as an operator could ask for any room, and so is none that exported networks may hold.
    """
    parts = [x]
    if before:
        parts.insert(0, x.narrow(axis, 0, before) * 0)
    if after:
        parts.append(x.narrow(axis, 0, after) * 0)
    return torch.cat(parts, axis) if len(parts) > 1 else x


def doubled(x: Tensor) -> Tensor:
    """Repeat every cell along all three axes, without an operator that could ask for any room."""
    for axis in (2, 3, 4):
        x = torch.stack([x, x], axis + 1).flatten(axis, axis + 1)
    return x


def white_matter(picture: Tensor) -> Tensor:
    """Estimate the level of white matter from the histogram of each head, (B, 1, 1, 1, 1).

    White and grey matter make one peak whose middle and width are found by moving a window
    (Epanechnikov's kernel) to the mean of what it holds until both stand still (mean shift,
    Comaniciu 2002, 10.1109/34.1000236); white matter lies one width below the middle. A scanner
    that measures everything too high, too low or too widely moves both alike. Fluid, bone, blood
    and background lie outside the window. A stack without tissue gives 0.

    Parameters
    ----------
    picture : Tensor, float32 (B, 1, frames, h, w)
        Pooled levels in [0, 1]; fluid and background near 0.
    """
    axes = (1, 2, 3, 4)
    middle, square = _moments(picture, picture, axes)
    for _ in range(8):
        weight = functional.relu(1 - (picture - middle) ** 2 / (9 * square + EMPTY))
        middle, square = _moments(picture, weight * (picture / RAMP).clamp(0, 1), axes)
    return middle - torch.sqrt(square)


def _moments(x: Tensor, weight: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the weighted mean and variance; of nothing, 0."""
    # Bounded, not added to: ONNX Runtime takes an addition of 1e-9 for one of nothing.
    total = weight.mean(axes, keepdim=True).clamp_min(1e-6)
    mean = (weight * x).mean(axes, keepdim=True) / total
    return mean, (weight * (x - mean) ** 2).mean(axes, keepdim=True) / total


class StackNetwork(nn.Module, ABC):
    """What the networks here share: the input layer before them, one linear layer behind.

    Attributes
    ----------
    inputs : StackInput
        Learns nothing.
    head : Linear
        See `predictor`.
    """

    inputs: StackInput
    head: nn.Linear

    def set_window(self, low: float, high: float) -> None:
        """Say which HU the levels 0 and 1 of the frames are; `build` does."""
        self.inputs.window_hu = high - low

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit (B,) and last feature map for frames (B, frames, H, W) in [0, 1]."""
        return self.classify(self.inputs(frames))

    @abstractmethod
    def classify(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and map for what the input layer gave, (B, C, frames, h, w)."""


def predictor(features: int) -> nn.Linear:
    """Return the linear layer from pooled features to the logit; it leans to neither outcome."""
    layer = nn.Linear(features, 1)
    nn.init.zeros_(layer.bias)
    return layer


def to_unit(channels: Tensor) -> Tensor:
    """Bring picture and mirror channel to about unit spread."""
    return torch.cat([channels[:, :1] * 4 - 2, channels[:, 1:] * 16], 1)
