"""Fit a network: the one function of this room."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

from hemocast.config import Config
from hemocast.dataset.split.by_patient import split_patients
from hemocast.errors import OutputExists
from hemocast.nets import build
from hemocast.nets.ctnet import CTNet
from hemocast.train.course import Course, Fitted, Progress
from hemocast.train.data import StackTable
from hemocast.train.module import SaveEveryEpoch, Scans, Training, loader, seed_of
from hemocast.volume import from_levels

STATE = "state.ckpt"
"""File in the run's folder that holds all a run needs to go on."""
INPUTS = "inputs.npy"
"""File in the run's folder with what the input layer makes of each stack; removed at the end."""


def fit(
    data: StackTable, config: Config, folder: Path, *, progress: Progress | None = None
) -> Fitted:
    """Train the network of ``config.net`` and return it with its best weights.

    The patients of ``data`` are divided, by patient, into a part to learn from and an inner
    validation part that picks the epoch; test patients have no business in ``data``. After every
    epoch the state is saved in ``folder``; called again with the same data and settings, an
    interrupted run goes on from there to the same result, and a finished one is read back.

    Parameters
    ----------
    data : StackTable
        Scans of the training patients.
    config : Config
        ``config.net`` and ``config.train`` are used.
    folder : Path
        For the state; made if needed.
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
    labels = data.patient_labels()
    parts = split_patients(
        labels, config.train.validation_fraction, seed_of(config.train.seed, 3), "inner"
    ).parts
    learn, judge = data.of(parts["train"]), data.of(parts["test"])
    data_hash = data.content_hash()
    stamp = f"{config.net.hash()} {config.train.hash()} {data_hash}"
    folder.mkdir(parents=True, exist_ok=True)
    with _quiet(), _torch_settings(config.train.threads):
        torch.manual_seed(seed_of(config.train.seed, 4))
        net = build(config.net, frames=data.open().shape[1])
        course = _state_before(folder / STATE, stamp)
        if course is None or not course.finished:
            course = _train(net, learn, judge, config, folder, stamp, progress)
        net.load_state_dict(course.best_weights)
        net.eval()
        logit = predict_table(net, judge, config.train.batch_size)
    return Fitted(
        net=net,
        best_epoch=course.best_epoch,
        history=tuple(course.history),
        train_participants=parts["train"],
        validation_participants=parts["test"],
        validation_scan_id=judge.scan_id,
        validation_participant_id=judge.participant_id,
        validation_label=np.array(judge.label, np.int64),
        validation_logit=logit,
        data_hash=data_hash,
        prevalence=sum(labels.values()) / len(labels),
        n_scans=len(data),
    )


def predict_table(net: CTNet, data: StackTable, batch_size: int = 16) -> NDArray[np.float32]:
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
    net: CTNet,
    learn: StackTable,
    judge: StackTable,
    config: Config,
    folder: Path,
    stamp: str,
    progress: Progress | None,
) -> Course:
    settings = config.train
    steps = settings.epochs * math.ceil(len(learn) / settings.batch_size)
    training = Training(net, settings, steps, progress)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=settings.epochs,
        gradient_clip_val=5.0,
        callbacks=[SaveEveryEpoch(folder / STATE, stamp)],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    inputs = folder / INPUTS
    try:
        learn_scans = _scans(net, learn, inputs)
        if not (folder / STATE).exists():
            point_predictor(net, learn_scans)
        judge_scans = _scans(net, judge, inputs.with_name(f"validation-{INPUTS}"))
        trainer.fit(
            training,
            loader(learn_scans, settings.batch_size, seed_of(settings.seed, 5)),
            loader(judge_scans, settings.batch_size, None),
            ckpt_path=folder / STATE if (folder / STATE).exists() else None,
            weights_only=True,
        )
    except SystemExit as error:  # Lightning turns Ctrl-C into an exit; callers expect the former
        raise KeyboardInterrupt from error
    finally:
        inputs.unlink(missing_ok=True)
        inputs.with_name(f"validation-{INPUTS}").unlink(missing_ok=True)
    return training.course


def point_predictor(net: CTNet, scans: Scans) -> None:
    """Turn a fresh HT predictor towards HT, so that training need not turn it round first.

    The predictor's weights keep their length and take the direction from the mean pooled features
    of scans without HT to those of scans with HT, as the untrained blocks give them; its bias
    centres the logits. With weights that pointed away by chance, training on faint lesions was
    seen to end in a constant.

    Parameters
    ----------
    net : CTNet
        Fresh; its predictor is changed.
    scans : Scans
        To learn from, of both classes.
    """
    pooled = []
    with torch.inference_mode():
        for start in range(0, len(scans), 16):
            channels, _, _ = scans[list(range(start, min(start + 16, len(scans))))]
            pooled.append(net.classify(channels)[1].flatten(2).mean(2))
        features, label = torch.cat(pooled), scans.label > 0.5
        apart = features[label].mean(0) - features[~label].mean(0)
        weight = apart * (net.head.weight.norm() / apart.norm().clamp_min(1e-12))
    with torch.no_grad():
        net.head.weight.copy_(weight[None])
        net.head.bias.copy_(-(features.mean(0) @ weight)[None])


def _scans(net: CTNet, data: StackTable, path: Path) -> Scans:
    """Run the input layer, which learns nothing, once per scan instead of once per epoch."""
    array = data.open()
    channels: NDArray[np.float16] | None = None
    with torch.inference_mode():
        for i, row in enumerate(data.rows):
            made = net.inputs(torch.from_numpy(from_levels(array[row : row + 1])))[0].numpy()
            if channels is None:
                shape = (len(data), *made.shape)
                channels = np.lib.format.open_memmap(path, "w+", np.float16, shape)
            channels[i] = made
    assert channels is not None  # noqa: S101 - the split leaves no part empty
    label = torch.tensor(data.label, dtype=torch.float32)
    return Scans(channels, label, torch.from_numpy(data.patient_weights()))


def _state_before(path: Path, stamp: str) -> Course | None:
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("stamp") != stamp:
        raise OutputExists(
            "The folder for the training run holds a run of other data or settings",
            "an empty folder, or the folder of the same run",
            "Name another folder, or remove that run if it is no longer needed",
        )
    return Course.from_plain(state["course"])


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
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch")]
    loggers += [logging.getLogger(name) for name in ("lightning.fabric",)]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
