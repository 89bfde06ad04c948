"""Scans made more various than any scanner makes them, on what the network's input layer gives.

What a network sees in pre-training differs in contrast, offset, noise, relief, sharpness, slice
thickness, rim under the bone, texture, size and place from step to step. Who learns the infarct
through all of it need not unlearn a simulator's looks (domain randomisation, Tobin 2017,
10.1109/IROS.2017.8202133). A faint infarct stays as it was simulated: grey matter darkens and white
hardly does, which nothing that is added to pooled pixels can imitate. Some are darkened further, as
days darken them: then grey and white are lost alike, and what is as dark as fluid is taken for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from hemocast.nets.blocks import box_mean
from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.findings import UPTAKE_SPREAD, VOLUME_SPREAD

TISSUE = 33.0 / 40
"""Mean level of healthy brain above 0 HU, in the usual window: what water uptake is a share of."""

LEVELS_PER_HU = 1 / 40

_FLUID, _FLUID_SPREAD = 9 * LEVELS_PER_HU, 3 * LEVELS_PER_HU
"""From so far below the mean of a head's tissue a darkened infarct is taken for fluid, and over
what range; ours. On 60 simulated heads `StackInput` takes for fluid what lies 11.8 HU below (10.6
to 16), and pixels of 3 mm spread by 3.4 HU about the mean of those of 6 mm."""

_FLAT = 5 * LEVELS_PER_HU
"""Darkened by so much, grey matter stands out no more; ours."""

_MOST_UPTAKE = 0.8
"""What is darker is called no wetter; ours."""


@dataclass(frozen=True)
class Batch:
    """Scans to learn from.

    Parameters
    ----------
    channels : Tensor, float32 (B, 4, frames, h, w)
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
    gain, offset_hu : float
        Standard deviations: of the logarithm of the contrast, and of what is added to all.
    relief : float
        Standard deviation of the logarithm of the relief's factor, as kernels and noise change it.
    noise_hu : float
        In pooled pixels.
    texture_hu : float
        Of a smooth random field.
    rim_hu : float
        Brightening of the outermost tissue.
    blur : float
        Share of scans that are blurred in-plane, or along the frames.
    shift : float
        Along the midline, fraction of the half width; across it, a quarter of that; with a shift,
        by one frame up or down, too.
    zoom : float
        Standard deviation of the logarithm of the size, in-plane, along each axis by itself.
    turn_deg : float
        Standard deviation, in-plane: what posing leaves.
    dark, dark_hu : float
        Share of scans whose infarct is darkened further, and by how much at most.
    """

    gain: float = 0.12
    offset_hu: float = 2.0
    relief: float = 0.25
    noise_hu: float = 0.8
    texture_hu: float = 1.0
    rim_hu: float = 5.0
    blur: float = 0.3
    shift: float = 0.125
    zoom: float = 0.04
    turn_deg: float = 1.5
    dark: float = 0.25
    dark_hu: float = 14.0


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
    batch = _darkened(batch, dice, strength)
    channels, share = batch.channels, batch.channels[:, 2:3]
    field = torch.randn(len(channels), 1, 7, 7, 7, generator=draw)
    field = functional.interpolate(field, size=channels.shape[2:], mode="trilinear")
    added = field * dice.uniform(strength.texture_hu * LEVELS_PER_HU)
    noise = torch.randn(share.shape, generator=draw)
    added = added + noise * dice.uniform(strength.noise_hu * LEVELS_PER_HU)
    edge = 1 - box_mean(share, (1, 5, 5))
    added = added + edge.square() * dice.uniform(strength.rim_hu * LEVELS_PER_HU).clamp_min(0)
    gain = torch.exp(dice.normal(strength.gain))
    offset = dice.normal(strength.offset_hu * LEVELS_PER_HU)
    level = _level(channels)
    tissue = level + gain * (channels[:, 1:2] + added - level) + offset
    picture = level + gain * (channels[:, :1] + added * share - level) + offset * share
    relief = channels[:, 3:] * gain * torch.exp(dice.normal(strength.relief))
    held = torch.cat([picture.clamp(0, 1), tissue * share, relief * share, share, batch.lesion], 1)
    held, larger = _moved(_blurred(held, dice, strength.blur), dice, strength)
    picture, tissue, relief, share, lesion = held.chunk(5, 1)
    some, there = share + 1e-4, share > 0
    channels = torch.cat([picture, tissue / some * there, share, relief / some * there], 1)
    target = batch.target.clone()
    target[:, FINDINGS.index("volume")] += larger / VOLUME_SPREAD
    return replace(batch, channels=channels, lesion=lesion, target=target)


def _level(channels: Tensor) -> Tensor:
    """Return the mean level of each scan's tissue."""
    tissue, share = channels[:, 1:2], channels[:, 2:3]
    level = (tissue * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp_min(1)
    return level.view(-1, 1, 1, 1, 1)


def _darkened(batch: Batch, dice: _Dice, strength: Strength) -> Batch:
    """Darken the infarct of some scans, and say so of its water uptake."""
    more = dice.uniform(strength.dark_hu * LEVELS_PER_HU).abs() * dice.chance(strength.dark)
    if not bool(more.any()):
        return batch
    picture, tissue, share, relief = batch.channels.chunk(4, 1)
    part = (batch.lesion / share.clamp_min(1e-4)).clamp(0, 1)
    fluid = _level(batch.channels) - _FLUID
    darker = tissue - more * part
    kept = torch.sigmoid((darker - fluid) / _FLUID_SPREAD)
    kept = kept / torch.sigmoid((tissue - fluid) / _FLUID_SPREAD)
    channels = torch.cat(
        [
            (picture - more * batch.lesion).clamp_min(0),
            torch.where(tissue > fluid, torch.maximum(darker, fluid), tissue),
            share * (1 - part * (1 - kept)),
            relief * (1 - part * (more / _FLAT).clamp_max(1)),
        ],
        1,
    )
    before = batch.uptake.clamp_min(1e-3)
    uptake = (before + more.flatten() / TISSUE).clamp_max(_MOST_UPTAKE)
    target, at = batch.target.clone(), FINDINGS.index("water_uptake")
    target[:, at] += torch.log(uptake / before) / UPTAKE_SPREAD
    return replace(batch, channels=channels, uptake=uptake, target=target)


def _blurred(x: Tensor, dice: _Dice, chance: float) -> Tensor:
    """Blur some scans in-plane, as soft kernels do, and some along the frames, as thick slices."""
    for box in ((1, 3, 3), (3, 1, 1)):
        amount = dice.uniform(1.0).abs() * dice.chance(chance)
        if bool(amount.any()):
            x = x + amount * (box_mean(x, box) - x)
    return x


def _moved(x: Tensor, dice: _Dice, strength: Strength) -> tuple[Tensor, Tensor]:
    """Shift, turn and zoom scans; also return the logarithm of how much larger all has become."""
    count, kinds, frames, height, width = x.shape
    wide, high = (dice.normal(strength.zoom).flatten() for _ in range(2))
    if not (strength.shift or strength.zoom or strength.turn_deg):
        return x, wide + high
    across, along = (
        dice.uniform(limit).flatten() for limit in (strength.shift / 4, strength.shift)
    )
    turn, aspect = dice.normal(math.radians(strength.turn_deg)).flatten(), height / width
    x_row = [turn.cos() / wide.exp(), -turn.sin() / high.exp() * aspect, across]
    y_row = [turn.sin() / wide.exp() / aspect, turn.cos() / high.exp(), along]
    matrix = torch.stack([*x_row, *y_row], 1).view(count, 2, 3)
    flat = x.reshape(count, kinds * frames, height, width)
    grid = functional.affine_grid(matrix, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, align_corners=False).view_as(x)
    steps = torch.randint(-1, 2, (count,), generator=dice.draw).tolist()
    if strength.shift:
        moved = torch.stack([one.roll(n, 1) for one, n in zip(moved, steps, strict=True)])
    return moved, wide + high


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
