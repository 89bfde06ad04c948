"""The two residual blocks of CTNet and the input layer before them.

The paper (Zhang 2026, 10.3389/fnins.2025.1753071) gives the two equations and no more: kernels,
normalisation and activation are this project's choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

TISSUE = 0.02
"""Intensity above which a pooled pixel counts as brain tissue: fluid and background are 0."""


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
    likely to point there (docs/performance.md).

    Parameters
    ----------
    pool : int
        In-plane pooling.
    mirror : bool
        Add the second channel.
    smooth : int
        Width of the smoothing box in pooled pixels, odd; it is applied twice in-plane, and over
        three frames.
    """

    def __init__(self, pool: int, mirror: bool, smooth: int) -> None:
        super().__init__()
        self.pool = pool
        self.mirror = mirror
        self.smooth = smooth

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return 2 if self.mirror else 1

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, channels, frames, h, w) for frames (B, frames, H, W) in [0, 1]."""
        picture = functional.avg_pool2d(frames, self.pool) if self.pool > 1 else frames
        picture = picture.unsqueeze(1)
        if not self.mirror:
            return picture
        tissue = (picture > TISSUE).to(picture.dtype)
        both = tissue * tissue.flip(-1)
        darker = self._blur((picture.flip(-1) - picture) * both) / (self._blur(both) + 0.1)
        return torch.cat([picture, functional.relu(darker)], 1)

    def _blur(self, x: Tensor) -> Tensor:
        kernel = (3, self.smooth, self.smooth)
        padding = (1, self.smooth // 2, self.smooth // 2)
        x = functional.avg_pool3d(x, kernel, 1, padding)
        return functional.avg_pool3d(x, (1, *kernel[1:]), 1, (0, *padding[1:]))
