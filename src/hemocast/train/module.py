"""The Lightning side: one module and its batches."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, distributed
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler

from hemocast.config import TrainConfig
from hemocast.stats import Cases, auc
from hemocast.train.augment import augment
from hemocast.train.checkpoint import KEY
from hemocast.train.data import seed_of
from hemocast.train.joint import Joint
from hemocast.train.state import Progress, TrainingState, Validated

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Input channels (B, C, frames, h, w), label (B,), weight (B,), the record's columns (B, n)."""


class Scans(Dataset[Batch]):
    """Batches of scans by their indices, from one memory-mapped array of input channels.

    Parameters
    ----------
    channels : ndarray of float32, shape (n, C, frames, h, w)
        Of more scans, perhaps, than these.
    rows : sequence of int
        Which of them these are.
    label, weight : Tensor, shape (len(rows),)
    columns : Tensor, shape (len(rows), n), optional
        What the clinical record tells of every scan's patient; without, there are none.
    """

    def __init__(
        self,
        channels: np.ndarray,
        rows: Sequence[int],
        label: Tensor,
        weight: Tensor,
        columns: Tensor | None = None,
    ) -> None:
        self.channels = channels
        self.rows = np.asarray(rows)
        self.label = label
        self.weight = weight / weight.mean()
        self.columns = label.new_empty(len(label), 0) if columns is None else columns

    def __len__(self) -> int:
        """Count the scans."""
        return len(self.label)

    def __getstate__(self) -> dict[str, Any]:
        """Leave a mapped file's content behind: another process maps the file itself."""
        path = getattr(self.channels, "filename", None)
        return vars(self) | ({} if path is None else {"channels": str(path)})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Map the file."""
        kept = state["channels"]
        channels = np.load(kept, mmap_mode="r") if isinstance(kept, str) else kept
        vars(self).update(state | {"channels": channels})

    def __getitem__(self, indices: list[int]) -> Batch:
        """Return the batch of those scans."""
        channels = torch.from_numpy(self.channels[self.rows[indices]])
        return channels, self.label[indices], self.weight[indices], self.columns[indices]


def place_among() -> tuple[int, int]:
    """Return which process of how many this is, in a training by several."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


class Batches(Sampler[list[int]]):
    """Indices in batches of nearly equal size; each epoch a new order, from the seed and epoch."""

    def __init__(self, count: int, batch_size: int, seed: int | None) -> None:
        self.count = count
        self.batches = math.ceil(count / batch_size)
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """Count the batches."""
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of the current epoch; in the given order without a seed.

        Where several processes train, each gets its share of every batch. What has no seed is to
        be validated on, by all of them alike, so that they stop together.
        """
        order, (rank, processes) = np.arange(self.count), place_among()
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        for part in np.array_split(order, self.batches):
            yield (part if self.seed is None else part[rank::processes]).tolist()

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch


def loader(scans: Scans, batch_size: int, seed: int | None) -> DataLoader[Batch]:
    """Return the scans in batches, shuffled when a seed is given."""
    return DataLoader(scans, batch_size=None, sampler=Batches(len(scans), batch_size, seed))


@dataclass(frozen=True)
class Course:
    """How long one stage of the training is, and how its steps are computed.

    Parameters
    ----------
    epochs : int
        At most.
    steps : int
        Batches in all epochs together, for the schedule.
    bf16 : bool
        Multiply in bfloat16 in training steps; validation is always in float32.
    penalty : float
        Of the record's line (`hemocast.train.joint.Beside`).
    """

    epochs: int
    steps: int
    bf16: bool = False
    penalty: float = 0.0

    @property
    def precision(self) -> str:
        """Its name."""
        return "bf16" if self.bf16 else "float32"


class Training(lightning.LightningModule):
    """The network being fitted, its moving average, and the state so far.

    All randomness comes from the seed and the count of epochs or batches, so a run resumed after
    any epoch goes on as if it had never stopped.

    Parameters
    ----------
    net : Joint
        The network, and what the record adds.
    config : TrainConfig
    course : Course
    progress : callable or None
    """

    def __init__(
        self, net: Joint, config: TrainConfig, course: Course, progress: Progress | None
    ) -> None:
        super().__init__()
        self.net = net
        self.average = copy.deepcopy(net).eval().requires_grad_(False)
        self.config = config
        self.course = course
        self.progress = progress
        self.state = TrainingState(precision=course.precision)
        self._losses: list[tuple[Tensor, int]] = []
        self._validated: list[tuple[Tensor, Tensor, Tensor]] = []
        self._began = 0.0

    def configure_optimizers(self) -> Any:
        """AdamW (Loshchilov 2019); one warm-up and one half cosine down to zero, per batch.

        Weight decay spares biases and normalisation.
        """
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        spared = [p for p in self.net.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.config.weight_decay},
                {"params": spared, "weight_decay": 0.0},
            ],
            lr=self.config.learning_rate,
        )
        steps = self.course.steps
        warm = max(1, steps // 10)

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        """Forget the losses of the epoch before."""
        self._losses.clear()
        self._began = time.monotonic()

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Return the weighted loss of an augmented batch."""
        channels, label, weight, columns = batch
        # Seeded here and not once an epoch: Lightning draws from torch's generator in between, and
        # not at the same places when it resumes.
        rank, processes = place_among()
        own = (rank,) if rank else ()
        draw = torch.Generator().manual_seed(seed_of(self.config.seed, self.global_step, 1, *own))
        torch.manual_seed(seed_of(self.config.seed, self.global_step, 2, *own))  # for dropout
        if self.config.augment:
            channels = augment(channels, draw)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.course.bf16):
            logit = self.net(channels, columns)
        loss = functional.binary_cross_entropy_with_logits(logit, label, weight)
        self._losses.append((loss.detach(), len(label)))
        if processes > 1:  # their gradients are averaged, and their shares may differ by a scan
            loss = loss * len(label) * processes / self._summed(len(label))
        return loss + self.course.penalty / 2 * self.net.line.square().sum()

    def _summed(self, number: float) -> float:
        """Sum over the processes."""
        if place_among()[1] == 1:
            return number
        return float(self.trainer.strategy.reduce(torch.tensor(float(number)), reduce_op="sum"))

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average towards the weights, fast at first, and report."""
        step = self.global_step
        decay = min(self.config.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        if self.progress is not None:
            last = self.state.history[-1] if self.state.history else None
            self.progress(step, self.course.steps, last)

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Run a batch of the inner validation part through the averaged weights, in float32."""
        channels, label, weight, columns = batch
        self._validated.append((self.average(channels, columns), label, weight))

    def on_train_epoch_end(self) -> None:
        """Add the epoch to the state; stop when it has not become better for long enough.

        Lightning calls this after the epoch's validation.
        """
        counts = self._summed(sum(count for _, count in self._losses))
        losses = self._summed(sum(float(value) * count for value, count in self._losses))
        self.state.add(
            train_loss=losses / counts,
            validated=self._validation(),
            weights=self.average.state_dict(),
        )
        self.state.seconds.append(round(time.monotonic() - self._began, 2))
        epoch = len(self.state.history)
        stale = epoch - self.state.best_epoch >= self.config.patience
        self.state.finished = stale or epoch >= self.course.epochs
        self.trainer.should_stop = stale
        last = asdict(self.state.history[-1]).items()
        for logger in self.loggers:
            logger.log_metrics({k: float(v) for k, v in last if v is not None}, step=epoch)

    def _validation(self) -> Validated | None:
        if not self._validated:
            return None
        logit, label, weight = (
            torch.cat(part).cpu() for part in zip(*self._validated, strict=True)
        )
        self._validated.clear()
        loss = functional.binary_cross_entropy_with_logits(logit, label, weight)
        cases = Cases(label.numpy().astype(np.int64), logit.numpy())
        return Validated(float(loss), auc(cases))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the state into the checkpoint."""
        checkpoint[KEY] = self.state.to_plain()

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Take the state from the checkpoint."""
        self.state = TrainingState.from_plain(checkpoint[KEY])


def bf16_is_fast(device: str = "cpu") -> bool:
    """Tell whether a device multiplies in bfloat16 itself, instead of imitating it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
