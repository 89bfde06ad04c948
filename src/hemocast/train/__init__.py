"""Fitting a network to a table of stacks (extra `train`).

`fit`, `predict_table` and `StackDataset` import torch and lightning when they are asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hemocast.errors import MissingExtra
from hemocast.train.data import STACKS, StackTable, inner_parts, write_stacks
from hemocast.train.packing import calibration_of, pack
from hemocast.train.state import EpochRecord, Fitted, Progress, TrainingState

if TYPE_CHECKING:
    from hemocast.train.fitting import fit, predict_table
    from hemocast.train.stack_dataset import StackDataset

__all__ = [
    "STACKS",
    "EpochRecord",
    "Fitted",
    "Progress",
    "StackDataset",
    "StackTable",
    "TrainingState",
    "calibration_of",
    "fit",
    "inner_parts",
    "pack",
    "predict_table",
    "write_stacks",
]


def __getattr__(name: str) -> Any:
    if name not in {"fit", "predict_table", "StackDataset"}:
        raise AttributeError(name)
    try:
        for needed in ("onnx", "onnxscript"):  # for the export at the end
            if find_spec(needed) is None:
                raise ModuleNotFoundError(name=needed)
        from hemocast.train import fitting, stack_dataset
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Training needs {error.name}, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    return getattr(stack_dataset if name == "StackDataset" else fitting, name)
