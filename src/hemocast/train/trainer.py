"""Lightning's trainer as a run needs it: silent, repeatable, in one process or several."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import lightning
import torch
from lightning.pytorch.strategies import DDPStrategy

from hemocast.config import TrainConfig
from hemocast.errors import MissingExtra
from hemocast.train.allocator import keep_freed_memory
from hemocast.train.checkpoint import Checkpoint, SaveEveryEpoch

LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric")


def make_trainer(settings: TrainConfig, epochs: int, checkpoint: Checkpoint) -> lightning.Trainer:
    """Return a trainer for so many epochs at most, which keeps the state after each.

    Raises
    ------
    MissingExtra
        The settings name a logger that is not installed.
    """
    several = settings.devices > 1
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=Processes(settings.threads) if several else "auto",
        use_distributed_sampler=False,  # it would repeat scans; `Batches` deals them out
        max_epochs=epochs,
        gradient_clip_val=5.0,
        callbacks=[SaveEveryEpoch(checkpoint)],
        default_root_dir=checkpoint.folder,
        logger=_logger(settings, checkpoint),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


class Processes(DDPStrategy):
    """Processes of this machine, each with its own GPU or share of the CPUs, set as the first.

    Lightning begins them for the training alone, so that nothing before or after it is done twice.

    Parameters
    ----------
    threads : int or None
        CPU threads of each.
    """

    def __init__(self, threads: int | None) -> None:
        super().__init__(start_method="spawn")
        self.threads = threads

    def connect(self, model: lightning.LightningModule) -> None:
        """Lightning calls this first in each process."""
        keep_freed_memory()
        _hush()
        _settle(self.threads or max(1, torch.get_num_threads() // self.num_processes))
        super().connect(model)


def refuse_without_logger(settings: TrainConfig) -> None:
    """Refuse a logger that is not installed, before any work.

    Raises
    ------
    MissingExtra
        It is not.
    """
    if settings.log_to != "csv" and find_spec(settings.log_to) is None:
        raise MissingExtra(
            f"train.log_to asks for {settings.log_to}, which is not installed",
            f"the extra `{settings.log_to}`",
            f'Install it with: pip install "hemocast[{settings.log_to}]", or leave train.log_to '
            "out: the tables of epochs are always written",
        )


def _logger(settings: TrainConfig, checkpoint: Checkpoint) -> Any:
    """Make the logger that the settings name; it writes into the run's folder and nowhere else."""
    refuse_without_logger(settings)
    if settings.log_to == "tensorboard":
        from lightning.pytorch.loggers import TensorBoardLogger

        return TensorBoardLogger(checkpoint.folder, name="tensorboard", version=checkpoint.stage)
    if settings.log_to == "mlflow":
        # Read when MLflow is imported: it would report on its use, and wants a server or database.
        os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
        from lightning.pytorch.loggers import MLFlowLogger

        place = (checkpoint.folder / "mlflow").resolve().as_uri()
        return MLFlowLogger("hemocast", run_name=checkpoint.stage, tracking_uri=place)
    return False


@contextlib.contextmanager
def torch_settings(threads: int | None) -> Iterator[None]:
    """Set threads and determinism, and leave everything as it was found."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            _settle(threads)
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])


def _settle(threads: int | None) -> None:
    if threads is not None:
        torch.set_num_threads(threads)
    # Some steps have no repeatable form on a GPU; cuBLAS needs to be told for the others.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's own messages and warnings off the terminal."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    with warnings.catch_warnings():
        _hush()
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _hush() -> None:
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
