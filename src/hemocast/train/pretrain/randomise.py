"""Scans made more various than any scanner makes them, on what the network's input layer gives.

What a network sees in pre-training differs in contrast, offset, noise, sharpness, slice thickness,
rim under the bone and texture from step to step, and so does how dark the infarct is; who learns
the infarct through all of it need not unlearn a simulator's looks (domain randomisation, Tobin
2017, 10.1109/IROS.2017.8202133). Sides need no changing: the network treats both alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hemocast.nets.blocks import box_mean
from hemocast.train.pretrain.findings import UPTAKE_SPREAD

TISSUE_HU = 33.0
"""Mean CT number of healthy brain: what a water uptake is a share of."""


@dataclass(frozen=True)
class Strength:
    """Limits of uniform draws, or standard deviations where said.

    Parameters
    ----------
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
    """

    uptake: float = 0.35
    gain: float = 0.08
    offset_hu: float = 1.6
    noise_hu: float = 0.8
    texture_hu: float = 0.8
    rim_hu: float = 6.0
    blur: float = 0.2


def randomise(
    channels: Tensor, lesion: Tensor, draw: torch.Generator, strength: Strength = Strength()
) -> tuple[Tensor, Tensor, Tensor]:
    """Return changed channels and lesions, and what has to be added to the uptake's finding.

    Parameters
    ----------
    channels : Tensor, float32 (B, 3, frames, h, w)
        Of `hemocast.nets.hemispheres.TissueInput`.
    lesion : Tensor, float32 (B, 2, frames, h, w)
        Share of each pooled pixel that is infarcted; and the same times the uptake.
    draw : torch.Generator
        Where all randomness comes from.
    strength : Strength
    """
    picture, tissue, share = channels[:, :1], channels[:, 1:2], channels[:, 2:]
    lesion, uptake = lesion[:, :1], lesion[:, 1:]
    dice = _Dice(draw, len(channels))
    factor = torch.exp(dice.normal(strength.uptake))
    darker = (factor - 1) * uptake * (TISSUE_HU / 40)
    field = torch.randn(len(channels), 1, 7, 9, 9, generator=draw)
    field = functional.interpolate(field, size=channels.shape[2:], mode="trilinear")
    noise = torch.randn(tissue.shape, generator=draw)
    added = field * dice.uniform(strength.texture_hu / 40) - darker
    added = added + noise * dice.uniform(strength.noise_hu / 40)
    edge = 1 - box_mean(share, (1, 7, 7))
    added = added + edge.square() * dice.uniform(strength.rim_hu / 40).clamp_min(0)
    level = (tissue * share).flatten(1).sum(1) / share.flatten(1).sum(1).clamp_min(1)
    level = level.view(-1, 1, 1, 1, 1)
    gain, offset = torch.exp(dice.normal(strength.gain)), dice.normal(strength.offset_hu / 40)
    tissue = level + gain * (tissue + added - level) + offset
    picture = (level + gain * (picture + added * share - level) + offset * share).clamp(0, 1)
    held = torch.cat([picture, tissue * share, share, lesion], 1)
    held = _moved(_blurred(held, dice, strength.blur), draw)
    share = held[:, 2:3]
    tissue = held[:, 1:2] / (share + 1e-4) * (share > 0)
    changed = torch.cat([held[:, :1], tissue, share], 1)
    return changed, held[:, 3], torch.log(factor).flatten() / UPTAKE_SPREAD


def _blurred(x: Tensor, dice: _Dice, chance: float) -> Tensor:
    """Blur some scans in-plane, as soft kernels do, and some along the frames, as thick slices."""
    for box in ((1, 3, 3), (3, 1, 1)):
        amount = (dice.uniform(1.0).abs() * (dice.uniform(1.0).abs() < chance)).clamp(0, 1)
        if bool(amount.any()):
            x = x + amount * (box_mean(x, box) - x)
    return x


def _moved(x: Tensor, draw: torch.Generator) -> Tensor:
    """Shift whole scans by a frame, two rows and one column: the midline is never found exactly."""
    steps = torch.randint(-2, 3, (len(x), 3), generator=draw).tolist()
    return torch.stack(
        [
            one.roll((round(dz / 2), dy, round(dx / 4)), (1, 2, 3))
            for one, (dz, dy, dx) in zip(x, steps, strict=True)
        ]
    )


@dataclass(frozen=True)
class _Dice:
    """One number for every scan of a batch, (B, 1, 1, 1, 1)."""

    draw: torch.Generator
    count: int

    def uniform(self, limit: float) -> Tensor:
        """From minus to plus the limit."""
        return (torch.rand(self.count, 1, 1, 1, 1, generator=self.draw) * 2 - 1) * limit

    def normal(self, deviation: float) -> Tensor:
        """About 0."""
        return torch.randn(self.count, 1, 1, 1, 1, generator=self.draw) * deviation
