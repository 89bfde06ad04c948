"""The stages of a training: from first weights to the last epoch, each resumed by its own state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.multiprocessing.spawn import ProcessExitedException

from hemocast.classical.measured import MeasuredModel
from hemocast.config import Config, TrainConfig
from hemocast.errors import WorkerDied
from hemocast.nets import Network, build, classify, input_channels
from hemocast.train.checkpoint import Checkpoint
from hemocast.train.data import StackTable, seed_of
from hemocast.train.joint import NOTHING, Beside, Joint
from hemocast.train.module import Course, Scans, Training, bf16_is_fast, loader
from hemocast.train.stack_dataset import StackDataset
from hemocast.train.state import Progress, TrainingState
from hemocast.train.trainer import make_trainer


def initialise_head(net: Network, scans: Scans) -> None:
    """Point a fresh last layer towards HT, so that training need not turn it round first.

    Its weights keep their length and take the direction from the mean pooled features of scans
    without HT to those of scans with HT, as the untrained blocks give them; its bias centres the
    logits. With weights that pointed away by chance, training on faint lesions was seen to end in
    a constant.

    Parameters
    ----------
    net : Network
        Fresh; its ``head`` is changed.
    scans : Scans
        Of the training part, of both classes.
    """
    pooled = []
    with torch.inference_mode():
        for start in range(0, len(scans), 16):
            channels = scans[list(range(start, min(start + 16, len(scans))))][0]
            pooled.append(classify(net, channels)[1].flatten(2).mean(2))
        features, label = torch.cat(pooled), scans.label > 0.5
        apart = features[label].mean(0) - features[~label].mean(0)
        weight = apart * (net.head.weight.norm() / apart.norm().clamp_min(1e-12))
    with torch.no_grad():
        net.head.weight.copy_(weight[None])
        if net.head.bias is not None:
            net.head.bias.copy_(-(features.mean(0) @ weight)[None])


@dataclass
class Inputs:
    """What the input layer, which learns nothing, makes of every scan: once, not every epoch.

    Parameters
    ----------
    data : StackTable
        All scans.
    path : Path
        File for it, float32 as it is fed; removed at the end.
    weights : tuple of float
        Of a patient without and with HT.
    """

    data: StackTable
    path: Path
    weights: tuple[float, float]
    channels: NDArray[np.float32] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channels = None
        self.path.unlink(missing_ok=True)

    def of(self, net: Network, part: StackTable, beside: Beside | None = None) -> Scans:
        """Return some of the scans, in the order of their table, and what is known beside them."""
        channels = self.channels = self._made(net) if self.channels is None else self.channels
        place = {scan: i for i, scan in enumerate(self.data.scan_id)}
        label = np.array(part.label)
        weight = part.patient_weights() * np.array(self.weights, np.float32)[label]
        rows = [place[scan] for scan in part.scan_id]
        columns = None if beside is None else beside.columns(part)
        outcome = torch.from_numpy(label).float()
        return Scans(channels, rows, outcome, torch.from_numpy(weight), columns)

    def _made(self, net: Network) -> NDArray[np.float32]:
        stacks, channels = StackDataset(self.data), None
        with torch.inference_mode():
            for i in range(len(stacks)):
                made = input_channels(net, stacks.frames([i]))[0].numpy()
                if channels is None:
                    shape = (len(stacks), *made.shape)
                    channels = np.lib.format.open_memmap(self.path, "w+", np.float32, shape)
                channels[i] = made
        assert channels is not None  # noqa: S101 - no table that comes here is empty
        return channels


@dataclass(frozen=True)
class Stage:
    """One training from first weights to the last epoch.

    Parameters
    ----------
    name : str
        Of its files.
    learned : StackTable
        Scans to learn from.
    held : StackTable or None
        Scans to validate on.
    epochs : int
        At most.
    """

    name: str
    learned: StackTable
    held: StackTable | None
    epochs: int

    def steps(self, settings: TrainConfig) -> int:
        """Count its batches."""
        return self.epochs * math.ceil(len(self.learned) / settings.batch_size)


@dataclass(frozen=True)
class Trained:
    """What came of a stage.

    Parameters
    ----------
    net : Network
        With its best weights, in evaluation mode.
    joined : MeasuredModel or None
        What the clinical record adds to its logit, where it learned beside it.
    state : TrainingState
    """

    net: Network
    joined: MeasuredModel | None
    state: TrainingState


@dataclass(frozen=True)
class Run:
    """What the stages of one `fit` share.

    Parameters
    ----------
    config : Config
    folder : Path
        For the states.
    stamp : str
        Hashes of settings and data.
    inputs : Inputs
    progress : callable or None
        See `hemocast.train.state.Progress`.
    steps : int
        Batches of all stages together, at most.
    """

    config: Config
    folder: Path
    stamp: str
    inputs: Inputs
    progress: Progress | None
    steps: int

    def stage(self, stage: Stage, before: int) -> Trained:
        """Train, go on, or read back.

        Parameters
        ----------
        stage : Stage
        before : int
            Batches of the stages before it.
        """
        settings = self.config.train
        checkpoint = Checkpoint(self.folder, self.stamp, stage.name)
        state = checkpoint.read()
        torch.manual_seed(seed_of(settings.seed, 4))
        frames = self.inputs.data.open().shape[1]
        net = build(self.config.net, frames, self.config.prepare.window)
        beside = Beside.learned(stage.learned) if settings.record else None
        joint = Joint(net, NOTHING if beside is None else beside.start)
        if state is None or not state.finished:
            state = self._train(joint, beside, stage, checkpoint, state, before)
        joint.load_state_dict(state.best_weights)
        net.eval()
        return Trained(net, None if beside is None else beside.with_line(joint.line), state)

    def _train(
        self,
        joint: Joint,
        beside: Beside | None,
        stage: Stage,
        checkpoint: Checkpoint,
        state: TrainingState | None,
        before: int,
    ) -> TrainingState:
        settings = self.config.train
        learned = self.inputs.of(joint.net, stage.learned, beside)
        held = self.inputs.of(joint.net, stage.held, beside) if stage.held else None
        if state is None:
            initialise_head(joint.net, learned)
        trainer = make_trainer(settings, stage.epochs, checkpoint)
        precision = state.precision if state else settings.precision
        if precision == "auto":
            fast = bf16_is_fast(trainer.strategy.root_device.type)
            precision = "bf16" if fast else "float32"
        penalty = 0.0 if beside is None else beside.penalty
        course = Course(stage.epochs, stage.steps(settings), precision == "bf16", penalty)
        training = Training(joint, settings, course, self._counted(before))
        try:
            trainer.fit(
                training,
                loader(learned, settings.batch_size, seed_of(settings.seed, 5)),
                loader(held, settings.batch_size, None) if held else None,
                ckpt_path=checkpoint.path if state else None,
                weights_only=True,
            )
        except SystemExit as error:  # Lightning turns Ctrl-C into one; callers expect the former
            raise KeyboardInterrupt from error
        except ProcessExitedException as error:
            raise WorkerDied(
                f"A training process was ended from outside: {error}",
                "processes that run on; the system ends one, by SIGKILL, if memory runs out",
                "Run again with fewer train.devices: it continues after the last finished epoch",
            ) from error
        training.cpu()
        if settings.devices > 1:  # the state is that of the processes, which have ended
            return checkpoint.read() or training.state
        return training.state

    def _counted(self, before: int) -> Progress | None:
        """Count a stage's batches among those of all; no other process can be asked for them."""
        progress, steps = self.progress, self.steps
        if progress is None or self.config.train.devices > 1:
            return None
        return lambda done, _, last: progress(before + done, steps, last)
