"""Fitted models as numbers of a ``model.yaml``, no pickle; taken back only if they fit together.

What is too long to be read by anybody, the weights of voxels, goes into arrays beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from hemocast.classical.additive import Curve, FittedCurves
from hemocast.classical.boosting import FittedBoosting, Tree
from hemocast.classical.design import Components, Design
from hemocast.classical.join import Fusion
from hemocast.classical.kernel import PLACES, FittedKernel
from hemocast.classical.late import FittedLate
from hemocast.classical.learning import Fitted
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measurements import Float64Array, Kind, Variable
from hemocast.classical.network import FittedNetwork, Layers
from hemocast.config import Settings
from hemocast.errors import ModelCorrupt, UsageError

Arrays = Mapping[str, NDArray[np.generic]]
VOXEL_MEAN, VOXEL_AXES = "voxels.mean", "voxels.axes"
_MOST = 100_000
_NOTHING = np.empty(0)
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Numbers = tuple[_Number, ...]


class SavedVariable(Settings):
    """A variable with its knots; or, where `count` is not 0, so many named NAME 0, NAME 1 ..."""

    name: str = Field(max_length=100)
    kind: Kind
    levels: tuple[str, ...] = ()
    knots: _Numbers = ()
    count: int = Field(0, ge=0, le=_MOST)

    @model_serializer(mode="wrap")
    def _leave_out_nothing(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value}

    def variables(self) -> tuple[Variable, ...]:
        """Return what it stands for."""
        if not self.count:
            return (Variable(self.name, self.kind, self.levels),)
        return tuple(Variable(f"{self.name} {i}", self.kind) for i in range(self.count))


class SavedColumn(Settings):
    """A column of a design: what is subtracted, and what it is divided by."""

    name: str
    mean: _Number
    sd: float = Field(ge=0, allow_inf_nan=False)


class SavedDesign(Settings):
    """How measurements become columns; see `Design`.

    Parameters
    ----------
    variables : tuple of SavedVariable
    indicators : tuple of int
        Places of the variables whose being missing has a column.
    columns : tuple of SavedColumn
        In the order of the design; their names are checked once the voxels' axes are there.
    """

    variables: tuple[SavedVariable, ...] = Field(min_length=1)
    indicators: tuple[int, ...] = ()
    columns: tuple[SavedColumn, ...]

    @classmethod
    def of(cls, design: Design) -> SavedDesign:
        """Write one down, but for the axes."""
        return cls(
            variables=_grouped(design.variables, design.knots),
            indicators=design.indicators,
            columns=tuple(
                SavedColumn(name=name, mean=float(mean), sd=float(sd))
                for name, mean, sd in zip(design.names, design.mean, design.scale, strict=True)
            ),
        )

    def design(self, arrays: Arrays) -> Design:
        """Take it back.

        Raises
        ------
        ValueError
            Numbers that do not fit together.
        """
        variables = _variables(self.variables)
        if not set(self.indicators) <= set(range(len(variables))):
            raise ValueError("an indicator names no variable")
        design = Design(
            variables,
            tuple(knots for one in self.variables for knots in [one.knots] * max(one.count, 1)),
            self.indicators,
            np.array([one.mean for one in self.columns]),
            np.array([one.sd for one in self.columns]),
            _components(variables, arrays),
        )
        if tuple(one.name for one in self.columns) != design.names:
            raise ValueError("the columns are not those of the variables")
        return design


class SavedLogistic(Settings):
    """A logistic regression, as ridge, Firth and support vectors leave it.

    Parameters
    ----------
    kind : "logistic"
    design : SavedDesign
    intercept : float
    penalty : float
        That was chosen; 0 for Firth's.
    log_odds : dict
        Of every column, by name, per SD.
    """

    kind: Literal["logistic"] = "logistic"
    design: SavedDesign
    intercept: _Number
    penalty: float = Field(ge=0, allow_inf_nan=False)
    log_odds: dict[str, _Number]

    @classmethod
    def of(cls, model: FittedLogistic) -> SavedLogistic:
        """Write one down."""
        names, weights = model.design.names, model.coefficients.tolist()
        return cls(
            design=SavedDesign.of(model.design),
            intercept=model.intercept,
            penalty=model.penalty,
            log_odds=dict(zip(names, weights, strict=True)),
        )

    def fitted(self, arrays: Arrays) -> FittedLogistic:
        """Take it back; see `SavedDesign.design`."""
        design = self.design.design(arrays)
        if tuple(self.log_odds) != design.names:
            raise ValueError("the log odds are not those of the columns")
        weights = np.array(list(self.log_odds.values()))
        return FittedLogistic(design, self.intercept, weights, self.penalty)


class SavedTree(Settings):
    """See `Tree`; the nodes that follow a node stand after it."""

    variable: tuple[int, ...] = Field(min_length=1, max_length=1000)
    threshold: _Numbers
    levels: tuple[int, ...]
    gap_left: tuple[bool, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: _Numbers

    @model_validator(mode="after")
    def _goes_down(self) -> SavedTree:
        n = len(self.variable)
        if {len(column) for column in vars(self).values()} != {n}:
            raise ValueError("a tree's columns differ in length")
        for node, asks in enumerate(self.variable):
            if asks >= 0 and not (node < self.left[node] < n and node < self.right[node] < n):
                raise ValueError("a tree's node leads upwards or nowhere")
        return self

    def tree(self) -> Tree:
        """Take it back."""
        return Tree(**{name: np.array(column) for name, column in vars(self).items()})


class SavedTrees(Settings):
    """Boosted trees.

    Parameters
    ----------
    kind : "trees"
    variables : tuple of SavedVariable
    baseline : float
        Log odds before any tree.
    trees : tuple of SavedTree
    """

    kind: Literal["trees"] = "trees"
    variables: tuple[SavedVariable, ...] = Field(min_length=1)
    baseline: _Number
    trees: tuple[SavedTree, ...] = Field(max_length=1000)

    @classmethod
    def of(cls, model: FittedBoosting) -> SavedTrees:
        """Write one down."""
        grown = [
            SavedTree(**{name: tuple(column.tolist()) for name, column in vars(one).items()})
            for one in model.grown
        ]
        variables = _grouped(model.variables, [()] * len(model.variables))
        return cls(variables=variables, baseline=model.baseline, trees=tuple(grown))

    def fitted(self, arrays: Arrays) -> FittedBoosting:
        """Take it back.

        Raises
        ------
        ValueError
            A tree asks about a variable that is none.
        """
        variables = _variables(self.variables)
        grown = tuple(one.tree() for one in self.trees)
        if any(one.variable.max() >= len(variables) for one in grown):
            raise ValueError("a tree asks about a variable that is none")
        return FittedBoosting(variables, self.baseline, grown)


class SavedLayers(Settings):
    """See `Layers`; `inner` by rows, one a column of the design."""

    inner: tuple[_Numbers, ...]
    inner_bias: _Numbers
    outer: _Numbers
    outer_bias: _Number


class SavedNetworks(Settings):
    """Small networks, whose risks are averaged.

    Parameters
    ----------
    kind : "networks"
    design : SavedDesign
    decay : float
        That was chosen.
    networks : tuple of SavedLayers
    """

    kind: Literal["networks"] = "networks"
    design: SavedDesign
    decay: float = Field(ge=0, allow_inf_nan=False)
    networks: tuple[SavedLayers, ...] = Field(min_length=1, max_length=100)

    @classmethod
    def of(cls, model: FittedNetwork) -> SavedNetworks:
        """Write one down."""
        networks = tuple(
            SavedLayers(
                inner=tuple(map(tuple, one.inner.tolist())),
                inner_bias=tuple(one.inner_bias.tolist()),
                outer=tuple(one.outer.tolist()),
                outer_bias=one.outer_bias,
            )
            for one in model.networks
        )
        design = SavedDesign.of(model.design)
        return cls(design=design, decay=model.decay, networks=networks)

    def fitted(self, arrays: Arrays) -> FittedNetwork:
        """Take it back; see `SavedDesign.design`."""
        design = self.design.design(arrays)
        networks = []
        for one in self.networks:
            inner, outer = np.array(one.inner), np.array(one.outer)
            if inner.shape != (len(design.mean), len(outer)) or len(one.inner_bias) != len(outer):
                raise ValueError("a network's layers do not fit together")
            networks.append(Layers(inner, np.array(one.inner_bias), outer, one.outer_bias))
        return FittedNetwork(design, tuple(networks), self.decay)


class SavedCurve(Settings):
    """See `Curve`."""

    edges: tuple[_Number, ...] = Field(max_length=10_000)
    scores: _Numbers
    missing: _Number


class SavedCurves(Settings):
    """An additive model: a table of steps for every variable.

    Parameters
    ----------
    kind : "curves"
    variables : tuple of SavedVariable
    baseline : float
        Log odds where all curves are at their mean.
    curves : dict
        Variable -> its curve.
    """

    kind: Literal["curves"] = "curves"
    variables: tuple[SavedVariable, ...] = Field(min_length=1)
    baseline: _Number
    curves: dict[str, SavedCurve]

    @classmethod
    def of(cls, model: FittedCurves) -> SavedCurves:
        """Write one down."""
        variables = _grouped(model.variables, [()] * len(model.variables))
        curves = {
            variable.name: SavedCurve(
                edges=tuple(one.edges.tolist()),
                scores=tuple(one.scores.tolist()),
                missing=one.missing,
            )
            for variable, one in zip(model.variables, model.curves, strict=True)
        }
        return cls(variables=variables, baseline=model.baseline, curves=curves)

    def fitted(self, arrays: Arrays) -> FittedCurves:
        """Take it back.

        Raises
        ------
        ValueError
            A curve of no variable, or one whose steps and edges do not fit.
        """
        variables = _variables(self.variables)
        if tuple(self.curves) != tuple(one.name for one in variables):
            raise ValueError("the curves are not those of the variables")
        curves = []
        for one in self.curves.values():
            edges, scores = np.array(one.edges), np.array(one.scores)
            if len(scores) != len(edges) + 1 or (np.diff(edges) <= 0).any():
                raise ValueError("a curve's edges do not rise, or are not one fewer than its steps")
            curves.append(Curve(edges, scores, one.missing))
        return FittedCurves(variables, self.baseline, tuple(curves))


class SavedKernel(Settings):
    """See `FittedKernel`; landmarks by rows.

    Parameters
    ----------
    kind : "kernel"
    variables : tuple of SavedVariable
    centre, scale : tuple of float
        Of what is seen of a place.
    landmarks : tuple of tuple of float
    width : float
    log_odds : tuple of float
        Of every landmark.
    usual : float
        Of the mean place.
    intercept : float
    penalty : float
    """

    kind: Literal["kernel"] = "kernel"
    variables: tuple[SavedVariable, ...] = Field(min_length=1)
    centre: _Numbers
    scale: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]
    landmarks: tuple[_Numbers, ...] = Field(min_length=1, max_length=1000)
    width: float = Field(gt=0, allow_inf_nan=False)
    log_odds: _Numbers
    usual: _Number
    intercept: _Number
    penalty: float = Field(ge=0, allow_inf_nan=False)

    @classmethod
    def of(cls, model: FittedKernel) -> SavedKernel:
        """Write one down."""
        return cls(
            variables=_grouped(model.variables, [()] * len(model.variables)),
            centre=tuple(model.centre.tolist()),
            scale=tuple(model.scale.tolist()),
            landmarks=tuple(map(tuple, model.landmarks.tolist())),
            width=model.width,
            log_odds=tuple(model.weights.tolist()),
            usual=model.usual,
            intercept=model.intercept,
            penalty=model.penalty,
        )

    def fitted(self, arrays: Arrays) -> FittedKernel:
        """Take it back.

        Raises
        ------
        ValueError
            What is seen of a place is not what the variables are.
        """
        variables = _variables(self.variables)
        seen = len(self.centre)
        whole = len(variables) % PLACES == 0 and 2 * len(variables) // PLACES == seen
        if not whole or len(self.scale) != seen or {len(one) for one in self.landmarks} != {seen}:
            raise ValueError("the landmarks are not of the variables")
        if len(self.log_odds) != len(self.landmarks):
            raise ValueError("a landmark has no log odds, or more than one")
        return FittedKernel(
            variables,
            np.array(self.centre),
            np.array(self.scale),
            np.array(self.landmarks),
            self.width,
            np.array(self.log_odds),
            self.usual,
            self.intercept,
            self.penalty,
        )


class SavedLate(Settings):
    """Record and scan joined; see `FittedLate` and `Fusion`.

    Parameters
    ----------
    kind : "late"
    record : SavedLogistic
    image : SavedLogistic or SavedKernel
    intercept, record_weight, image_weight : float
        Log odds, and what each of the two logits is multiplied by.
    """

    kind: Literal["late"] = "late"
    record: SavedLogistic
    image: Annotated[SavedLogistic | SavedKernel, Field(discriminator="kind")]
    intercept: _Number
    record_weight: _Number
    image_weight: _Number

    @classmethod
    def of(cls, model: FittedLate) -> SavedLate:
        """Write one down."""
        image = model.image
        return cls(
            record=SavedLogistic.of(model.record),
            image=SavedKernel.of(image)
            if isinstance(image, FittedKernel)
            else SavedLogistic.of(image),
            intercept=model.join.intercept,
            record_weight=model.join.clinical,
            image_weight=model.join.image,
        )

    def fitted(self, arrays: Arrays) -> FittedLate:
        """Take it back; see `SavedDesign.design`."""
        join = Fusion(self.intercept, self.record_weight, self.image_weight)
        return FittedLate(self.record.fitted({}), self.image.fitted(arrays), join)


SavedModel = Annotated[
    SavedLogistic | SavedTrees | SavedNetworks | SavedCurves | SavedKernel | SavedLate,
    Field(discriminator="kind"),
]


def to_numbers(model: Fitted) -> tuple[SavedModel, dict[str, NDArray[np.generic]]]:
    """Write a fitted model down.

    Parameters
    ----------
    model : Fitted

    Returns
    -------
    SavedModel
        For ``model.yaml``.
    dict
        Arrays that belong to it; none but for models of voxels.

    Raises
    ------
    UsageError
        It is of a kind that is not kept: a small network, or trees, of voxels, or another's.
    """
    if isinstance(model, FittedLogistic):
        axes = model.design.axes
        if axes.places:
            model = model.with_one_axis()
            return SavedLogistic.of(model), {
                VOXEL_MEAN: model.design.axes.mean,
                VOXEL_AXES: model.design.axes.axes,
            }
        return SavedLogistic.of(model), {}
    if isinstance(model, FittedBoosting):
        return SavedTrees.of(model), {}
    if isinstance(model, FittedCurves):
        return SavedCurves.of(model), {}
    if isinstance(model, FittedKernel):
        return SavedKernel.of(model), {}
    if isinstance(model, FittedLate):
        return SavedLate.of(model), {}
    if isinstance(model, FittedNetwork) and not model.design.axes.places:
        return SavedNetworks.of(model), {}
    raise UsageError(
        f"A {type(model).__name__} of these measurements cannot be kept",
        "a logistic model, trees, small networks or a kernel regression of measurements",
        "Keep another kind of model",
    )


def from_numbers(saved: SavedModel, arrays: Arrays) -> Fitted:
    """Take a fitted model back.

    Raises
    ------
    ModelCorrupt
        Its numbers do not fit together.
    """
    try:
        return saved.fitted(arrays)
    except ValueError as error:
        raise ModelCorrupt(
            f"The numbers of the model do not fit together: {error}",
            "a model folder that Hemocast wrote",
            "Get the model again from its source",
        ) from error


def _variables(saved: Iterable[SavedVariable]) -> tuple[Variable, ...]:
    found = tuple(variable for one in saved for variable in one.variables())
    if len(found) > _MOST:
        raise ValueError("there are more variables than any model has")
    return found


def _grouped(
    variables: tuple[Variable, ...], knots: Iterable[tuple[float, ...]]
) -> tuple[SavedVariable, ...]:
    """Write variables down, a row of numbered ones as one."""
    saved: list[SavedVariable] = []
    for variable, own in zip(variables, knots, strict=True):
        stem, _, number = variable.name.rpartition(" ")
        before = saved[-1] if saved else None
        follows = before and (before.name, str(before.count)) == (stem, number)
        if before and follows and not (variable.levels or own) and before.kind == variable.kind:
            saved[-1] = before.model_copy(update={"count": before.count + 1})
        elif number == "0" and stem and not (variable.levels or own):
            saved.append(SavedVariable(name=stem, kind=variable.kind, count=1))
        else:
            saved.append(
                SavedVariable(
                    name=variable.name, kind=variable.kind, levels=variable.levels, knots=own
                )
            )
    return tuple(saved)


def _components(variables: tuple[Variable, ...], arrays: Arrays) -> Components:
    places = tuple(i for i, one in enumerate(variables) if one.kind == "voxel")
    if not places:
        return Components()
    mean, axes = (np.asarray(arrays.get(name, _NOTHING)) for name in (VOXEL_MEAN, VOXEL_AXES))
    right = mean.shape == (len(places),) and axes.ndim == 2 and axes.shape[1] == len(places)
    numbers = all(one.dtype == np.float64 and np.isfinite(one).all() for one in (mean, axes))
    if not (right and numbers):
        raise ValueError("the voxels' axes are missing, or not theirs")
    return Components(places, _floats(mean), _floats(axes))


def _floats(array: NDArray[np.generic]) -> Float64Array:
    return np.asarray(array, dtype=np.float64)
