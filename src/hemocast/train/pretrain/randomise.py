"""Scans made more various than any scanner makes them, on what the network's input layer gives.

What a network sees in pre-training differs in contrast, offset, noise, sharpness, slice thickness,
rim under the bone, texture and place from step to step; so does how dark the infarct is. Who
learns the infarct through all of it need not unlearn a simulator's looks (domain randomisation,
Tobin 2017, 10.1109/IROS.2017.8202133). That infarcts change heads, and that heads grow and turn,
is there too but off: after 2,800 steps it had brought nothing yet (docs/models.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from hemocast.nets.blocks import box_mean
from hemocast.nets.hemispheres import FINDINGS, OF_LESION
from hemocast.train.pretrain.findings import UPTAKE_SPREAD, VOLUME_SPREAD

TISSUE = 33.0 / 40
"""Mean level of healthy brain above 0 HU, in the usual window: what water uptake is a share of."""

LEVELS_PER_HU = 1 / 40


@dataclass(frozen=True)
class Batch:
    """Scans to learn from.

    Parameters
    ----------
    channels : Tensor, float32 (B, 3, frames, h, w)
        Of `hemocast.nets.hemispheres.TissueInput`.
    lesion : Tensor, float32 (B, 1, frames, h, w)
        Share of each pooled pixel that is infarcted.
    uptake : Tensor, shape (B,)
        Net water uptake of the infarct.
    target : Tensor, shape (B, len(FINDINGS))
        What is to be said.
    left : Tensor, shape (B,)
        1 where the infarct is on the left.
    """

    channels: Tensor
    lesion: Tensor
    uptake: Tensor
    target: Tensor
    left: Tensor


@dataclass(frozen=True)
class Strength:
    """Limits of uniform draws, or standard deviations where said.

    Parameters
    ----------
    exchange : float
        Share of scans that get another's infarct.
    uptake : float
        Standard deviation of the logarithm of the factor on the water uptake.
    gain, offset_hu : float
        Standard deviations: of the logarithm of the contrast, and of what is added to all.
    noise_hu : float
        In pooled pixels.
    texture_hu : float
        Of a smooth random field.
    rim_hu : float
        Brightening of the outermost tissue.
    blur : float
        Share of scans that are blurred in-plane, or along the frames.
    scale, rotation, shift : float
        In-plane: fraction, along each axis; degrees; fraction of the half width.
    """

    exchange: float = 0.0
    uptake: float = 0.35
    gain: float = 0.08
    offset_hu: float = 1.6
    noise_hu: float = 0.8
    texture_hu: float = 0.8
    rim_hu: float = 6.0
    blur: float = 0.2
    scale: float = 0.0
    rotation: float = 0.0
    shift: float = 0.125


NONE = Strength(**dict.fromkeys(Strength.__dataclass_fields__, 0.0))
"""Nothing changes."""


def randomise(batch: Batch, draw: torch.Generator, strength: Strength = Strength()) -> Batch:
    """Return a changed batch.

    Parameters
    ----------
    batch : Batch
    draw : torch.Generator
        Where all randomness comes from.
    strength : Strength
    """
    dice = _Dice(draw, len(batch.left))
    batch = _darkened(_exchanged(batch, dice, strength), dice, strength)
    channels, share = batch.channels, batch.channels[:, 2:]
    field = torch.randn(len(channels), 1, 7, 7, 7, generator=draw)
    field = functional.interpolate(field, size=channels.shape[2:], mode="trilinear")
    added = field * dice.uniform(strength.texture_hu * LEVELS_PER_HU)
    noise = torch.randn(share.shape, generator=draw)
    added = added + noise * dice.uniform(strength.noise_hu * LEVELS_PER_HU)
    edge = 1 - box_mean(share, (1, 5, 5))
    added = added + edge.square() * dice.uniform(strength.rim_hu * LEVELS_PER_HU).clamp_min(0)
    gain = torch.exp(dice.normal(strength.gain))
    offset = dice.normal(strength.offset_hu * LEVELS_PER_HU)
    level = (channels[:, 1:2] * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp_min(1)
    level = level.view(-1, 1, 1, 1, 1)
    tissue = level + gain * (channels[:, 1:2] + added - level) + offset
    picture = level + gain * (channels[:, :1] + added * share - level) + offset * share
    held = torch.cat([picture.clamp(0, 1), tissue * share, share, batch.lesion], 1)
    held, larger = _moved(_blurred(held, dice, strength.blur), dice, strength)
    target = batch.target.clone()
    target[:, FINDINGS.index("volume")] += larger / VOLUME_SPREAD
    share = held[:, 2:3]
    tissue = held[:, 1:2] / (share + 1e-4) * (share > 0)
    channels = torch.cat([held[:, :1], tissue, share], 1)
    return replace(batch, channels=channels, lesion=held[:, 3:], target=target)


def _exchanged(batch: Batch, dice: _Dice, strength: Strength) -> Batch:
    """Take the infarct out of some scans, and put the one of the next in, mirrored or not."""
    take, mirror = dice.chance(strength.exchange), dice.chance(0.5)
    share = batch.channels[:, 2:]
    other = torch.arange(dice.count).roll(1)
    given = torch.where(mirror, batch.lesion[other].flip(-1), batch.lesion[other])
    given = torch.minimum(given, share)
    own, new = (x.view(-1, 1, 1, 1, 1) for x in (batch.uptake, batch.uptake[other]))
    lighter = (own * _within(batch.lesion, share) - new * _within(given, share)) * TISSUE * take
    kept = ~take.flatten()
    target = batch.target.clone()
    for name in OF_LESION:
        k = FINDINGS.index(name)
        target[:, k] = torch.where(kept, target[:, k], batch.target[other, k])
    left = torch.where(mirror.flatten(), 1 - batch.left[other], batch.left[other])
    return Batch(
        _brightened(batch.channels, lighter),
        torch.where(take, given, batch.lesion),
        torch.where(kept, batch.uptake, batch.uptake[other]),
        target,
        torch.where(kept, batch.left, left),
    )


def _darkened(batch: Batch, dice: _Dice, strength: Strength) -> Batch:
    """Change how dark the infarct is, and what is to be said of it."""
    factor = torch.exp(dice.normal(strength.uptake))
    own = batch.uptake.view(-1, 1, 1, 1, 1)
    lighter = (1 - factor) * own * _within(batch.lesion, batch.channels[:, 2:]) * TISSUE
    target = batch.target.clone()
    target[:, FINDINGS.index("water_uptake")] += torch.log(factor).flatten() / UPTAKE_SPREAD
    return replace(
        batch,
        channels=_brightened(batch.channels, lighter),
        uptake=batch.uptake * factor.flatten(),
        target=target,
    )


def _within(lesion: Tensor, share: Tensor) -> Tensor:
    """Return the share of the tissue that is infarcted."""
    return (lesion / (share + 0.05)).clamp(0, 1)


def _brightened(channels: Tensor, levels: Tensor) -> Tensor:
    picture, tissue, share = channels[:, :1], channels[:, 1:2], channels[:, 2:]
    return torch.cat([(picture + levels * share).clamp(0, 1), tissue + levels, share], 1)


def _blurred(x: Tensor, dice: _Dice, chance: float) -> Tensor:
    """Blur some scans in-plane, as soft kernels do, and some along the frames, as thick slices."""
    for box in ((1, 3, 3), (3, 1, 1)):
        amount = dice.uniform(1.0).abs() * dice.chance(chance)
        if bool(amount.any()):
            x = x + amount * (box_mean(x, box) - x)
    return x


def _moved(x: Tensor, dice: _Dice, strength: Strength) -> tuple[Tensor, Tensor]:
    """Scale, turn and shift scans; return the logarithm of how much larger they are, too."""
    count, kinds, frames, height, width = x.shape
    grow = [torch.exp(dice.uniform(strength.scale)).flatten() for _ in range(2)]
    angle = dice.uniform(strength.rotation).flatten() * math.pi / 180
    cos, sin = torch.cos(angle), torch.sin(angle)
    across, along = (
        dice.uniform(limit).flatten() for limit in (strength.shift / 4, strength.shift)
    )
    matrix = torch.stack(
        [
            torch.stack([cos / grow[0], -sin / grow[0], across], 1),
            torch.stack([sin / grow[1], cos / grow[1], along], 1),
        ],
        1,
    )
    flat = x.reshape(count, kinds * frames, height, width)
    grid = functional.affine_grid(matrix, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, align_corners=False).view_as(x)
    if strength.shift:
        steps = torch.randint(-1, 2, (count,), generator=dice.draw).tolist()
        moved = torch.stack([one.roll(n, 1) for one, n in zip(moved, steps, strict=True)])
    return moved, torch.log(grow[0] * grow[1])


@dataclass(frozen=True)
class _Dice:
    """One number for every scan of a batch, (B, 1, 1, 1, 1)."""

    draw: torch.Generator
    count: int

    def _one(self) -> Tensor:
        return torch.rand(self.count, 1, 1, 1, 1, generator=self.draw)

    def uniform(self, limit: float) -> Tensor:
        """From minus to plus the limit."""
        return (self._one() * 2 - 1) * limit

    def chance(self, share: float) -> Tensor:
        """True in a share of the scans."""
        return self._one() < share

    def normal(self, deviation: float) -> Tensor:
        """About 0."""
        return torch.randn(self.count, 1, 1, 1, 1, generator=self.draw) * deviation
