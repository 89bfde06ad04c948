"""From measurements to the columns of a regression, the same for fitting and for predicting.

Missing values, by one rule. When fitting, they are imputed several times (`imputed`), outcome
included. When predicting, there is no outcome and often a single patient: the missing value takes
the mean of those the model learned from, and a column that says "missing", if the model has met
such patients, adds what was peculiar to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measurements import (
    Float64Array,
    Measurements,
    Variable,
    require_variables,
)
from hemocast.classical.splines import harrell_knots, spline_basis

ENOUGH_MISSING = 10
"""Fewer patients with a value missing, and no column says so: its weight would be noise."""
COMPONENTS = 50
"""Of voxels, at most; and no more than a tenth of the patients."""
IMPUTATIONS = 5
_ROUNDS = 5
_RIDGE = 1.0
"""Keeps the regressions of columns that follow from each other solvable."""


@dataclass(frozen=True, eq=False)
class Components:
    """The main axes along which patients' voxels vary.

    Parameters
    ----------
    places : tuple of int
        Which variables the voxels are.
    mean : ndarray of float64, shape (voxels,)
    axes : ndarray of float64, shape (components, voxels)
    """

    places: tuple[int, ...] = ()
    mean: Float64Array = field(default_factory=lambda: np.empty(0))
    axes: Float64Array = field(default_factory=lambda: np.empty((0, 0)))

    def scores(self, patients: Measurements) -> Float64Array:
        """Give every patient's place along them, shape (n, components)."""
        voxels = patients.values[:, list(self.places)] - self.mean
        return np.nan_to_num(voxels) @ self.axes.T


@dataclass(frozen=True, eq=False)
class Design:
    """How measurements become columns of mean 0 and SD 1; every number of it was learned.

    Parameters
    ----------
    variables : tuple of Variable
        In their order.
    knots : tuple of tuple of float
        Of every variable; empty but for splines.
    indicators : tuple of int
        Variables whose being missing has a column; of several that are always missing together,
        the first.
    mean, scale : ndarray of float64, shape (columns,)
        Of every column among those learned from; a scale of 0 marks a column without variation,
        which stays 0.
    axes : Components
        Of the voxels; none where there are none.
    """

    variables: tuple[Variable, ...]
    knots: tuple[tuple[float, ...], ...]
    indicators: tuple[int, ...]
    mean: Float64Array
    scale: Float64Array
    axes: Components = field(default_factory=Components)

    @property
    def names(self) -> tuple[str, ...]:
        """Give every column a name for tables."""
        names = []
        for variable, knots in zip(self.variables, self.knots, strict=True):
            if variable.kind == "voxel":
                continue
            if variable.kind == "category":
                names += [f"{variable.name} {level}" for level in variable.levels[1:]]
            else:
                curved = range(1, len(knots) - 1)
                names += [variable.name, *(f"{variable.name}{chr(39) * i}" for i in curved)]
        names += [f"component {i + 1}" for i in range(len(self.axes.axes))]
        missing = [f"{self.variables[i].name} missing" for i in self.indicators]
        return (*names, *missing)

    @property
    def owners(self) -> tuple[int, ...]:
        """Give the place of every column's variable; that of a component is its first voxel."""
        owners: list[int] = []
        for place, (variable, knots) in enumerate(zip(self.variables, self.knots, strict=True)):
            if variable.kind == "category":
                owners += [place] * (len(variable.levels) - 1)
            elif variable.kind != "voxel":
                owners += [place] * max(len(knots) - 1, 1)
        owners += [self.axes.places[0]] * len(self.axes.axes) if self.axes.places else []
        return (*owners, *self.indicators)

    @property
    def varies(self) -> tuple[int, ...]:
        """Give the places of columns that a model can learn from."""
        return tuple(int(i) for i in np.flatnonzero(self.scale > 0))

    def columns(self, patients: Measurements) -> Float64Array:
        """Give the standardised columns, shape (n, columns): 0 where a value is missing.

        Raises
        ------
        StatisticsError
            Other variables than were learned from.
        """
        require_variables(patients, self.variables)
        return np.nan_to_num(self._standard(_raw(patients, self)))

    def _standard(self, raw: Float64Array) -> Float64Array:
        scale = np.where(self.scale > 0, self.scale, np.inf)
        return np.asarray((raw - self.mean) / scale)


def learn_design(patients: Measurements) -> Design:
    """Place knots, and measure mean and spread, among those to learn from.

    Parameters
    ----------
    patients : Measurements
        Of the training patients alone.
    """
    knots = tuple(
        harrell_knots(column) if variable.kind == "spline" else ()
        for variable, column in zip(patients.variables, patients.values.T, strict=True)
    )
    missing = np.isnan(patients.values)
    patterns: dict[bytes, int] = {}
    kinds = np.array([one.kind != "voxel" for one in patients.variables], dtype=bool)
    for place in np.flatnonzero(kinds & (missing.sum(axis=0) >= ENOUGH_MISSING)):
        patterns.setdefault(missing[:, place].tobytes(), int(place))
    indicators = tuple(patterns.values())
    plain = Design(
        patients.variables, knots, indicators, np.empty(0), np.empty(0), _components(patients)
    )
    raw = _raw(patients, plain)
    known = ~np.isnan(raw)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, raw, 0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, raw - mean, 0) ** 2).sum(axis=0) / count)
    return replace(plain, mean=mean, scale=np.where(scale > 1e-9, scale, 0))


def _components(patients: Measurements) -> Components:
    """Find the main axes of the voxels, by how these patients vary; no outcome takes part."""
    places = [i for i, one in enumerate(patients.variables) if one.kind == "voxel"]
    if not places:
        return Components()
    from sklearn.decomposition import PCA

    voxels = np.nan_to_num(patients.values[:, places])
    k = min(COMPONENTS, voxels.shape[1], max(len(voxels) // 10, 1))
    found = PCA(k, svd_solver="randomized", random_state=0).fit(voxels)
    return Components(tuple(places), np.asarray(found.mean_), np.asarray(found.components_))


def imputed(
    design: Design, patients: Measurements, outcome: Float64Array, seed: int = 0
) -> list[Float64Array]:
    """Complete the columns of training patients several times, by chained equations.

    Parameters
    ----------
    design : Design
        Learned from them.
    patients : Measurements
        Some of whose values may be missing.
    outcome : ndarray, shape (n,)
        Which the imputation must know, or what it fills in would not be related to it.
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    list of ndarray of float64, shape (n, columns)
        `IMPUTATIONS` of them; one where nothing is missing. Curves and levels are imputed as
        columns of their own, and not rounded.

    References
    ----------
    Rubin DB 1987, Multiple Imputation for Nonresponse in Surveys, Wiley, section 5.3,
    10.1002/9780470316696. White IR, Royston P, Wood AM 2011, Stat Med 30:377-399,
    10.1002/sim.4067. Von Hippel PT 2009, Sociol Methodol 39:265-291,
    10.1111/j.1467-9531.2009.01215.x. Not rounded: Horton NJ 2003, Am Stat 57:229-232,
    10.1198/0003130032314.
    """
    raw = design._standard(_raw(patients, design))
    lost = np.isnan(raw)
    if not lost.any():
        return [raw]
    # Columns that say "missing" teach nothing where a value is known.
    values = raw.shape[1] - len(design.indicators)
    # A column of which nothing is known has no spread, and stays 0.
    places = [place for place in design.varies if lost[:, place].any()]
    completed = []
    for number in range(IMPUTATIONS):
        rng = np.random.default_rng(seed + number)
        table = np.column_stack([np.nan_to_num(raw[:, :values]), outcome, np.ones(len(raw))])
        for _ in range(_ROUNDS):
            for place in places:
                _draw(table, place, lost[:, place], rng)
        completed.append(np.column_stack([table[:, :-2], raw[:, values:]]))
    return completed


def _draw(
    table: Float64Array, place: int, lost: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Fill a column's gaps from its linear regression on all others, uncertainty included."""
    others = np.delete(table, place, axis=1)
    known, value = others[~lost], table[~lost, place]
    gram = known.T @ known + _RIDGE * np.eye(others.shape[1])
    mean = np.linalg.solve(gram, known.T @ value)
    freedom = max(len(value) - others.shape[1], 1)
    residual = float(((value - known @ mean) ** 2).sum())
    sigma = np.sqrt(residual / rng.chisquare(freedom))
    root = np.linalg.cholesky(np.linalg.inv(gram))
    drawn = mean + sigma * (root @ rng.normal(size=mean.size))
    table[lost, place] = others[lost] @ drawn + rng.normal(0, sigma, int(lost.sum()))


def _raw(patients: Measurements, design: Design) -> Float64Array:
    """Columns in their own units, NaN where missing."""
    parts = []
    for variable, own, column in zip(
        patients.variables, design.knots, patients.values.T, strict=True
    ):
        if variable.kind == "category":
            levels = np.arange(1, len(variable.levels))
            parts.append(np.where(np.isnan(column)[:, None], np.nan, column[:, None] == levels))
        elif variable.kind != "voxel":
            parts.append(spline_basis(column, own))
    parts.append(design.axes.scores(patients))
    parts.append(np.isnan(patients.values[:, list(design.indicators)]).astype(np.float64))
    return np.hstack(parts)
