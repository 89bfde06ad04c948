"""Fitting a network to a table of stacks (extra `train`).

What `LAZY` names imports torch and lightning when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hemocast.errors import MissingExtra
from hemocast.train.data import STACKS, StackTable, inner_parts, write_stacks
from hemocast.train.packing import calibration_of, pack
from hemocast.train.state import EpochRecord, Fitted, Progress, TrainingState

if TYPE_CHECKING:
    from hemocast.train.fitting import fit, predict_fitted, predict_table
    from hemocast.train.pretrain.head import with_encoder
    from hemocast.train.pretrain.learn import PretrainCourse
    from hemocast.train.pretrain.run import PretrainPlan, pretrain_encoder
    from hemocast.train.stack_dataset import StackDataset

__all__ = [
    "STACKS",
    "EpochRecord",
    "Fitted",
    "PretrainCourse",
    "PretrainPlan",
    "Progress",
    "StackDataset",
    "StackTable",
    "TrainingState",
    "calibration_of",
    "fit",
    "inner_parts",
    "pack",
    "predict_fitted",
    "predict_table",
    "pretrain_encoder",
    "with_encoder",
    "write_stacks",
]

LAZY = {
    "fit": "fitting",
    "predict_fitted": "fitting",
    "predict_table": "fitting",
    "StackDataset": "stack_dataset",
    "PretrainCourse": "pretrain.learn",
    "PretrainPlan": "pretrain.run",
    "pretrain_encoder": "pretrain.run",
    "with_encoder": "pretrain.head",
}
"""What needs torch, and the module it is in."""


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(name)
    try:
        for needed in ("onnx", "onnxscript"):  # for the export at the end
            if find_spec(needed) is None:
                raise ModuleNotFoundError(name=needed)
        module = import_module(f"hemocast.train.{LAZY[name]}")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Training needs {error.name}, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    return getattr(module, name)
