"""Fitting a network to a table of stacks (extra `train`).

`fit` and `predict_table` import torch and lightning when they are called.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hemocast.errors import MissingExtra
from hemocast.train.data import StackTable, inner_parts, write_stacks
from hemocast.train.packing import pack
from hemocast.train.state import EpochRecord, Fitted, Progress, TrainingState

if TYPE_CHECKING:
    from hemocast.train.fitting import fit, predict_table

__all__ = [
    "EpochRecord",
    "Fitted",
    "Progress",
    "StackTable",
    "TrainingState",
    "fit",
    "inner_parts",
    "pack",
    "predict_table",
    "write_stacks",
]


def __getattr__(name: str) -> Any:
    if name not in {"fit", "predict_table"}:
        raise AttributeError(name)
    try:
        for needed in ("onnx", "onnxscript"):  # for the export at the end
            if find_spec(needed) is None:
                raise ModuleNotFoundError(name=needed)
        from hemocast.train import fitting
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Training needs {error.name}, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    return getattr(fitting, name)
