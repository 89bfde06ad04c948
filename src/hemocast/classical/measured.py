"""A model from measurements that is ready to answer, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from hemocast.classical.additive import FittedCurves
from hemocast.classical.images import VOXELS, Frames
from hemocast.classical.kernel import FittedKernel
from hemocast.classical.late import FittedLate, apart, nothing_known
from hemocast.classical.learning import Fitted
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.classical.odds import finite_logit
from hemocast.classical.recipes import (
    View,
    measure,
    needs_map,
    needs_record,
    needs_signs,
    sees_scan,
)
from hemocast.classical.record import IN_WORDS
from hemocast.classical.signs import IN_WORDS as SIGNS_IN_WORDS
from hemocast.errors import NoRecord

SCAN = "a plain head CT"
Points = tuple[tuple[float, float], ...]
_POINTS = 60
_OF_SCAN = {
    "grey": "grey values of the brain",
    "sides": "differences between the sides",
    "voxel": "the picture, by its voxels",
    "map": "the co-registered map, by its voxels",
}
_TOLD: dict[View, str] = {
    "map": "a co-registered map",
    "signs": "signs measured on a plain head CT",
    "record": "the clinical record",
    "nihss": "the NIHSS",
}


@dataclass(frozen=True)
class Reason:
    """What one thing that is known moved the answer by.

    Parameters
    ----------
    name : str
        In words.
    value : str
        What it is in this patient; empty for the picture.
    log_odds : float
        Added to the logit, counted from the mean of the patients learned from.
    curve : tuple of (float, float)
        Value and log odds over the usual range; empty for what has no curve.
    """

    name: str
    value: str
    log_odds: float
    curve: Points = ()


@dataclass(frozen=True, eq=False)
class MeasuredModel:
    """A fitted model, and what it has to be told.

    Parameters
    ----------
    views : tuple of str
        See `hemocast.classical.recipes`.
    fitted : Fitted
    """

    views: tuple[View, ...]
    fitted: Fitted

    @property
    def told(self) -> str:
        """What it is told of, in words."""
        scan = [SCAN] if sees_scan(self.views) else []
        beside = [_TOLD[view] for view in self.views if view in _TOLD]
        return " and ".join([*scan, *beside])

    @property
    def needs_record(self) -> bool:
        """Whether it is told anything of the clinical record."""
        return needs_record(self.views)

    @property
    def needs_map(self) -> bool:
        """Whether it is told anything of a co-registered map."""
        return needs_map(self.views)

    @property
    def needs_signs(self) -> bool:
        """Whether it is told anything of the signs measured on the scan."""
        return needs_signs(self.views)

    def measure(
        self,
        stacks: Callable[[], Iterable[Frames]],
        record: Measurements | None,
        maps: Measurements | None = None,
        signs: Measurements | None = None,
    ) -> Measurements:
        """Put together what it is told; see `hemocast.classical.recipes.measure`."""
        return measure(self.views, stacks, record, maps, signs)

    def log_odds(self, told: Measurements) -> Float64Array:
        """Give the log odds of the risk, shape (n,)."""
        return finite_logit(self.fitted.risk(told))

    def added(self, told: Measurements) -> Float64Array:
        """Give what a logistic model adds to a logit, shape (n,), beside its intercept."""
        if not isinstance(self.fitted, FittedLogistic):
            raise TypeError("only a logistic model adds")
        return np.asarray(self.fitted.parts(told).sum(axis=1))

    @property
    def is_logistic(self) -> bool:
        """Whether it adds up log odds of columns."""
        return isinstance(self.fitted, FittedLogistic)

    @property
    def sees_scan(self) -> bool:
        """Whether it is told anything of the scan."""
        return sees_scan(self.views)

    def gaps(self, told: Measurements, *, beside: bool = False) -> tuple[str, ...]:
        """Name, in words, what is missing of one patient.

        Parameters
        ----------
        told : Measurements
            Of one patient.
        beside : bool
            A network that sees the scan stands beside it.

        Raises
        ------
        NoRecord
            Everything is, and it sees no scan.
        """
        missing = [
            one
            for one, value in zip(told.variables, told.values[0], strict=True)
            if np.isnan(value) and one.kind != "voxel"
        ]
        if len(missing) == told.values.shape[1] and not (
            beside or self.sees_scan or self.needs_signs
        ):
            raise NoRecord(
                "None of the values that the model needs is known for this patient",
                "a row of the clinical table with the patient's participant_id, and values in it",
                "Add the row; see docs/reference/prediction-schema.md for the names of patients",
            )
        return tuple(_in_words(one) for one in missing)

    def image_alone(self, told: Measurements) -> bool:
        """Tell whether the number of one patient is the image's alone, the record being empty."""
        return isinstance(self.fitted, FittedLate) and bool(nothing_known(told)[0])

    def voxels(self, told: Measurements) -> Float64Array | None:
        """Give what every voxel of one patient added to the logit, shape `VOXELS`.

        None where the model does not see voxels.
        """
        model = self.fitted
        if isinstance(model, FittedLate) and isinstance(model.image, FittedKernel):
            weight = 1.0 if nothing_known(told)[0] else model.join.image
            return np.asarray(weight * model.image.places(apart(told)[1]))
        if isinstance(model, FittedKernel):
            return model.places(told)
        if "voxels" not in self.views or not isinstance(model, FittedLogistic):
            return None
        one = model.with_one_axis().design.axes
        seen = np.nan_to_num(told.values[0, list(one.places)] - one.mean)
        return np.asarray(seen * one.axes[0]).reshape(VOXELS)

    def curves(self, told: Measurements) -> dict[str, Points]:
        """Give, by name, the curve of every number: value and log odds over its usual range."""
        model, found = self.fitted, {}
        if not isinstance(model, FittedLogistic | FittedCurves):
            return {}
        for place, variable in enumerate(told.variables):
            if isinstance(model, FittedCurves):
                edges = model.curves[place].edges
            else:
                edges = np.array(model.design.knots[place])
            if variable.kind != "spline" or edges.size < 2:
                continue
            at = np.linspace(edges[0], edges[-1], _POINTS)
            rows = np.tile(told.values[:1], (_POINTS, 1))
            rows[:, place] = at
            added = model.parts(Measurements(told.variables, rows))[:, place]
            found[_in_words(variable)] = tuple(zip(at.tolist(), added.tolist(), strict=True))
        return found

    def reasons(self, told: Measurements) -> tuple[Reason, ...]:
        """Give what moved the answer for one patient, the most first; none where none can tell."""
        if not isinstance(self.fitted, FittedLogistic | FittedCurves | FittedLate):
            return ()
        parts: dict[str, Reason] = {}
        all_added = self.fitted.parts(told)
        if all_added is None:
            return ()
        added = all_added[0]
        curves = self.curves(told)
        for variable, value, amount in zip(told.variables, told.values[0], added, strict=True):
            name = _in_words(variable)
            before = parts[name].log_odds if name in parts else 0.0
            parts[name] = Reason(
                name, _shown(variable, float(value)), before + float(amount), curves.get(name, ())
            )
        return tuple(sorted(parts.values(), key=lambda one: -abs(one.log_odds)))


def _in_words(variable: Variable) -> str:
    stem, _, number = variable.name.rpartition(" ")
    if number.isdecimal() and stem in _OF_SCAN:
        return _OF_SCAN[stem]
    words = {**SIGNS_IN_WORDS, **IN_WORDS}
    return words.get(variable.name, variable.name.replace("_", " "))


def _shown(variable: Variable, value: float) -> str:
    if _in_words(variable) in _OF_SCAN.values():
        return ""
    if np.isnan(value):
        return "missing"
    if variable.kind == "binary":
        return "yes" if value else "no"
    return variable.levels[int(value)] if variable.levels else f"{value:g}"
