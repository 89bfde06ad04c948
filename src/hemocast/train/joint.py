"""A network and what the clinical record adds to its logit, learning together.

The record enters beside the last layer: the logit is the network's plus a line of the record's
columns. The line begins where a ridge on the record alone ends, so that from the first step on the
network is taught what the record does not already tell; its penalty stays the ridge's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from hemocast.classical.logistic import FittedLogistic, learn_ridge
from hemocast.classical.measured import MeasuredModel
from hemocast.nets import Network, classify
from hemocast.train.data import StackTable
from hemocast.train.measured import cohort_of


class Joint(nn.Module):
    """A network with a line of the record's columns; without columns, the network alone.

    Parameters
    ----------
    net : Network
    start : ndarray of float64, shape (columns,)
        First weights of the line.
    """

    def __init__(self, net: Network, start: np.ndarray) -> None:
        super().__init__()
        self.net = net
        self.line = nn.Parameter(torch.from_numpy(start).float())

    def forward(self, channels: Tensor, columns: Tensor) -> Tensor:
        """Return the logits (B,) for input channels and the record's columns (B, columns)."""
        logit = classify(self.net, channels)[0].float()
        # A product and a sum stay in float32 where matrices are multiplied in bfloat16.
        return logit + (columns * self.line).sum(1)


@dataclass(frozen=True)
class Beside:
    """What a stage knows of the record beside the network.

    Parameters
    ----------
    fitted : FittedLogistic
        The ridge on the record of those learned from.
    patients : int
        How many these are.
    """

    fitted: FittedLogistic
    patients: int

    @classmethod
    def learned(cls, data: StackTable) -> Beside:
        """Learn from the patients of a table.

        Raises
        ------
        TooFewPatients
            Next to no patients of a class.
        TableError
            A clinical table with cells that cannot be.
        """
        return cls(learn_ridge(cohort_of(data, data.record())), len(data.participants))

    @property
    def start(self) -> np.ndarray:
        """The line's first weights."""
        return self.fitted.coefficients

    @property
    def penalty(self) -> float:
        """Half the squared length of the line counts so often against a patient's mean loss."""
        return self.fitted.penalty / self.patients

    def columns(self, data: StackTable) -> Tensor:
        """Return the record's columns of every scan's patient, gaps filled as at prediction."""
        return torch.from_numpy(self.fitted.design.columns(data.record())).float()

    def with_line(self, line: Tensor) -> MeasuredModel:
        """Return what the record adds by a line's weights; the intercept is the network's."""
        weights = line.detach().cpu().double().numpy()
        return MeasuredModel(("record",), replace(self.fitted, intercept=0.0, coefficients=weights))


NOTHING = np.empty(0)
"""Of a network without a record: no columns."""
