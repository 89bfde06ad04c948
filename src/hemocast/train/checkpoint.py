"""The file that holds all a training run needs to go on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint as CheckpointCallback

from hemocast.config import Config
from hemocast.errors import OutputExists
from hemocast.files import replacing, write_table
from hemocast.train.state import TrainingState

COLUMNS = (
    "epoch", "train_loss", "validation_loss", "validation_auc", "best", "seconds", "precision",
)  # fmt: skip

KEY = "course"
"""Of the training state in the file, as the first version wrote it."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run's state lies, and whose it is.

    Parameters
    ----------
    folder : Path
        Of the run.
    stamp : str
        Hashes of the settings and data that the state belongs to.
    stage : str
        What the file is called after: ``state`` while the epoch is chosen, ``refit`` while all
        patients are learned from.
    """

    folder: Path
    stamp: str
    stage: str = "state"

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.stage}.ckpt"

    def read(self) -> TrainingState | None:
        """Read the state, or None where the run has not begun.

        Raises
        ------
        OutputExists
            It is of other data or settings.
        """
        if not self.path.exists():
            return None
        content: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        if content.get("stamp") != self.stamp:
            raise OutputExists(
                "The folder for the training run holds a run of other data or settings",
                "an empty folder, or the folder of the same run",
                "Give this training another name",
            )
        return TrainingState.from_plain(content[KEY])


def was_begun_with(folder: Path, config: Config) -> bool:
    """Tell whether the state in a run's folder, if it has one, is of these settings."""
    path = Checkpoint(folder, "").path
    if not path.exists():
        return True
    stamp: str = torch.load(path, map_location="cpu", weights_only=True).get("stamp", "")
    return stamp.startswith(f"{config.net.hash()} {config.train.hash()} ")


class SaveEveryEpoch(CheckpointCallback):
    """Write the whole state of the run after every epoch, signed with what it belongs to.

    Lightning calls checkpoint callbacks last, when the module has closed the epoch.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: Any
    ) -> None:
        """Sign the state."""
        checkpoint["stamp"] = self.checkpoint.stamp

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save, and tell the epochs so far in a table beside it."""
        if not trainer.is_global_zero:  # takes part, and writes nothing
            trainer.save_checkpoint(self.checkpoint.path)
            return
        with replacing(self.checkpoint.path) as draft:
            trainer.save_checkpoint(draft)
        state = cast("TrainingState", pl_module.state)
        rows = [
            asdict(record) | {"seconds": seconds, "precision": state.precision}
            for record, seconds in zip(state.history, state.seconds, strict=True)
        ]
        write_table(self.checkpoint.path.with_suffix(".csv"), rows, COLUMNS)
