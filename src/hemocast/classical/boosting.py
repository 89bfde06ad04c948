"""Boosted trees: small ones, slowly, as few as cross-validation says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.measurements import (
    Float64Array,
    Measurements,
    Variable,
    require_variables,
)
from hemocast.classical.odds import expit
from hemocast.errors import ParityError

MOST_TREES = 100
_EVERY = 5
_LEAVES = 4
_LEARNING_RATE = 0.1
_L2 = 10.0
Grow = Callable[[Cohort, int], Any]
"""Fit so many trees to a cohort; returns scikit-learn's model."""

FARTHEST = 1e15
"""Stands for infinity in a threshold: no measurement lies beyond."""


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree, node by node; the first is its root.

    Parameters
    ----------
    variable : ndarray of int64, shape (nodes,)
        Place of the variable that a node asks about; -1 for a leaf.
    threshold : ndarray of float64, shape (nodes,)
        A number up to it goes left.
    levels : ndarray of int64, shape (nodes,)
        Of a category: bit i is set where level i goes left; -1 where a number is asked about.
    gap_left : ndarray of bool, shape (nodes,)
        A missing value goes left.
    left, right : ndarray of int64, shape (nodes,)
        The nodes that follow.
    value : ndarray of float64, shape (nodes,)
        Log odds that a leaf adds.
    """

    variable: NDArray[np.int64]
    threshold: Float64Array
    levels: NDArray[np.int64]
    gap_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Float64Array

    def log_odds(self, values: Float64Array) -> Float64Array:
        """Give what it adds for every patient, shape (n,), from values of shape (n, variables)."""
        at = np.zeros(len(values), dtype=np.int64)
        # No way down passes more nodes than there are.
        for _ in self.variable:
            asked = values[np.arange(len(values)), self.variable[at]]
            gap = np.isnan(asked)
            level = np.where(gap, 0, asked).astype(np.int64)
            of_level = (self.levels[at] >> np.clip(level, 0, 62)) & 1 == 1
            goes = np.where(self.levels[at] >= 0, of_level, asked <= self.threshold[at])
            goes = np.where(gap, self.gap_left[at], goes)
            down = np.where(goes, self.left[at], self.right[at])
            at = np.where(self.variable[at] < 0, at, down)
        return self.value[at]


@dataclass(frozen=True, eq=False)
class FittedBoosting:
    """Trees that add up to a log odds; a missing value goes the way that served best.

    Parameters
    ----------
    variables : tuple of Variable
        What they ask about.
    baseline : float
        Log odds before any tree.
    grown : tuple of Tree
    """

    variables: tuple[Variable, ...]
    baseline: float
    grown: tuple[Tree, ...]

    @property
    def trees(self) -> int:
        """How many were chosen."""
        return len(self.grown)

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,).

        Raises
        ------
        StatisticsError
            Other variables than were learned from.
        """
        require_variables(patients, self.variables)
        added = [tree.log_odds(patients.values) for tree in self.grown]
        return np.asarray(expit(self.baseline + np.sum(added, axis=0)))


def learn_boosting(cohort: Cohort) -> FittedBoosting:
    """Boost trees of four leaves; their number is the one of least deviance in folds.

    Raises
    ------
    TooFewPatients
        Next to no events.

    References
    ----------
    Ke G 2017, LightGBM, NeurIPS 30, of which scikit-learn's histogram gradient boosting is one.
    """
    trees = choose_trees(cohort, _grow, range(_EVERY, MOST_TREES + 1, _EVERY))
    return as_numbers(_grow(cohort, trees), cohort.patients)


def choose_trees(cohort: Cohort, grow: Grow, stages: range) -> int:
    """Return the number of trees, of `stages`, that has the least deviance in folds.

    Raises
    ------
    TooFewPatients
        Next to no events.
    """
    cohort.require_events()
    risks = np.full((len(stages), len(cohort.outcome)), cohort.outcome.mean())
    for learned, tried in folds(cohort):
        part = cohort.part(learned)
        if not 0 < part.events < len(part.outcome):
            continue
        staged = grow(part, stages[-1]).staged_predict_proba(cohort.patients.values[tried])
        for number, risk in enumerate(staged, start=1):
            if number in stages:
                risks[stages.index(number), tried] = risk[:, 1]
    return stages[int(np.argmin([deviance(cohort.outcome, risk) for risk in risks]))]


def grow_trees(cohort: Cohort, trees: int, **settings: Any) -> Any:
    """Fit scikit-learn's boosting, with what both kinds of trees here have in common."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=_LEARNING_RATE,
        max_iter=trees,
        categorical_features=[one.kind == "category" for one in cohort.patients.variables],
        early_stopping=False,
        random_state=0,
        **settings,
    )
    return model.fit(cohort.patients.values, cohort.outcome)


def as_numbers(model: Any, patients: Measurements) -> FittedBoosting:
    """Read scikit-learn's trees, of which it has no public view, and hold them against its own.

    Parameters
    ----------
    model : sklearn.ensemble.HistGradientBoostingClassifier
        Fitted to `patients`.
    patients : Measurements

    Raises
    ------
    ParityError
        They give something else: a release of scikit-learn that keeps them otherwise.
    """
    order, known = _order(model, patients)
    grown = tuple(_tree(one, order, known, patients.variables) for (one,) in model._predictors)
    baseline = float(np.ravel(model._baseline_prediction)[0])
    fitted = FittedBoosting(patients.variables, baseline, grown)
    told = model.predict_proba(patients.values)[:, 1]
    if not np.allclose(fitted.risk(patients), told, rtol=0, atol=1e-9):
        raise ParityError(
            "The trees as numbers give other risks than scikit-learn's",
            "the same to 1e-9",
            "Install the release of scikit-learn that docs/dependencies.md names",
        )
    return fitted


def _order(model: Any, patients: Measurements) -> tuple[list[int], dict[int, Float64Array]]:
    """Tell which variable each of its columns is, and which level each of its codes.

    Scikit-learn puts categories first, and codes the levels that it has met.
    """
    kinds = [one.kind == "category" for one in patients.variables]
    first = [place for place, category in enumerate(kinds) if category]
    order = [*first, *(place for place, category in enumerate(kinds) if not category)]
    if not first:
        return order, {}
    met = model._preprocessor.named_transformers_["encoder"].categories_
    return order, dict(zip(first, met, strict=True))


def _tree(
    grown: Any, order: list[int], known: dict[int, Float64Array], variables: tuple[Variable, ...]
) -> Tree:
    nodes, masks = grown.nodes, grown.raw_left_cat_bitsets
    asks = ~nodes["is_leaf"].astype(bool)
    variable = np.where(asks, np.array(order)[nodes["feature_idx"]], -1).astype(np.int64)
    gap_left = nodes["missing_go_to_left"].astype(bool)
    levels = np.full(len(nodes), -1, dtype=np.int64)
    for node in np.flatnonzero(asks & nodes["is_categorical"].astype(bool)):
        place = int(variable[node])
        # A level that nobody had goes where a gap goes.
        left = [bool(gap_left[node])] * len(variables[place].levels)
        mask = masks[nodes["bitset_idx"][node]]
        for code, level in enumerate(known[place]):
            if not np.isnan(level):
                left[int(level)] = bool(mask[code // 32] >> code % 32 & 1)
        levels[node] = sum(1 << level for level, yes in enumerate(left) if yes)
    return Tree(
        variable,
        np.clip(nodes["num_threshold"], -FARTHEST, FARTHEST),
        levels,
        gap_left,
        np.where(asks, nodes["left"], 0).astype(np.int64),
        np.where(asks, nodes["right"], 0).astype(np.int64),
        np.where(asks, 0.0, nodes["value"]),
    )


def _grow(cohort: Cohort, trees: int) -> Any:
    least = max(10, len(cohort.outcome) // 200)
    return grow_trees(
        cohort, trees, max_leaf_nodes=_LEAVES, min_samples_leaf=least, l2_regularization=_L2
    )
