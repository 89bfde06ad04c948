"""Fit a network: the one function of this room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hemocast.classical.measured import MeasuredModel
from hemocast.classical.recipes import RECIPES, refuse_settings
from hemocast.config import AUTO, Config, TrainConfig
from hemocast.dataset.split.by_patient import part_hash
from hemocast.dataset.split.schemes import split_folds
from hemocast.nets import Network
from hemocast.train.allocator import keep_freed_memory
from hemocast.train.checkpoint import Checkpoint
from hemocast.train.choice import choose
from hemocast.train.data import StackTable, class_weights, inner_parts, seed_of
from hemocast.train.measured import fit_measured
from hemocast.train.pretrain.head import fit_head
from hemocast.train.stack_dataset import StackDataset
from hemocast.train.stages import Inputs, Run, Stage
from hemocast.train.state import Fitted, Progress, TrainingState
from hemocast.train.trainer import quiet, refuse_without_logger, torch_settings

INPUTS = "inputs.npy"
"""File in the run's folder with what the input layer makes of each stack; removed at the end."""

LAYOUT = "joint"
"""Of the states in a run's folder: those of versions with another one are refused, not misread."""

FOLDS = 3
"""Where the best epoch is not the last, the network that is refitted for so many has logits of
another spread than the one that chose them, since the learning rate of its shorter course falls to
0; the calibration then takes those of so many networks, each refitted like it on all patients but a
fold's, unless the patients to calibrate on were named."""


def fit(
    data: StackTable,
    config: Config,
    folder: Path,
    *,
    validation: Collection[str] = (),
    progress: Progress | None = None,
) -> Fitted:
    """Train the network of ``config.net``.

    A model from measurements is another matter (`hemocast.train.measured`). With
    ``config.train.encoder``, its last layer alone (`hemocast.train.pretrain.head`), or, with
    ``auto``, whichever does better on patients held out (`hemocast.train.choice`). Else in two
    stages. The patients of ``data`` are divided, by patient, into a training part and an
    inner validation part that picks the epoch; its logits, of scans the network had not seen, are
    for the calibration. Then, with ``config.train.refit``, a fresh network with the same first
    weights learns from all of them for as many epochs. Where these are fewer than all (`FOLDS`),
    the logits for the calibration are out of fold, of networks refitted for as many. With
    ``config.train.record`` the patients' clinical values are told beside the scan, and all weights
    are learned together (`hemocast.train.joint`). Test patients have no business in ``data``. After
    every epoch the state is saved in ``folder``; called again with the same data and settings, an
    interrupted run goes on from there to the same result, and a finished one is read back.

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
    ConfigError
        ``config.train.record`` with a model from measurements, or ``config.train.harmonise``
        without findings or signs.
    TooFewPatients
        An inner part would have no patient of a class.
    OutputExists
        The folder holds a run of other data or settings.
    """
    refuse_settings(config)
    if config.net.name in RECIPES:
        return fit_measured(data, config)
    if config.train.encoder == AUTO:
        return choose(
            lambda one: fit(data, one, folder, validation=validation, progress=progress), config
        )
    if config.train.encoder is not None:
        return fit_head(data, config)
    return _fit_in_stages(data, config, folder, validation, progress)


def _fit_in_stages(
    data: StackTable,
    config: Config,
    folder: Path,
    validation: Collection[str],
    progress: Progress | None,
) -> Fitted:
    """Choose the epoch, then learn from everybody; see `fit`."""
    settings, labels = config.train, data.patient_labels()
    refuse_without_logger(settings)
    train, held = (data.of(part) for part in inner_parts(labels, settings, validation))
    data_hash = data.content_hash(data.record() if settings.record else None)
    stamp = f"{config.net.hash()} {settings.hash()} {data_hash} {LAYOUT}"
    if validation:
        stamp += f" {part_hash(sorted(validation))}"
    Checkpoint(folder, stamp).read()  # refuses another run's
    folder.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    choice = Stage("state", train, held, settings.epochs)
    whole = Stage("refit", data, None, settings.epochs)
    refits = [whole] if settings.refit else []
    folds = [] if validation or not refits else _without_each_fold(whole, settings)
    steps = sum(stage.steps(settings) for stage in (choice, *refits, *folds))  # at most
    weights = class_weights(labels, settings.class_weights)
    with (
        quiet(),
        torch_settings(settings.threads),
        Inputs(data, folder / INPUTS, weights) as inputs,
    ):
        run = Run(config, folder, stamp, inputs, progress, steps)
        trained = run.stage(choice, 0)
        chosen, again = trained.state, TrainingState()
        logit = _logits(trained.net, trained.joined, held, settings.batch_size)
        if settings.refit:
            whole = replace(whole, epochs=chosen.best_epoch)
            before = steps - whole.steps(settings)
            if folds and chosen.best_epoch < settings.epochs:
                train, held = data.of(()), data
                logit = _out_of_fold(run, whole, before)
            trained = run.stage(whole, before)
            again = trained.state
    return Fitted(
        config=config,
        net=trained.net,
        best_epoch=chosen.best_epoch,
        history=tuple(chosen.history),
        train=train,
        validation=held,
        validation_logit=logit,
        data_hash=data_hash,
        prevalence=sum(labels.values()) / len(labels),
        refit=tuple(again.history),
        joined=trained.joined,
    )


def _without_each_fold(whole: Stage, settings: TrainConfig) -> list[Stage]:
    """Return a stage for each fold, which learns from all patients but its; none for too few."""
    data = whole.learned
    if min(Counter(data.patient_labels().values()).values()) < FOLDS:
        return []
    folds = split_folds(data.patient_labels(), FOLDS, seed_of(settings.seed, 8))
    return [replace(whole, name=one.name, learned=data.of(one.parts["train"])) for one in folds]


def _out_of_fold(run: Run, whole: Stage, before: int) -> NDArray[np.float32]:
    """Return the logit of every scan by a network refitted without its patient."""
    settings, data = run.config.train, whole.learned
    stages = _without_each_fold(whole, settings)
    before -= sum(stage.steps(settings) for stage in stages)
    logit = np.empty(len(data), np.float32)
    people = np.array(data.participant_id)
    for stage in stages:
        made = run.stage(stage, before)
        before += stage.steps(settings)
        held = set(data.participants) - set(stage.learned.participants)
        found = _logits(made.net, made.joined, data.of(held), settings.batch_size)
        logit[np.isin(people, list(held))] = found
    return logit


def predict_fitted(fitted: Fitted, data: StackTable) -> NDArray[np.float32]:
    """Return the logit of every scan, (n,), what the clinical record adds included."""
    return _logits(fitted.net, fitted.joined, data)


def _logits(
    net: Network | MeasuredModel,
    joined: MeasuredModel | None,
    data: StackTable,
    batch_size: int = 16,
) -> NDArray[np.float32]:
    logit = predict_table(net, data, batch_size)
    if joined is None:
        return logit
    return logit + joined.added(data.record()).astype(np.float32)


def predict_table(
    net: Network | MeasuredModel, data: StackTable, batch_size: int = 16
) -> NDArray[np.float32]:
    """Return the logit of every scan, (n,), in the order of the table, by the network alone."""
    if isinstance(net, MeasuredModel):
        record = data.record() if net.needs_record else None
        maps = data.maps() if net.needs_map else None
        signs = data.signs() if net.needs_signs else None
        return net.log_odds(net.measure(data.frames, record, maps, signs)).astype(np.float32)
    stacks = StackDataset(data)
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            frames = stacks.frames(list(range(start, min(start + batch_size, len(data)))))
            logits.append(net(frames)[0].numpy())
    return np.concatenate(logits) if logits else np.empty(0, np.float32)
