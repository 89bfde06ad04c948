"""What a classical model sees of its patients: named columns, with cells that may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import StatisticsError

Float64Array = NDArray[np.float64]
Rows = NDArray[np.bool_] | NDArray[np.integer]
Kind = Literal["spline", "linear", "binary", "category", "voxel"]


@dataclass(frozen=True)
class Variable:
    """One measurement of a patient, and how a regression takes it.

    Parameters
    ----------
    name : str
        As in its table.
    kind : {"spline", "linear", "binary", "category", "voxel"}
        A number that acts by a smooth curve, or by a straight line; no (0) or yes (1); one of
        several `levels`; or one of so many numbers that only their main components act.
    levels : tuple of str
        Of a category, the first being what the others are compared with.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Measurements:
    """A table of patients by variables.

    Parameters
    ----------
    variables : tuple of Variable
        The columns.
    values : ndarray of float64, shape (n, len(variables))
        Numbers, 0 and 1, or a level's place; NaN where missing.

    Raises
    ------
    StatisticsError
        Another number of columns, or a cell that its variable cannot hold.
    """

    variables: tuple[Variable, ...]
    values: Float64Array

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.variables):
            raise StatisticsError(
                f"The values have shape {self.values.shape}",
                f"a column for each of {len(self.variables)} variables",
                "Give one row a patient",
            )
        for variable, column in zip(self.variables, self.values.T, strict=True):
            known = column[~np.isnan(column)]
            if variable.kind in {"spline", "linear", "voxel"}:
                right = np.isfinite(known)
            else:
                most = len(variable.levels) - 1 if variable.kind == "category" else 1
                right = (known >= 0) & (known <= most) & (known == np.floor(known))
            if not right.all():
                raise StatisticsError(
                    f"{int((~right).sum())} cells of {variable.name} cannot be right",
                    {"binary": "0 or 1", "category": "the place of a level"}.get(
                        variable.kind, "finite numbers"
                    ),
                    "Correct them, or leave them empty",
                )

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.values)

    def part(self, rows: Rows) -> Measurements:
        """Return some of the patients, by mask or by place."""
        return Measurements(self.variables, self.values[rows])


def require_variables(patients: Measurements, learned: tuple[Variable, ...]) -> None:
    """Refuse patients of whom something else is measured than a model learned from.

    Raises
    ------
    StatisticsError
        Other variables, or in another order.
    """
    if patients.variables != learned:
        raise StatisticsError(
            f"The patients have {len(patients.variables)} variables",
            "those that the model learned from, in their order",
            "Give " + ", ".join(one.name for one in learned),
        )
