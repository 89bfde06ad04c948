"""Small random changes to a batch, so that the network cannot learn pictures by heart.

They act on what the network's input layer gives (pooled intensity and mirror difference), which
costs a ninth of the full picture, and leave the mirror difference of the true midline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    """Limits of the uniform draws, or standard deviations where said.

    Parameters
    ----------
    rotation : float
        In-plane, degrees.
    scale : float
        In-plane, fraction.
    shift : float
        In-plane, fraction of the picture's half width.
    frames : int
        Frames up or down.
    gain, offset : float
        Of the intensity, fraction and intensity units (1 is the window's width).
    noise : float
        Standard deviation, intensity units.
    """

    rotation: float = 8.0
    scale: float = 0.08
    shift: float = 0.08
    frames: int = 1
    gain: float = 0.1
    offset: float = 0.05
    noise: float = 0.03


DEFAULT = Strength()


def augment(channels: Tensor, draw: torch.Generator, strength: Strength = DEFAULT) -> Tensor:
    """Return a changed copy of a batch.

    Parameters
    ----------
    channels : Tensor, float32 (B, C, frames, h, w)
        Channel 0 is the intensity in [0, 1] with 0 outside tissue, channel 1 (if there) the mirror
        difference. A left-right flip turns the difference of a scan into that of its mirror image.
    draw : torch.Generator
        Where all randomness comes from.
    strength : Strength
    """
    return augment_along(channels, None, draw, strength)[0]


def augment_along(
    channels: Tensor, along: Tensor | None, draw: torch.Generator, strength: Strength = DEFAULT
) -> tuple[Tensor, Tensor]:
    """Return a changed copy of a batch, and of pictures that move along with it.

    Parameters
    ----------
    channels, draw, strength
        See `augment`.
    along : Tensor, float32 (B, K, frames, h, w), or None
        Such as outlines: moved, and otherwise as they are.
    """
    count, device = len(channels), channels.device
    kinds = channels.shape[1]
    held = channels if along is None else torch.cat([channels, along], 1)

    # Drawn on the CPU, so that every device sees the same changes.
    def uniform(limit: float) -> Tensor:
        return ((torch.rand(count, generator=draw) * 2 - 1) * limit).to(device)

    flips = torch.where(torch.rand(count, generator=draw) < 0.5, -1.0, 1.0).to(device)
    moved = _move_in_plane(
        _move_frames(held, torch.round(uniform(strength.frames + 0.49)).long()),
        angle=uniform(strength.rotation) * math.pi / 180,
        scale=1 + uniform(strength.scale),
        shift=torch.stack([uniform(strength.shift), uniform(strength.shift)], 1),
        flips=flips,
    )
    gain = (1 + uniform(strength.gain)).view(-1, 1, 1, 1, 1)
    offset = uniform(strength.offset).view(-1, 1, 1, 1, 1)
    tissue = (moved[:, :1] > 0).to(moved.dtype)
    noise = torch.randn(moved[:, :1].shape, generator=draw).to(device) * strength.noise
    intensity = (moved[:, :1] * gain + (offset + noise) * tissue).clamp(0, 1)
    return torch.cat([intensity, moved[:, 1:kinds] * gain], 1), moved[:, kinds:]


def _move_frames(channels: Tensor, steps: Tensor) -> Tensor:
    frames = channels.shape[2]
    source = torch.arange(frames, device=channels.device).view(1, -1) + steps.view(-1, 1)
    inside = ((source >= 0) & (source < frames)).to(channels.dtype)
    rows = torch.arange(len(channels), device=channels.device).view(-1, 1)
    picked = channels.transpose(1, 2)[rows, source.clamp(0, frames - 1)]
    return picked.transpose(1, 2) * inside.view(len(channels), 1, frames, 1, 1)


def _move_in_plane(
    channels: Tensor, *, angle: Tensor, scale: Tensor, shift: Tensor, flips: Tensor
) -> Tensor:
    count, kinds, frames, height, width = channels.shape
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    matrix = torch.stack(
        [
            torch.stack([cos * flips, -sin * flips, shift[:, 0]], 1),
            torch.stack([sin, cos, shift[:, 1]], 1),
        ],
        1,
    )
    flat = channels.reshape(count, kinds * frames, height, width)
    grid = functional.affine_grid(matrix, list(flat.shape), align_corners=False)
    return functional.grid_sample(flat, grid, align_corners=False).view_as(channels)
