"""Fit a network: the one function of this room."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

from hemocast.config import Config, TrainConfig
from hemocast.dataset.split.by_patient import part_hash
from hemocast.nets import Network, build, classify, input_channels
from hemocast.train.allocator import keep_freed_memory
from hemocast.train.checkpoint import Checkpoint, SaveEveryEpoch
from hemocast.train.data import StackTable, inner_parts, seed_of
from hemocast.train.module import Course, Scans, Training, bf16_is_fast, loader
from hemocast.train.pretrain.head import fit_head
from hemocast.train.stack_dataset import StackDataset
from hemocast.train.state import Fitted, Progress, TrainingState

INPUTS = "inputs.npy"
"""File in the run's folder with what the input layer makes of each stack; removed at the end."""


def fit(
    data: StackTable,
    config: Config,
    folder: Path,
    *,
    validation: Collection[str] = (),
    progress: Progress | None = None,
) -> Fitted:
    """Train the network of ``config.net``.

    With ``config.train.encoder``, its last layer alone (`hemocast.train.pretrain.head`). Else in
    two stages. The patients of ``data`` are divided, by patient, into a training part and an
    inner validation part that picks the epoch; its logits, of scans the network had not seen, are
    for the calibration. Then, with ``config.train.refit``, a fresh network with the same first
    weights learns from all of them for as many epochs. Test patients have no business in ``data``.
    After every epoch the state is saved in ``folder``; called again with the same data and
    settings, an interrupted run goes on from there to the same result, and a finished one is read
    back.

    Parameters
    ----------
    data : StackTable
        Scans of the training and validation patients.
    config : Config
        ``config.net`` and ``config.train`` are used, and the window of ``config.prepare``.
    folder : Path
        For the state and ``epochs.csv``, the record of every epoch; made if needed.
    validation : collection of str, optional
        The patients of the inner validation part; drawn by the seed where none are named.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    Fitted

    Raises
    ------
    TooFewPatients
        An inner part would have no patient of a class.
    OutputExists
        The folder holds a run of other data or settings.
    """
    if config.train.encoder is not None:
        return fit_head(data, config)
    settings, labels = config.train, data.patient_labels()
    train, held = (data.of(part) for part in inner_parts(labels, settings, validation))
    data_hash = data.content_hash()
    stamp = f"{config.net.hash()} {settings.hash()} {data_hash}"
    if validation:
        stamp += f" {part_hash(sorted(validation))}"
    Checkpoint(folder, stamp).read()  # refuses another run's
    folder.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    choice = _Stage("state", train, held, settings.epochs)
    whole = _Stage("refit", data, None, settings.epochs)
    total = choice.steps(settings) + (whole.steps(settings) if settings.refit else 0)
    with _quiet(), _torch_settings(settings.threads), _Inputs(data, folder / INPUTS) as inputs:
        run = _Run(config, folder, stamp, inputs)
        net, chosen = run.stage(choice, _counted(progress, 0, total))
        logit = predict_table(net, held, settings.batch_size)
        again = TrainingState()
        if settings.refit:
            whole = replace(whole, epochs=chosen.best_epoch)
            before = total - whole.steps(settings)
            net, again = run.stage(whole, _counted(progress, before, total))
    return Fitted(
        net=net,
        best_epoch=chosen.best_epoch,
        history=tuple(chosen.history),
        train=train,
        validation=held,
        validation_logit=logit,
        data_hash=data_hash,
        prevalence=sum(labels.values()) / len(labels),
        refit=tuple(again.history),
    )


def _counted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Count a stage's batches among those of all stages."""
    if progress is None:
        return None
    return lambda done, _, last: progress(before + done, total, last)


def predict_table(net: Network, data: StackTable, batch_size: int = 16) -> NDArray[np.float32]:
    """Return the logit of every scan, (n,), in the order of the table."""
    stacks = StackDataset(data)
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            frames = stacks.frames(list(range(start, min(start + batch_size, len(data)))))
            logits.append(net(frames)[0].numpy())
    return np.concatenate(logits) if logits else np.empty(0, np.float32)


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
class _Inputs:
    """What the input layer, which learns nothing, makes of every scan: once, not every epoch.

    Parameters
    ----------
    data : StackTable
        All scans.
    path : Path
        File for it, float32 as it is fed; removed at the end.
    """

    data: StackTable
    path: Path
    channels: NDArray[np.float32] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channels = None
        self.path.unlink(missing_ok=True)

    def of(self, net: Network, part: StackTable) -> Scans:
        """Return some of the scans, in the order of their table."""
        channels = self.channels = self._made(net) if self.channels is None else self.channels
        place = {scan: i for i, scan in enumerate(self.data.scan_id)}
        label = torch.tensor(part.label, dtype=torch.float32)
        weight = torch.from_numpy(part.patient_weights())
        return Scans(channels, [place[scan] for scan in part.scan_id], label, weight)

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
class _Stage:
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
class _Run:
    """What the stages of one `fit` share."""

    config: Config
    folder: Path
    stamp: str
    inputs: _Inputs

    def stage(self, stage: _Stage, progress: Progress | None) -> tuple[Network, TrainingState]:
        """Train, go on, or read back; return the network with its best weights, and the state."""
        settings = self.config.train
        checkpoint = Checkpoint(self.folder, self.stamp, stage.name)
        state = checkpoint.read()
        torch.manual_seed(seed_of(settings.seed, 4))
        frames = self.inputs.data.open().shape[1]
        net = build(self.config.net, frames, self.config.prepare.window)
        if state is None or not state.finished:
            state = self._train(net, stage, checkpoint, state, progress)
        net.load_state_dict(state.best_weights)
        net.eval()
        return net, state

    def _train(
        self,
        net: Network,
        stage: _Stage,
        checkpoint: Checkpoint,
        before: TrainingState | None,
        progress: Progress | None,
    ) -> TrainingState:
        settings = self.config.train
        learned = self.inputs.of(net, stage.learned)
        held = self.inputs.of(net, stage.held) if stage.held else None
        if before is None:
            initialise_head(net, learned)
        trainer = _trainer(settings, stage.epochs, checkpoint)
        precision = before.precision if before else settings.precision
        if precision == "auto":
            fast = bf16_is_fast(trainer.strategy.root_device.type)
            precision = "bf16" if fast else "float32"
        course = Course(stage.epochs, stage.steps(settings), precision == "bf16")
        training = Training(net, settings, course, progress)
        try:
            trainer.fit(
                training,
                loader(learned, settings.batch_size, seed_of(settings.seed, 5)),
                loader(held, settings.batch_size, None) if held else None,
                ckpt_path=checkpoint.path if before else None,
                weights_only=True,
            )
        except SystemExit as error:  # Lightning turns Ctrl-C into one; callers expect the former
            raise KeyboardInterrupt from error
        training.cpu()
        return training.state


def _trainer(settings: TrainConfig, epochs: int, checkpoint: Checkpoint) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=1,
        max_epochs=epochs,
        gradient_clip_val=5.0,
        callbacks=[SaveEveryEpoch(checkpoint)],
        default_root_dir=checkpoint.folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


@contextlib.contextmanager
def _torch_settings(threads: int | None) -> Iterator[None]:
    """Set threads and determinism, and leave everything as it was found."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            if threads is not None:
                torch.set_num_threads(threads)
            # Some steps have no repeatable form on a GPU; cuBLAS needs to be told for the others.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's own messages and warnings off the terminal."""
    names = ("lightning", "lightning.pytorch", "lightning.fabric")
    levels = {name: logging.getLogger(name).level for name in names}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
