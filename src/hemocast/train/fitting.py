"""Fit a network: the one function of this room."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

from hemocast.config import Config, TrainConfig
from hemocast.dataset.split.by_patient import part_hash
from hemocast.nets import Network, build, classify, input_channels
from hemocast.train.checkpoint import Checkpoint, SaveEveryEpoch
from hemocast.train.data import StackTable, inner_parts, seed_of
from hemocast.train.module import Scans, Training, loader
from hemocast.train.state import Fitted, Progress, TrainingState
from hemocast.volume import from_levels

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
    """Train the network of ``config.net`` and return it with its best weights.

    The patients of ``data`` are divided, by patient, into a training part and an inner validation
    part that picks the epoch; test patients have no business in ``data``. After every epoch the
    state is saved in ``folder``; called again with the same data and settings, an interrupted run
    goes on from there to the same result, and a finished one is read back.

    Parameters
    ----------
    data : StackTable
        Scans of the training and validation patients.
    config : Config
        ``config.net`` and ``config.train`` are used.
    folder : Path
        For the state; made if needed.
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
    settings, labels = config.train, data.patient_labels()
    train, held = (data.of(part) for part in inner_parts(labels, settings, validation))
    data_hash = data.content_hash()
    stamp = f"{config.net.hash()} {settings.hash()} {data_hash}"
    if validation:
        stamp += f" {part_hash(sorted(validation))}"
    checkpoint = Checkpoint(folder, stamp)
    state = checkpoint.read()
    folder.mkdir(parents=True, exist_ok=True)
    with _quiet(), _torch_settings(settings.threads):
        torch.manual_seed(seed_of(settings.seed, 4))
        net = build(config.net, frames=data.open().shape[1])
        if state is None or not state.finished:
            state = _train(net, (train, held), settings, checkpoint, progress)
        net.load_state_dict(state.best_weights)
        net.eval()
        logit = predict_table(net, held, settings.batch_size)
    return Fitted(
        net=net,
        best_epoch=state.best_epoch,
        history=tuple(state.history),
        train=train,
        validation=held,
        validation_logit=logit,
        data_hash=data_hash,
        prevalence=sum(labels.values()) / len(labels),
    )


def predict_table(net: Network, data: StackTable, batch_size: int = 16) -> NDArray[np.float32]:
    """Return the logit of every scan, (n,), in the order of the table."""
    array = data.open()
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            rows = list(data.rows[start : start + batch_size])
            frames = torch.from_numpy(from_levels(array[rows]))
            logits.append(net(frames)[0].numpy())
    return np.concatenate(logits) if logits else np.empty(0, np.float32)


def _train(
    net: Network,
    parts: tuple[StackTable, StackTable],
    settings: TrainConfig,
    checkpoint: Checkpoint,
    progress: Progress | None,
) -> TrainingState:
    steps = settings.epochs * math.ceil(len(parts[0]) / settings.batch_size)
    training = Training(net, settings, steps, progress)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=settings.epochs,
        gradient_clip_val=5.0,
        callbacks=[SaveEveryEpoch(checkpoint)],
        default_root_dir=checkpoint.folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    files = [checkpoint.folder / f"{part}{INPUTS}" for part in ("", "validation-")]
    resumed = checkpoint.path.exists()
    try:
        train_scans, held_scans = (
            _scans(net, part, file) for part, file in zip(parts, files, strict=True)
        )
        if not resumed:
            initialise_head(net, train_scans)
        trainer.fit(
            training,
            loader(train_scans, settings.batch_size, seed_of(settings.seed, 5)),
            loader(held_scans, settings.batch_size, None),
            ckpt_path=checkpoint.path if resumed else None,
            weights_only=True,
        )
    except SystemExit as error:  # Lightning turns Ctrl-C into an exit; callers expect the former
        raise KeyboardInterrupt from error
    finally:
        for file in files:
            file.unlink(missing_ok=True)
    return training.state


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
            channels, _, _ = scans[list(range(start, min(start + 16, len(scans))))]
            pooled.append(classify(net, channels)[1].flatten(2).mean(2))
        features, label = torch.cat(pooled), scans.label > 0.5
        apart = features[label].mean(0) - features[~label].mean(0)
        weight = apart * (net.head.weight.norm() / apart.norm().clamp_min(1e-12))
    with torch.no_grad():
        net.head.weight.copy_(weight[None])
        if net.head.bias is not None:
            net.head.bias.copy_(-(features.mean(0) @ weight)[None])


def _scans(net: Network, data: StackTable, path: Path) -> Scans:
    """Run the input layer, which learns nothing, once per scan instead of once per epoch."""
    array = data.open()
    channels: NDArray[np.float16] | None = None
    with torch.inference_mode():
        for i, row in enumerate(data.rows):
            frames = torch.from_numpy(from_levels(array[row : row + 1]))
            made = input_channels(net, frames)[0].numpy()
            if channels is None:
                shape = (len(data), *made.shape)
                channels = np.lib.format.open_memmap(path, "w+", np.float16, shape)
            channels[i] = made
    assert channels is not None  # noqa: S101 - no part is empty
    label = torch.tensor(data.label, dtype=torch.float32)
    return Scans(channels, label, torch.from_numpy(data.patient_weights()))


@contextlib.contextmanager
def _torch_settings(threads: int | None) -> Iterator[None]:
    """Set threads and determinism, and leave everything as it was found."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            if threads is not None:
                torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(True)
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
