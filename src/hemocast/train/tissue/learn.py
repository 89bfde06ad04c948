"""Training of the tissue map, resumable: every sample is drawn anew, none is seen twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import SeedSequence
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from hemocast.anatomy.tissue.blocks import channels
from hemocast.anatomy.tissue.map import Kind
from hemocast.simulate.randomised.heads import read_head
from hemocast.simulate.randomised.sample import draw_sample
from hemocast.train.tissue.network import TissueNet

_WEIGHTS = {Kind.BLOOD: 2.5, Kind.CALCIUM: 2.0, Kind.VESSEL: 2.0, Kind.METAL: 2.0,
            Kind.OLD_INFARCT: 1.5, Kind.DURA: 1.5, Kind.ACUTE: 1.5}  # fmt: skip
_OVERLAPS = (Kind.BLOOD, Kind.CALCIUM, Kind.METAL, Kind.VENTRICLE, Kind.ACUTE)
_REPORT = 25
_KEEP_SECONDS = 120


@dataclass(frozen=True)
class Course:
    """How long and how fast to learn.

    Parameters
    ----------
    minutes : float
        In all, stops left out; the rate falls along a cosine over them.
    rate : float
        Largest learning rate.
    batch : int
        Samples a step.
    seed : int
        Of weights and samples.
    """

    minutes: float = 64.0
    rate: float = 3e-3
    batch: int = 4
    seed: int = 2026


class Stream(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Samples without end, drawn from labelled heads."""

    def __init__(self, heads: list[Path], seed: int, start: int) -> None:
        self.heads, self.seed, self.start = heads, seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield windows, kinds and share inside the dura."""
        torch.set_num_threads(1)
        number = self.start
        while True:
            rng = np.random.default_rng(SeedSequence([self.seed, number]))
            drawn = draw_sample(rng, read_head(self.heads[rng.integers(len(self.heads))]))
            yield (
                torch.from_numpy(channels(drawn.hu.astype(np.float32))),
                torch.from_numpy(drawn.kind.astype(np.int64)),
                torch.from_numpy(drawn.inside.astype(np.float32) / 255),
            )
            number += 1


def learn(heads: list[Path], folder: Path, course: Course) -> TissueNet:
    """Train, or go on where an earlier call stopped.

    Parameters
    ----------
    heads : list of Path
        Files of `keep_heads`.
    folder : Path
        Takes ``checkpoint.pt`` and ``curve.jsonl``.
    course : Course
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(course.seed)
    net: TissueNet = TissueNet().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(net.parameters(), lr=course.rate, weight_decay=1e-4)
    state = {"step": 0.0, "seconds": 0.0}
    kept = folder / "checkpoint.pt"
    if kept.exists():
        held = torch.load(kept, weights_only=True)
        net.load_state_dict(held["net"])
        optimiser.load_state_dict(held["optimiser"])
        state = held["state"]
    stream = Stream(heads, course.seed, int(state["step"]) * course.batch)
    batches = iter(DataLoader(stream, batch_size=course.batch, num_workers=1, prefetch_factor=6))
    net.train()
    last, saved = time.monotonic(), time.monotonic()
    seen: list[dict[str, float]] = []
    while state["seconds"] < course.minutes * 60:
        share = state["seconds"] / (course.minutes * 60)
        warm = min(1.0, (state["step"] + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = float(course.rate * warm * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5)
        seen.append(_step(net, optimiser, next(batches)))
        now = time.monotonic()
        state["step"] += 1
        state["seconds"] += now - last
        last = now
        if len(seen) == _REPORT:
            means = {key: float(np.nanmean([s[key] for s in seen])) for key in seen[0]}
            row = {**state, **{key: round(value, 4) for key, value in means.items()}}
            with (folder / "curve.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            seen = []
        if now - saved > _KEEP_SECONDS:
            _keep(kept, net, optimiser, state)
            saved = now
    _keep(kept, net, optimiser, state)
    net.eval()
    return net


def _keep(path: Path, net: nn.Module, optimiser: Any, state: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    torch.save(
        {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "state": dict(state)}, part
    )
    part.replace(path)


def _step(
    net: TissueNet, optimiser: torch.optim.Optimizer, batch: list[Tensor]
) -> dict[str, float]:
    x, kind, inside = batch
    x = x.to(memory_format=torch.channels_last_3d)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(x)
    loss, seen = _loss(logits.float(), kind, inside)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimiser.step()
    return seen


def _loss(logits: Tensor, kind: Tensor, inside: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy and Dice of the kinds, and both of inside the dura."""
    of_kinds, dura = logits[:, :-1], logits[:, -1]
    weights = torch.ones(len(Kind))
    for one, weight in _WEIGHTS.items():
        weights[one] = weight
    logged = torch.log_softmax(of_kinds, 1)
    entropy = nn.functional.nll_loss(logged, kind, weights)
    dice = {one: _dice(logged[:, one].exp(), (kind == one).float()) for one in _OVERLAPS}
    border = nn.functional.binary_cross_entropy_with_logits(dura, inside)
    p = torch.sigmoid(dura)
    loss = entropy
    for one, value in dice.items():
        if value is not None:
            loss = loss + (1.0 if one == Kind.BLOOD else 0.25) * (1 - value)
    loss = loss + 2 * border + 1 - (2 * (p * inside).sum() + 1) / (p * p + inside * inside).sum()
    hard, want = p > 0.5, inside > 0.5
    both = 2 * (hard & want).sum() / (hard.sum() + want.sum()).clamp(min=1)
    seen = {"loss": float(loss.detach()), "inside": float(both)}
    for one, value in dice.items():
        seen[one.name.lower()] = float("nan") if value is None else float(value.detach())
    return loss, seen


def _dice(probable: Tensor, true: Tensor) -> Tensor | None:
    """Return the soft Dice of one kind; None where there is none of it."""
    total = true.sum()
    if not total:
        return None
    return (2 * (probable * true).sum() + 20) / (probable.sum() + total + 20)
