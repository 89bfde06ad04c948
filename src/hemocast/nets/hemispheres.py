"""Hemocast's own network: each hemisphere beside the mirror image of the other.

A reader of a stroke CT compares the two sides, outlines what is darker, and judges from that how
large and how dark it is. So does this network, which learns the first two on simulated heads
(``hemocast pretrain``) before it is told any outcome:

- the input layer tells tissue from fluid (`hemocast.nets.blocks.StackInput`), says how far grey
  matter stands out from what is about it (`TissueInput`), and learns nothing;
- both hemispheres go through the same small U-Net (Ronneberger 2015, 10.1007/978-3-319-24574-4_28)
  as two pictures, each with how much darker it is than the other. A scan and its mirror image give
  the same findings, to the bit but for rounding: there is nothing left that flipping could add;
- a dense head outlines the infarct, and `FINDINGS` are read off features pooled over the whole
  hemispheres and over the outlined part;
- the predictor is one linear layer on the findings.

Input (B, frames, H, W); 365,000 learned numbers with the default settings. Kernels, widths and
findings are this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig
from hemocast.nets.blocks import (
    EMPTY,
    FINE,
    ResidualBlock,
    StackInput,
    StackNetwork,
    blurred,
    doubled,
    normalisation,
    padded,
    pooled,
    predictor,
    relief,
)
from hemocast.nets.grid import MapGrid

FINDINGS = (
    "volume", "water_uptake", "aspects", "low_aspects", "hyperdense_artery", "leukoaraiosis",
    "severe_leukoaraiosis", "age",
)  # fmt: skip
"""What the network says of a scan, each about 0 with a spread of 1, or a probability."""

PROBABILITIES = ("hyperdense_artery", "leukoaraiosis", "severe_leukoaraiosis")

OF_LESION = ("volume", "water_uptake", "aspects", "low_aspects")
"""Findings that the heatmap shows in the outlined infarct; the others, wherever tissue is."""

BARE = {"volume": -2.1, "water_uptake": -2.4, "aspects": 0.8}
"""What members say of the lesion where next to none is: 1 mL, 2 % of water uptake, ASPECTS 10
(`hemocast.train.pretrain.findings` has the scales). The predictor counts from there, so that the
heatmap says what an infarct adds against such a head: a small one is no evidence against HT for
being smaller than most."""

BRAIN = 0.75
"""Inner part of the halves of a frame that is looked at: the rest, from 72 mm, holds no brain."""

DARKER = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2)
"""Levels (1 to 8 HU in the usual window): how much of a hemisphere is darker than the other by as
much, smoothed, is told to the findings as it is."""

CHANNELS = 8
_SOME = 1e-3


class TissueInput(StackInput):
    """Frames -> pooled picture, mean level of its tissue, share that is tissue, and relief.

    The relief (`hemocast.nets.blocks.relief`) is taken in pixels of `FINE` and averaged over those
    of ``pool``, where ``pool`` is a multiple of `FINE`; else in those of ``pool``.
    """

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return 4

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, 4, frames, h, w) for frames (B, frames, H, W) in [0, 1]."""
        fine = FINE if self.pool % FINE == 0 else self.pool
        picture = pooled(frames, fine).unsqueeze(1)
        tissue, share = self._tissue(frames, picture, fine)
        height, weight = relief(tissue, share)
        picture, held, share, height, weight = (
            pooled(x, self.pool // fine) for x in (picture, tissue * share, share, height, weight)
        )
        return torch.cat([picture, held / (share + EMPTY), share, height / (weight + _SOME)], 1)


@dataclass(frozen=True)
class Reading:
    """What the network makes of scans.

    Parameters
    ----------
    outline : Tensor, shape (B, 2, frames, h, columns)
        Logit of every pooled pixel that it is infarcted: the right hemisphere, then the left one,
        each from the midline outwards.
    raw : Tensor, shape (B, len(FINDINGS))
        Findings, of probabilities their logits.
    side : Tensor, shape (B,)
        Logit that the infarct is on the left.
    place : Tensor, shape (B, len(FINDINGS), frames, cells, cells)
        Where each finding lies, with a mean of 1.
    """

    outline: Tensor
    raw: Tensor
    side: Tensor
    place: Tensor

    @property
    def findings(self) -> Tensor:
        """Return the findings, (B, len(FINDINGS))."""
        chance = [name in PROBABILITIES for name in FINDINGS]
        return torch.where(
            torch.tensor(chance, device=self.raw.device), self.raw.sigmoid(), self.raw
        )


class Hemispheres(StackNetwork):
    """See the module's text.

    Parameters
    ----------
    config : NetConfig
        ``pool``, ``smooth`` and ``fluid_hu`` are those of the input layer; ``stem`` features at
        2 x 2 pooled pixels, the last of ``widths`` at 4 x 4 and two frames, twice as many at 8 x 8
        and four. Option ``members``: how many networks, whose findings are averaged.
    frames : int
        Frames of a stack.
    """

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__()
        cell = 2.0 * config.pool
        self.map_grid = MapGrid(step=(1.0, cell, cell), origin=(0.0, *[(cell - 1) / 2] * 2))
        # It sees tissue alone, also where the settings would keep fluid for other networks.
        fluid_hu = NetConfig().fluid_hu if config.fluid_hu is None else config.fluid_hu
        self.inputs = TissueInput(config.pool, True, config.smooth, fluid_hu)
        self.smooth = config.smooth
        members = int(config.options.get("members", 1))
        self.members = nn.ModuleList(
            Member(config.stem, config.widths[-1], config.smooth) for _ in range(members)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = predictor(len(FINDINGS))

    def classify(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and maps for what the input layer gave.

        The map of a finding is the finding, spread over where it lies; its mean is the finding.
        """
        readings = self.readings(channels)
        counted = [_counted(one) for one in readings]
        findings = torch.stack(counted).mean(0)
        maps = torch.stack(
            [
                of_one[:, :, None, None, None] * one.place
                for of_one, one in zip(counted, readings, strict=True)
            ]
        ).mean(0)
        return self.head(self.dropout(findings)).squeeze(1), maps

    def readings(self, channels: Tensor) -> list[Reading]:
        """Return what every member makes of scans."""
        return [member(channels) for member in self.members]

    def findings(self, channels: Tensor) -> Tensor:
        """Return the mean of the members' findings, from `BARE` on, (B, len(FINDINGS))."""
        return torch.stack([_counted(one) for one in self.readings(channels)]).mean(0)


class Member(nn.Module):
    """The U-Net with its dense head and the findings.

    Parameters
    ----------
    fine, coarse : int
        Features of the first and second level; the third has twice those of the second.
    smooth : int
        Box, in pooled pixels, over which the difference of the sides is averaged.
    """

    def __init__(self, fine: int, coarse: int, smooth: int) -> None:
        super().__init__()
        self.smooth = smooth
        self.first = nn.Sequential(
            nn.Conv3d(CHANNELS * 4, fine, 3, padding=1, bias=False),
            normalisation(fine),
            nn.ReLU(),
            nn.Conv3d(fine, fine, 3, padding=1, bias=False),
            normalisation(fine),
            nn.ReLU(),
        )
        cube, half = (3, 3, 3), (2, 2, 2)
        self.second = ResidualBlock(fine, coarse, cube, half)
        self.third = ResidualBlock(coarse, 2 * coarse, cube, half)
        self.up = ResidualBlock(3 * coarse, coarse, cube)
        self.last = nn.Sequential(nn.Conv3d(fine + coarse, 2 * fine, 1), nn.ReLU())
        self.dense = nn.Conv3d(2 * fine, 4, 1)
        nn.init.constant_(self.dense.bias, -3.0)  # type: ignore[arg-type]
        size = 3 * coarse + 2 * fine + 5 + len(DARKER)
        self.judge = nn.Sequential(nn.Linear(2 * size, 64), nn.ReLU(), nn.Linear(64, len(FINDINGS)))

    def forward(self, channels: Tensor) -> Reading:
        """Read what the input layer gave, (B, 4, frames, h, w)."""
        count, _, frames, height, width = channels.shape
        columns = _even(-int(-(width // 2) * BRAIN // 1))
        sides = _sides(channels, columns)
        x, apart = self._compared(sides)
        f0 = self.first(_folded(x))
        f1 = self.second(f0)
        f1 = self.up(torch.cat([f1, _grown(self.third(f1), f1)], 1))
        f0 = self.last(torch.cat([f0, _grown(f1, f0)], 1))
        outline = _unfolded(self.dense(f0)).float()
        outline = outline[:, :, :frames, :height, : sides.shape[-1]]
        share = sides[:, 2:3]
        there = torch.sigmoid(outline) * share
        summary = self._pooled(f0.float(), f1.float(), there, apart)
        mass = summary[:, 0].view(count, 2)
        pair = summary.view(count, 2, -1)
        raw = self.judge(torch.cat([pair.sum(1), (pair[:, 0] - pair[:, 1]).abs()], 1))
        place = self._place(there, share, count, width)
        return Reading(
            outline.reshape(count, 2, *outline.shape[2:]), raw, mass[:, 1] - mass[:, 0], place
        )

    def _compared(self, sides: Tensor) -> tuple[Tensor, Tensor]:
        """Return the U-Net's input, and how much darker and flatter than its mirror a place is."""
        picture, tissue, share, height = sides.chunk(4, 1)
        pairs = share.shape[0] // 2
        level = (tissue * share).reshape(pairs, -1).sum(1)
        level = level / share.reshape(pairs, -1).sum(1).clamp_min(1.0)
        level = torch.stack([level, level], 1).view(-1, 1, 1, 1, 1)
        swapped = sides.reshape(pairs, 2, *sides.shape[1:]).flip(1).reshape(sides.shape)
        both = share * swapped[:, 2:3]
        apart = (swapped[:, 1:2] - tissue) * both
        flatter = (swapped[:, 3:] - height) * both
        some = self._blur(both) + 0.1
        smooth, smooth_flatter = self._blur(apart) / some, self._blur(flatter) / some
        own = (tissue - level) * share
        x = torch.cat(
            [
                *((picture - level) * 4, own * 8, share, apart * 8, smooth * 16),
                *(height * share * 20, flatter * 40, smooth_flatter * 80),
            ],
            1,
        )
        return x, torch.cat([apart, both, smooth, flatter], 1)

    def _blur(self, x: Tensor) -> Tensor:
        return blurred(x, self.smooth)

    def _pooled(self, f0: Tensor, f1: Tensor, there: Tensor, apart: Tensor) -> Tensor:
        """Pool over each hemisphere and over the outlined part: (2 B, features), log mass first."""
        fine = _weighted(f0, _cells(there, f0, (1, 2, 2)))
        coarse = _weighted(f1, _cells(there, f1, (2, 4, 4)))
        mass = there.flatten(1).sum(1)
        seen = (apart[:, 1:2] * there).flatten(1).sum(1) + 1
        darker, flatter = ((apart[:, k] * there[:, 0]).flatten(1).sum(1) / seen for k in (0, 3))
        sure = (there.flatten(1) ** 2).sum(1) / (mass + 1)
        told = [torch.log(mass + 1), darker * 10, torch.log(darker.clamp_min(0.01)), sure]
        told.append(flatter * 40)
        for level in DARKER:
            beyond = torch.sigmoid((apart[:, 2:3] - level) * 80).flatten(1).sum(1)
            told.append(torch.log(beyond + 1) / 4)
        return torch.cat(
            [torch.stack(told, 1), fine, coarse, f1.flatten(2).mean(2), f1.flatten(2).amax(2)], 1
        )

    def _place(self, there: Tensor, share: Tensor, count: int, width: int) -> Tensor:
        """Return where each finding lies, on cells of 2 x 2 pooled pixels of the whole frame."""
        spread = []
        for part in (there, share):
            halves = part.reshape(count, 2, *part.shape[2:])
            missing = width // 2 - halves.shape[-1]
            whole = torch.cat([halves[:, 0].flip(-1), halves[:, 1]], -1)
            whole = padded(whole, 3, missing, missing)
            cells = functional.avg_pool3d(whole.unsqueeze(1), (1, 2, 2), ceil_mode=True)
            mean = cells.flatten(1).mean(1).view(-1, 1, 1, 1, 1)
            spread.append((cells + _SOME) / (mean + _SOME))
        return torch.cat([spread[int(name not in OF_LESION)] for name in FINDINGS], 1)


def hemispheres(config: NetConfig, frames: int) -> Hemispheres:
    """Build the network."""
    return Hemispheres(config, frames)


def _counted(reading: Reading) -> Tensor:
    """Return what the predictor is told: findings from `BARE` on."""
    bare = [BARE.get(name, 0.0) for name in FINDINGS]
    return reading.findings - reading.raw.new_tensor(bare)


def _even(columns: int) -> int:
    return columns + columns % 2


def _sides(x: Tensor, columns: int) -> Tensor:
    """Return the right half mirrored, and the left half, (2 B, C, D, h, columns)."""
    middle = x.shape[-1] // 2
    right = x[..., middle - min(columns, middle) : middle].flip(-1)
    left = x[..., -middle:][..., :columns]
    return torch.stack([right, left], 1).flatten(0, 1)


def split_sides(x: Tensor) -> Tensor:
    """Lay a whole-frame picture (B, D, h, w) out as `Reading.outline` is."""
    columns = _even(-int(-(x.shape[-1] // 2) * BRAIN // 1))
    sides = _sides(x.unsqueeze(1), columns)
    return sides.reshape(len(x), 2, *sides.shape[2:])


def _folded(x: Tensor) -> Tensor:
    """Put 2 x 2 pixels into the channels."""
    for axis in (3, 4):
        x = padded(x, axis, 0, x.shape[axis] % 2)
    n, c, d, h, w = x.shape
    cells = x.reshape(n, c, d, h // 2, 2, w // 2, 2)
    return cells.permute(0, 1, 4, 6, 2, 3, 5).reshape(n, c * 4, d, h // 2, w // 2)


def _grown(x: Tensor, like: Tensor) -> Tensor:
    """Repeat every cell along all axes, as far as the finer grid goes."""
    frames, height, width = like.shape[2:]
    return doubled(x)[:, :, :frames, :height, :width]


def _unfolded(x: Tensor) -> Tensor:
    n, c, d, h, w = x.shape
    parts = x.reshape(n, c // 4, 2, 2, d, h, w)
    return parts.permute(0, 1, 4, 5, 2, 6, 3).reshape(n, c // 4, d, h * 2, w * 2)


def _cells(x: Tensor, like: Tensor, step: tuple[int, int, int]) -> Tensor:
    """Average over cells, padded to the cells of `like`."""
    for axis, size in zip((2, 3, 4), step, strict=True):
        x = padded(x, axis, 0, like.shape[axis] * size - x.shape[axis])
    return functional.avg_pool3d(x, step)


def _weighted(features: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean of features, (n, C)."""
    return (features * weight).flatten(2).sum(2) / (weight.flatten(2).sum(2) + 0.1)
