"""A model that a clinician can read: one curve of steps for every variable, added up.

The form is that of an explainable boosting machine without pairs. It is learned by scikit-learn's
boosting of trees each of which asks about one variable alone, so that the trees of a variable are
one table of steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.boosting import (
    FARTHEST,
    FittedBoosting,
    as_numbers,
    choose_trees,
    grow_trees,
)
from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import (
    Float64Array,
    Measurements,
    Variable,
    require_variables,
)
from hemocast.classical.odds import expit

MOST_TREES = 200
BAGS = 8
"""Models on four fifths of the groups each, whose curves are averaged: the steps of one are
rough."""
_EVERY = 10
_LEAVES = 3
_L2 = 5.0


@dataclass(frozen=True, eq=False)
class Curve:
    """What a variable adds to the log odds, in steps.

    Parameters
    ----------
    edges : ndarray of float64, shape (k,)
        Rising; a value up to an edge, and above the one before, lies in its step.
    scores : ndarray of float64, shape (k + 1,)
        Of the steps; the last lies above all edges.
    missing : float
        Of a missing value.
    """

    edges: Float64Array
    scores: Float64Array
    missing: float

    def at(self, values: Float64Array) -> Float64Array:
        """Give the score of values, shape (n,)."""
        gap = np.isnan(values)
        step = np.searchsorted(self.edges, np.where(gap, 0, values), side="left")
        return np.asarray(np.where(gap, self.missing, self.scores[step]))


@dataclass(frozen=True, eq=False)
class FittedCurves:
    """Curves that add up to a log odds.

    Parameters
    ----------
    variables : tuple of Variable
    baseline : float
        Log odds of a patient for whom all curves are at their mean.
    curves : tuple of Curve
        Of every variable; each has a mean of 0 among the patients learned from.
    """

    variables: tuple[Variable, ...]
    baseline: float
    curves: tuple[Curve, ...]

    def parts(self, patients: Measurements) -> Float64Array:
        """Give what every variable adds to the log odds, shape (n, variables)."""
        require_variables(patients, self.variables)
        added = [one.at(column) for one, column in zip(self.curves, patients.values.T, strict=True)]
        return np.column_stack(added)

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,)."""
        return np.asarray(expit(self.baseline + self.parts(patients).sum(axis=1)))


def learn_curves(cohort: Cohort) -> FittedCurves:
    """Boost one variable at a time; the number of trees is the one of least deviance in folds.

    Raises
    ------
    TooFewPatients
        Next to no events.
    ParityError
        scikit-learn keeps its trees otherwise than known.

    References
    ----------
    Lou Y, Caruana R, Gehrke J 2012, KDD, 150-158, 10.1145/2339530.2339556 (additive models of
    boosted trees, and bagging them); Nori H 2019, arXiv 1909.09223 (explainable boosting machines).
    """
    trees = choose_trees(cohort, _grow, range(_EVERY, MOST_TREES + 1, _EVERY))
    bags = [
        as_numbers(_grow(part, trees), part.patients)
        for part in map(cohort.part, _bags(cohort.group))
        if 0 < part.events < len(part.outcome)
    ]
    curves = []
    for place, column in enumerate(cohort.patients.values.T):
        curve = _curve(bags, place)
        mean = float(curve.at(column).mean())
        curves.append((Curve(curve.edges, curve.scores - mean, curve.missing - mean), mean))
    baseline = float(np.mean([one.baseline for one in bags])) + sum(mean for _, mean in curves)
    return FittedCurves(cohort.patients.variables, baseline, tuple(curve for curve, _ in curves))


def _bags(group: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """Choose four fifths of the groups, so often as there are to be bags."""
    names = np.unique(group)
    for number in range(BAGS):
        rng = np.random.default_rng(number)
        yield np.isin(group, rng.choice(names, max(4 * names.size // 5, 1), replace=False))


def _curve(bags: list[FittedBoosting], place: int) -> Curve:
    """Add up, and average over the bags, what their trees say of one variable."""
    own = [tree for bag in bags for tree in bag.grown if tree.variable.max() == place]
    if not own:
        return Curve(np.empty(0), np.zeros(1), 0.0)
    masks = [tree.levels[tree.levels >= 0] for tree in own]
    levels = max(int(np.bitwise_or.reduce(mask, initial=0)) for mask in masks).bit_length()
    asked = [tree.threshold[(tree.variable == place) & (tree.levels < 0)] for tree in own]
    edges = np.unique(np.concatenate([*asked, np.arange(levels) + 0.0]))
    # What sets only gaps apart from all values is no edge.
    edges = edges[np.abs(edges) < FARTHEST]
    inside = np.append(edges, edges[-1] + 1 if edges.size else 0.0)
    shown = np.zeros((len(inside) + 1, place + 1))
    shown[:, place] = np.append(inside, np.nan)
    added = np.sum([tree.log_odds(shown) for tree in own], axis=0) / len(bags)
    return Curve(edges, added[:-1], float(added[-1]))


def _grow(cohort: Cohort, trees: int) -> Any:
    return grow_trees(
        cohort,
        trees,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=max(10, len(cohort.outcome) // 100),
        l2_regularization=_L2,
        max_bins=32,
        interaction_cst="no_interactions",
    )
