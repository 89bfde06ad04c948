"""What a network is taught in pre-training: by what it is fed, what it has to say, what is wrong.

Hemocast's own network outlines the infarct in fine pixels, on heads that are randomised beyond
realism. Any other network of the registry learns on what it is always fed, changed as in training:
its pooled features name the findings by one linear layer, and its last map outlines the infarct in
cells. As both layers are linear, so is HT in the findings and in the features: the network keeps
the form it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig
from hemocast.nets import Network, build, classify, input_channels
from hemocast.nets.hemispheres import (
    BRAIN,
    FINDINGS,
    PROBABILITIES,
    Member,
    Reading,
    TissueInput,
    split_sides,
)
from hemocast.train.augment import augment_along
from hemocast.train.pretrain.randomise import TISSUE, Batch, randomise

OWN_NAME = "hemispheres"
"""Of Hemocast's own network in the registry."""

WEIGHT = {"volume": 1.0, "water_uptake": 1.0, "aspects": 0.5, "low_aspects": 0.5,
          "hyperdense_artery": 0.7, "leukoaraiosis": 0.5, "severe_leukoaraiosis": 0.5,
          "age": 0.4}  # fmt: skip
"""Of each finding in the loss; the outline has 2."""

PLAIN = 0.125
"""Darker by so many levels (5 HU), an infarct is plain to see: its outline counts in full."""

_FEW = 10.0


class Lesson(ABC):
    """How one kind of network is taught.

    Parameters
    ----------
    config : NetConfig
        Its settings.
    frames : int
        Of a stack.
    """

    def __init__(self, config: NetConfig, frames: int) -> None:
        self.config = config
        self.frames = frames

    @abstractmethod
    def inputs(self, frames: Tensor) -> Tensor:
        """Return what it is fed, (B, C, frames, h, w), for frames (B, frames, H, W) in [0, 1]."""

    @abstractmethod
    def pupil(self) -> nn.Module:
        """Return a fresh network, weights from torch's global generator: channels to a reading."""

    @abstractmethod
    def changed(self, batch: Batch, draw: torch.Generator) -> Batch:
        """Return a batch that is changed at random."""

    @abstractmethod
    def losses(self, reading: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of what the pupil says of a batch."""

    def bf16_is_right(self, shape: Sequence[int]) -> bool:
        """Tell whether gradients in bfloat16 are right for channels of frames, h, w."""
        return True


class OwnLesson(Lesson):
    """Of a member of `hemocast.nets.hemispheres`."""

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__(config, frames)
        self._input = TissueInput(config.pool, True, config.smooth, config.fluid_hu)

    def inputs(self, frames: Tensor) -> Tensor:
        """See `Lesson`."""
        return self._input(frames)  # type: ignore[no-any-return]

    def pupil(self) -> Member:
        """See `Lesson`."""
        return Member(self.config.stem, self.config.widths[-1], self.config.smooth)

    def changed(self, batch: Batch, draw: torch.Generator) -> Batch:
        """See `Lesson`."""
        return randomise(batch, draw)

    def losses(self, reading: Reading, batch: Batch) -> dict[str, Tensor]:
        """See `Lesson`: outline, side and every finding."""
        true, sure = split_sides(batch.lesion[:, 0]), _sure(batch)
        entropy = functional.binary_cross_entropy_with_logits(
            reading.outline, true, sure.view(-1, 1, 1, 1, 1)
        )
        p, t = torch.sigmoid(reading.outline).flatten(1), true.flatten(1)
        dice = 1 - (2 * (p * t).sum(1) + _FEW) / (p.sum(1) + t.sum(1) + _FEW)
        return {
            "outline": 10 * entropy + (dice * sure).mean(),
            "side": 0.3 * functional.binary_cross_entropy_with_logits(reading.side, batch.left),
        } | _of_findings(reading.raw, batch.target)

    def bf16_is_right(self, shape: Sequence[int]) -> bool:
        """See `Lesson`: on pictures smaller than the kernel it is not (seen in torch 2.13)."""
        frames, height, width = shape
        return min(-(-frames // 4), -(-height // 8), -(-int(width // 2 * BRAIN) // 8)) >= 3


@dataclass(frozen=True)
class NamedReading:
    """What a network with two linear layers more says of scans.

    Parameters
    ----------
    raw : Tensor, shape (B, len(FINDINGS))
        Findings, of probabilities their logits.
    cells : Tensor, shape (B, D, h, w) or (B, h, w)
        Logit of the infarct's share of every cell of the last map.
    """

    raw: Tensor
    cells: Tensor


class Named(nn.Module):
    """A network of the registry, one linear layer that names findings, and one that outlines.

    Parameters
    ----------
    net : Network
        Its ``head`` is left aside.
    """

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net
        features = net.head.in_features
        self.findings = nn.Linear(features, len(FINDINGS))
        self.outline = nn.Linear(features, 1)
        nn.init.constant_(self.outline.bias, -3.0)

    def forward(self, channels: Tensor) -> NamedReading:
        """Read what the network is fed, (B, C, frames, h, w)."""
        maps = classify(self.net, channels)[1].float()
        raw = self.findings(maps.flatten(2).mean(2))
        return NamedReading(raw, self.outline(maps.movedim(1, -1)).squeeze(-1))


class NamedLesson(Lesson):
    """Of any other network of the registry."""

    def __init__(self, config: NetConfig, frames: int) -> None:
        super().__init__(config, frames)
        self._net = build(config, frames).eval()

    def inputs(self, frames: Tensor) -> Tensor:
        """See `Lesson`."""
        return input_channels(self._net, frames)

    def pupil(self) -> Named:
        """See `Lesson`."""
        return Named(build(self.config, self.frames))

    def changed(self, batch: Batch, draw: torch.Generator) -> Batch:
        """See `Lesson`."""
        channels, lesion = augment_along(batch.channels, batch.lesion, draw)
        return replace(batch, channels=channels, lesion=lesion)

    def losses(self, reading: NamedReading, batch: Batch) -> dict[str, Tensor]:
        """See `Lesson`: outline in cells, and every finding."""
        shape = reading.cells.shape[1:]
        lesion = batch.lesion[:, 0] if len(shape) == 3 else batch.lesion[:, 0].mean(1)
        pool = functional.adaptive_avg_pool3d if len(shape) == 3 else functional.adaptive_avg_pool2d
        weight = _sure(batch).view(-1, *[1] * len(shape))
        true = pool(lesion.unsqueeze(1), shape)[:, 0]  # type: ignore[arg-type]
        entropy = functional.binary_cross_entropy_with_logits(reading.cells, true, weight)
        return {"outline": 2 * entropy} | _of_findings(reading.raw, batch.target)


def lesson_of(config: NetConfig, frames: int) -> Lesson:
    """Return how the network of some settings, for stacks of so many frames, is taught.

    Raises
    ------
    ConfigError, MissingExtra
        See `hemocast.nets.build`.
    """
    return (OwnLesson if config.name == OWN_NAME else NamedLesson)(config, frames)


def _sure(batch: Batch) -> Tensor:
    """An outline counts less where the infarct can hardly be seen, (B,)."""
    return (batch.uptake * TISSUE / PLAIN).clamp(0.1, 1)


def _of_findings(raw: Tensor, target: Tensor) -> dict[str, Tensor]:
    losses = {}
    for k, name in enumerate(FINDINGS):
        said, true = raw[:, k].float(), target[:, k]
        if name in PROBABILITIES:
            loss = functional.binary_cross_entropy_with_logits(said, true)
        else:
            loss = functional.smooth_l1_loss(said, true, beta=2.0)
        losses[name] = WEIGHT[name] * loss
    return losses
