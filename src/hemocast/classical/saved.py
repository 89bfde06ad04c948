"""A logistic model on disk: numbers in ``model.yaml``, no pickle; read only if they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import Field, ValidationError, model_validator

from hemocast.classical.design import Design
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measurements import Kind, Variable
from hemocast.config import Settings
from hemocast.errors import ModelCorrupt, ModelNotFound, UsageError
from hemocast.files import check_folder, new_folder

DESCRIPTION = "model.yaml"
KIND = "logistic model on measurements"
_LARGEST = 1 << 20
# The parser in C refuses absurd nesting at once; the one in Python takes minutes over it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Number = Field(allow_inf_nan=False)


class About(Settings):
    """What a model is for, and who taught it.

    Parameters
    ----------
    name, horizon, population : str
        As every model of Hemocast's says them.
    learned_by : str
        ``ridge``, ``Firth`` or the like.
    n_patients, n_events : int
        Learned from.
    simulated_training_data : bool
    """

    name: str = Field(min_length=1, max_length=100)
    horizon: str = Field(min_length=1, max_length=500)
    population: str = Field(min_length=1, max_length=500)
    learned_by: str = Field(min_length=1, max_length=100)
    n_patients: int = Field(ge=1)
    n_events: int = Field(ge=0)
    simulated_training_data: bool


class SavedVariable(Settings):
    """A variable with its knots."""

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()


class SavedLogistic(Settings):
    """All of ``model.yaml``.

    Parameters
    ----------
    kind : str
        `KIND`.
    about : About
    variables : tuple of SavedVariable
    indicators : tuple of int
        Places of the variables whose being missing has a column.
    columns : tuple of SavedColumn
        In the order of the design.
    intercept, penalty : float
    """

    kind: str = Field(pattern=f"^{KIND}$")
    about: About
    variables: tuple[SavedVariable, ...] = Field(min_length=1)
    indicators: tuple[int, ...] = ()
    columns: tuple[SavedColumn, ...]
    intercept: float = _Number
    penalty: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> SavedLogistic:
        names = self.design().names
        if tuple(one.name for one in self.columns) != names:
            raise ValueError(f"the columns are not {', '.join(names)}")
        return self

    def design(self) -> Design:
        """Return how measurements become columns."""
        if not set(self.indicators) <= set(range(len(self.variables))):
            raise ValueError("an indicator names no variable")
        return Design(
            tuple(Variable(one.name, one.kind, one.levels) for one in self.variables),
            tuple(one.knots for one in self.variables),
            self.indicators,
            np.array([one.mean for one in self.columns]),
            np.array([one.sd for one in self.columns]),
        )


class SavedColumn(Settings):
    """A column: what is subtracted, what it is divided by, and its log odds per SD."""

    name: str
    mean: float = _Number
    sd: float = Field(ge=0, allow_inf_nan=False)
    log_odds: float = _Number


def save_logistic(model: FittedLogistic, folder: Path, about: About) -> None:
    """Write a model folder.

    Parameters
    ----------
    model : FittedLogistic
        Of measurements; components of voxels are not kept.
    folder : Path
        New or empty.
    about : About

    Raises
    ------
    UsageError
        It learned from voxels.
    OutputExists, NotWritable, NoSpace
        The folder holds something, or cannot be written to.
    """
    design = model.design
    if design.axes.places:
        raise UsageError(
            "The model learned from voxels", "one of measurements", "Keep a network instead"
        )
    saved: dict[str, Any] = {
        "kind": KIND,
        "about": about.model_dump(),
        "variables": [
            {"name": v.name, "kind": v.kind, "levels": list(v.levels), "knots": list(knots)}
            for v, knots in zip(design.variables, design.knots, strict=True)
        ],
        "indicators": list(design.indicators),
        "intercept": model.intercept,
        "penalty": model.penalty,
        "columns": [
            {"name": name, "mean": float(mean), "sd": float(sd), "log_odds": float(weight)}
            for name, mean, sd, weight in zip(
                design.names, design.mean, design.scale, model.coefficients, strict=True
            )
        ],
    }
    check_folder(folder, "model")
    with new_folder(folder) as draft:
        text = yaml.safe_dump(saved, sort_keys=False, allow_unicode=True)
        (draft / DESCRIPTION).write_text(text, encoding="utf-8")


def load_logistic(folder: Path) -> tuple[FittedLogistic, About]:
    """Read a model folder.

    Raises
    ------
    ModelNotFound
        There is none.
    ModelCorrupt
        It holds something else, or numbers that do not fit together.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise ModelNotFound(
            f"There is no {DESCRIPTION} in the folder", "a model folder", "Check the path"
        )
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        content = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 (safe loaders)
        saved = SavedLogistic.model_validate(content)
    except (ValidationError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise ModelCorrupt(
            f"{DESCRIPTION} is no {KIND} whose numbers fit together",
            "a folder that save_logistic wrote",
            "Fit the model again",
        ) from error
    weights = np.array([one.log_odds for one in saved.columns])
    model = FittedLogistic(saved.design(), saved.intercept, weights, saved.penalty)
    return model, saved.about
