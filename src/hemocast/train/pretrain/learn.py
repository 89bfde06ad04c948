"""Pre-training of one network, resumable to the bit."""

from __future__ import annotations

import copy
import hashlib
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hemocast.errors import OutputExists
from hemocast.files import replacing, write_bytes, write_table
from hemocast.train.data import seed_of
from hemocast.train.module import bf16_is_fast
from hemocast.train.pretrain.findings import STACKS, FindingsTable
from hemocast.train.pretrain.lessons import Lesson
from hemocast.train.pretrain.randomise import Batch, Strength
from hemocast.volume import from_levels

CACHE = ("channels.npy", "lesion.npy")
"""Files with what is fed: made once, and removed at the end."""

_KEEP_SECONDS = 60.0
_REPORT = 25

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PretrainCourse:
    """How long and how fast to learn.

    Parameters
    ----------
    steps : int
        Batches in all.
    batch : int
        Scans a step.
    rate : float
        Largest learning rate; it falls along a half cosine.
    seed : int
        Of weights, order and changes.
    """

    steps: int = 3000
    batch: int = 8
    rate: float = 2e-3
    seed: int = 0


@dataclass
class Cache:
    """What the input layer makes of all scans, and their infarcts, pooled, in two files.

    Parameters
    ----------
    channels : ndarray of float32, shape (n, C, frames, h, w)
    lesion : ndarray of uint8, shape (n, frames, h, w)
        Share of each pooled pixel, times 255.
    target, left, uptake : Tensor
        See `FindingsTable`.
    """

    channels: NDArray[np.float32]
    lesion: NDArray[np.uint8]
    target: Tensor
    left: Tensor
    uptake: Tensor

    @classmethod
    def of(cls, tables: Sequence[FindingsTable], lesson: Lesson, folder: Path) -> Cache:
        """Make it, or map what an earlier run made."""
        paths = folder / CACHE[0], folder / CACHE[1]
        if not all(path.exists() for path in paths):
            _write(tables, lesson, paths)
        channels, lesion = (np.load(path, mmap_mode="r") for path in paths)
        target, left, uptake = (
            torch.from_numpy(np.concatenate([getattr(table, name) for table in tables]))
            for name in ("target", "left", "water_uptake")
        )
        return cls(channels, lesion, target, left, uptake)

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove the files: once all is learned they are of no use."""
        for name in CACHE:
            (folder / name).unlink(missing_ok=True)

    def batch(self, rows: NDArray[np.intp]) -> Batch:
        """Return some scans as they are."""
        lesion = torch.from_numpy(self.lesion[rows]).float().unsqueeze(1) / 255
        channels = torch.from_numpy(self.channels[rows])
        return Batch(channels, lesion, self.uptake[rows], self.target[rows], self.left[rows])


def _write(tables: Sequence[FindingsTable], lesson: Lesson, paths: tuple[Path, Path]) -> None:
    count, at = sum(map(len, tables)), 0
    with replacing(paths[0]) as first, replacing(paths[1]) as second, torch.inference_mode():
        channels = lesion = None
        for table in tables:
            stacks = table.open(STACKS)
            for row in range(len(table)):
                made = lesson.inputs(torch.from_numpy(from_levels(stacks[row]))[None])[0].numpy()
                found = torch.from_numpy(table.infarct(row)).float()[None]
                pool = found.shape[-1] // made.shape[-1]
                share = (functional.avg_pool2d(found, pool)[0] * 255).round().byte().numpy()
                if channels is None or lesion is None:
                    channels = np.lib.format.open_memmap(
                        first, "w+", np.float32, (count, *made.shape)
                    )
                    lesion = np.lib.format.open_memmap(
                        second, "w+", np.uint8, (count, *share.shape)
                    )
                channels[at], lesion[at] = made, share
                at += 1


@dataclass
class State:
    """Where a run is; all of it goes to the checkpoint.

    Parameters
    ----------
    step : int
        Done.
    curve : list of dict
        Mean losses of every `_REPORT` steps.
    """

    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


class Learning:
    """One network being pre-trained.

    Parameters
    ----------
    lesson : Lesson
    course : PretrainCourse
    cache : Cache
    folder : Path
        Takes ``checkpoint.pt`` and ``curve.csv``.
    """

    def __init__(self, lesson: Lesson, course: PretrainCourse, cache: Cache, folder: Path) -> None:
        torch.manual_seed(seed_of(course.seed, 21))
        self.lesson = lesson
        self.net = lesson.pupil()
        self.average = copy.deepcopy(self.net).requires_grad_(False)
        self.course, self.cache, self.folder = course, cache, folder
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=course.rate, weight_decay=1e-2)
        self.state = State()
        text = f"{lesson.config.hash()} {asdict(course)} {asdict(Strength())} {len(cache.left)} "
        self.stamp = hashlib.sha256(text.encode() + cache.target.numpy().tobytes()).hexdigest()
        self.path = folder / "checkpoint.pt"
        if self.path.exists():
            self._take(torch.load(self.path, weights_only=True))

    def _take(self, held: dict[str, Any]) -> None:
        if held["stamp"] != self.stamp:
            raise OutputExists(
                "The folder holds a pre-training of other scans or settings",
                "a new folder, or the folder of the same run",
                "Choose another folder",
            )
        self.net.load_state_dict(held["net"])
        self.average.load_state_dict(held["average"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.state = State(**held["state"])

    def keep(self) -> None:
        """Write the state, and the curve as a table."""
        content = {
            "stamp": self.stamp,
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
        }
        written = io.BytesIO()  # a file's own name would stand in it
        torch.save(content, written)
        write_bytes(self.path, written.getvalue())
        if self.state.curve:
            write_table(self.folder / "curve.csv", self.state.curve, list(self.state.curve[0]))

    def run(self, progress: Progress | None = None, limit_s: float = math.inf) -> bool:
        """Learn until the course, or the limit by the clock, is over; tell whether it is done."""
        began = kept = time.monotonic()
        first = self.state.step
        bf16 = bf16_is_fast() and self.lesson.bf16_is_right(self.cache.channels.shape[2:])
        seen: list[dict[str, float]] = []
        while self.state.step < self.course.steps and time.monotonic() - began < limit_s:
            seen.append(self._step(bf16))
            self.state.step += 1
            if len(seen) == _REPORT:
                means = {name: float(np.mean([one[name] for one in seen])) for name in seen[0]}
                self.state.curve.append({"step": self.state.step, **means})
                seen = []
            if time.monotonic() - kept > _KEEP_SECONDS:
                self.keep()
                kept = time.monotonic()
            if progress:
                progress(self.state.step, self.course.steps)
        if self.state.step > first or not self.path.exists():
            self.keep()
        return self.state.step >= self.course.steps

    def _step(self, bf16: bool) -> dict[str, float]:
        course, step = self.course, self.state.step
        warm = min(1.0, (step + 1) / 60)
        rate = course.rate * warm * (0.5 + 0.5 * math.cos(math.pi * step / course.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = rate + 1e-5
        rows = self._rows(step)
        draw = torch.Generator().manual_seed(seed_of(course.seed, step, 22))
        batch = self.lesson.changed(self.cache.batch(rows), draw)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            reading = self.net(batch.channels)
        losses = self.lesson.losses(reading, batch)
        total = torch.stack(list(losses.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimizer.step()
        decay = min(0.99, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _rows(self, step: int) -> NDArray[np.intp]:
        """Return the scans of a step: every scan once in each round, each round in a new order."""
        count, batch = len(self.cache.left), self.course.batch
        wanted = np.arange(step * batch, (step + 1) * batch)
        orders = {
            turn: np.random.default_rng([self.course.seed, turn, 23]).permutation(count)
            for turn in set((wanted // count).tolist())
        }
        return np.array([orders[i // count][i % count] for i in wanted.tolist()], np.intp)
