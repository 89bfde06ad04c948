"""Fitting a network to a table of stacks (extra `train`).

`fit` and `predict_table` import torch and lightning when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hemocast.errors import MissingExtra
from hemocast.train.course import EpochRecord, Fitted, Progress
from hemocast.train.data import StackTable, write_stacks
from hemocast.train.packing import pack

if TYPE_CHECKING:
    from hemocast.train.fitting import fit, predict_table

__all__ = [
    "EpochRecord",
    "Fitted",
    "Progress",
    "StackTable",
    "fit",
    "pack",
    "predict_table",
    "write_stacks",
]


def __getattr__(name: str) -> Any:
    if name not in {"fit", "predict_table"}:
        raise AttributeError(name)
    try:
        from hemocast.train import fitting
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Training needs {error.name}, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    return getattr(fitting, name)
