"""What a training run remembers from epoch to epoch, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measured import MeasuredModel
from hemocast.config import Config
from hemocast.train.data import StackTable

if TYPE_CHECKING:
    from torch import Tensor

    from hemocast.nets import Network


@dataclass(frozen=True)
class Validated:
    """What the averaged weights reach on the inner validation part.

    Parameters
    ----------
    loss : float
        Mean binary cross-entropy, every patient counting once.
    auc : float
        Over its scans.
    """

    loss: float
    auc: float


@dataclass(frozen=True)
class EpochRecord:
    """One epoch.

    Parameters
    ----------
    epoch : int
        From 1.
    train_loss : float
        Mean binary cross-entropy, every patient counting once, on augmented scans with the moving
        weights.
    validation_loss, validation_auc : float or None
        Of the averaged weights on the inner validation part; None where all patients are learned
        from.
    best : bool
        The validation loss was the lowest so far; without validation every epoch is.
    """

    epoch: int
    train_loss: float
    validation_loss: float | None
    validation_auc: float | None
    best: bool


Progress = Callable[[int, int, EpochRecord | None], None]
"""Called after every batch with (batches done, batches at most, last finished epoch or None)."""


@dataclass
class TrainingState:
    """The memory: history, best weights, and whether to stop. Plain data in, plain data out.

    Parameters
    ----------
    history : list of EpochRecord
    best_epoch : int
        0 before the first.
    best_loss : float
    best_weights : dict of str to Tensor
    finished : bool
        Nothing is left to train.
    precision : str
        Of the training steps, kept when the run goes on elsewhere; empty before the first.
    seconds : list of float
        Every epoch's time by the clock.
    """

    history: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = float("inf")
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    finished: bool = False
    precision: str = ""
    seconds: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        """One line: how far it is."""
        end = ", finished" if self.finished else ""
        return f"TrainingState({len(self.history)} epochs, best {self.best_epoch}{end})"

    def add(
        self, *, train_loss: float, validated: Validated | None, weights: dict[str, Tensor]
    ) -> None:
        """Append an epoch; keep its weights when its validation loss is the lowest so far."""
        epoch = len(self.history) + 1
        best = validated is None or validated.loss < self.best_loss
        if best:
            self.best_epoch = epoch
            self.best_loss = self.best_loss if validated is None else validated.loss
            self.best_weights = {k: value.detach().cpu().clone() for k, value in weights.items()}
        loss, auc = (None, None) if validated is None else (validated.loss, validated.auc)
        self.history.append(EpochRecord(epoch, train_loss, loss, auc, best))

    def to_plain(self) -> dict[str, Any]:
        """Numbers, strings, lists and tensors only: what ``weights_only`` loading accepts."""
        return vars(self) | {"history": [asdict(record) for record in self.history]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TrainingState:
        """Return what `to_plain` wrote."""
        return cls(**plain | {"history": [EpochRecord(**record) for record in plain["history"]]})


@dataclass(frozen=True)
class Compared:
    """Against what a fitted network was chosen.

    Parameters
    ----------
    other : str
        The network that was not taken.
    loss, loss_other : float
        Log loss of the calibrated probabilities of both, every patient counting once.
    n_patients : int
        On how many, none of whom either had seen.
    """

    other: str
    loss: float
    loss_other: float
    n_patients: int


@dataclass(frozen=True)
class Fitted:
    """A trained network and what it was trained and stopped on.

    Parameters
    ----------
    config : Config
        Its settings; of two that were compared, those of the one that was taken.
    net : Network or MeasuredModel
        A network is in evaluation mode, on the CPU: of the last stage, which learned from all
        patients, or with ``train.refit`` off with the weights of the best epoch.
    best_epoch : int
        From 1: the epoch that the inner validation part chose.
    history : tuple of EpochRecord
        Of the stage that chose it.
    train, validation : StackTable
        The inner parts; no patient is in both.
    validation_logit : ndarray of float32, shape (n,)
        Per scan of the inner validation part, by the best weights of the stage that had not seen
        it, from the stored stacks, as at prediction.
    data_hash : str
        SHA-256 of everything that was given to learn from, both inner parts.
    prevalence : float
        Fraction of those patients with HT.
    refit : tuple of EpochRecord
        Of the stage that learned from all patients; empty if there was none.
    joined : MeasuredModel or None
        What the clinical record adds to a network's logit, where its last layer has it.
    compared : Compared or None
        Where the choice was left to the patients held out.
    """

    config: Config
    net: Network | MeasuredModel
    best_epoch: int
    history: tuple[EpochRecord, ...]
    train: StackTable
    validation: StackTable
    validation_logit: NDArray[np.float32]
    data_hash: str
    prevalence: float
    refit: tuple[EpochRecord, ...] = ()
    joined: MeasuredModel | None = None
    compared: Compared | None = None

    @property
    def parameters(self) -> int | None:
        """How many numbers a network learned; None for a model from measurements."""
        if isinstance(self.net, MeasuredModel):
            return None
        return sum(one.numel() for one in self.net.parameters())

    def __repr__(self) -> str:
        """One line: the network, the epoch and the parts."""
        again = ", refitted on all" if self.refit else ""
        return (
            f"Fitted({type(self.net).__name__}, epoch {self.best_epoch} of {len(self.history)}, "
            f"{len(self.train)} training and {len(self.validation)} validation scans{again})"
        )
