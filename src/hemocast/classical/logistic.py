"""Penalised logistic regression: ridge with a penalty chosen by cross-validation, and Firth's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hemocast.classical.design import Components, Design
from hemocast.classical.elsewhere import Places, learn_places
from hemocast.classical.firth import fit_firth, restore_mean
from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.measurements import Float64Array, Measurements
from hemocast.classical.odds import expit

PENALTIES = tuple(float(x) for x in np.geomspace(1, 3e4, 10).round(3))
"""Of the ridge: half the sum of squared coefficients of standardised columns is taken so often."""


@dataclass(frozen=True, eq=False)
class FittedLogistic:
    """A logistic regression on standardised columns.

    Parameters
    ----------
    design : Design
        How measurements become its columns.
    intercept : float
    coefficients : ndarray of float64, shape (columns,)
        Log odds per SD; the means over the imputations.
    penalty : float
        Chosen; 0 for Firth's.
    inner : ndarray of float64, shape (n,), or None
        Risks of the training patients out of the folds that chose the penalty; None for Firth's.
    by_group : ndarray of float64, shape (2, groups), or None
        Events of every training group, and the sum of those risks.
    """

    design: Design
    intercept: float
    coefficients: Float64Array
    penalty: float = 0.0
    inner: Float64Array | None = None
    by_group: Float64Array | None = None

    @cached_property
    def places(self) -> Places:
        """What the training groups say of a new one; nothing but the prior for Firth's."""
        observed, expected = np.empty((2, 0)) if self.by_group is None else self.by_group
        return learn_places(observed, expected)

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,)."""
        return np.asarray(expit(self.intercept + self.design.columns(patients) @ self.coefficients))

    def parts(self, patients: Measurements) -> Float64Array:
        """Give what every variable adds to the log odds, shape (n, variables).

        It is counted from the mean of the patients learned from. What voxels add stands with the
        first of them.
        """
        parts = np.zeros((patients.n, len(self.design.variables)))
        added = self.design.columns(patients) * self.coefficients
        for place, column in zip(self.design.owners, added.T, strict=True):
            parts[:, place] += column
        return parts

    def with_one_axis(self) -> FittedLogistic:
        """Return the same with all axes of the voxels in one, the weight of every voxel."""
        design = self.design
        names = np.array([name.startswith("component ") for name in design.names])
        scale = np.where(design.scale > 0, design.scale, np.inf)
        weight = (self.coefficients / scale)[names]
        axes = Components(design.axes.places, design.axes.mean, (weight @ design.axes.axes)[None])
        first = int(np.flatnonzero(names)[0])
        kept = ~names
        kept[first] = True
        mean, sd, coefficients = (
            one[kept].copy() for one in (design.mean, design.scale, self.coefficients)
        )
        mean[first], sd[first], coefficients[first] = weight @ design.mean[names], 1.0, 1.0
        moved = replace(design, mean=mean, scale=sd, axes=axes)
        return replace(self, design=moved, coefficients=coefficients)


def learn_ridge(cohort: Cohort) -> FittedLogistic:
    """Fit by ridge; the penalty is the one of least deviance in folds of whole groups.

    Raises
    ------
    TooFewPatients
        Next to no events.

    References
    ----------
    Le Cessie S, van Houwelingen JC 1992, Appl Stat 41:191-201, 10.2307/2347628. Rubin's mean over
    imputations: Wood AM 2015, Biom J 57:614-632, 10.1002/bimj.201400004.
    """
    cohort.require_events()
    penalty, inner = _choose(cohort.tables[0], cohort)
    pairs = [_ridge(table, cohort.outcome, penalty) for table in cohort.tables]
    return FittedLogistic(
        cohort.design, *_mean(pairs), penalty, inner, np.stack(cohort.by_group(inner))
    )


def learn_firth(cohort: Cohort) -> FittedLogistic:
    """Fit by Firth's likelihood, then restore the mean risk (FLIC); see `fit_firth`.

    Raises
    ------
    TooFewPatients
        Next to no events.
    """
    cohort.require_events()
    pairs = []
    kept = _independent(cohort.tables[0])
    for table in cohort.tables:
        columns = np.column_stack([np.ones(len(table)), table[:, kept]])
        beta, _ = fit_firth(columns, cohort.outcome)
        beta = restore_mean(columns, cohort.outcome, beta)
        coefficients = np.zeros(table.shape[1])
        coefficients[kept] = beta[1:]
        pairs.append((float(beta[0]), coefficients))
    return FittedLogistic(cohort.design, *_mean(pairs))


def _independent(table: Float64Array) -> list[int]:
    """Places of columns none of which follows from those before it."""
    kept: list[int] = []
    basis = np.ones((len(table), 1)) / np.sqrt(len(table))
    for place, column in enumerate(table.T):
        rest = column - basis @ (basis.T @ column)
        length = float(np.linalg.norm(rest))
        if length > 1e-6 * np.sqrt(len(table)):
            kept.append(place)
            basis = np.column_stack([basis, rest / length])
    return kept


def _ridge(
    table: Float64Array, outcome: Float64Array, penalty: float
) -> tuple[float, Float64Array]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-6)
    model.fit(table, outcome)
    return float(model.intercept_[0]), np.asarray(model.coef_[0])


def _choose(table: Float64Array, cohort: Cohort) -> tuple[float, Float64Array]:
    """Return the penalty of least deviance, and the risks that it gave the patients left out."""
    risks = np.full((len(PENALTIES), len(table)), cohort.outcome.mean())
    for learned, tried in folds(cohort):
        outcome = cohort.outcome[learned]
        if not 0 < outcome.sum() < outcome.size:
            continue
        for row, penalty in enumerate(PENALTIES):
            intercept, coefficients = _ridge(table[learned], outcome, penalty)
            risks[row, tried] = expit(intercept + table[tried] @ coefficients)
    best = int(np.argmin([deviance(cohort.outcome, risk) for risk in risks]))
    return PENALTIES[best], risks[best]


def _mean(pairs: list[tuple[float, Float64Array]]) -> tuple[float, Float64Array]:
    intercepts, coefficients = zip(*pairs, strict=True)
    return float(np.mean(intercepts)), np.asarray(np.mean(coefficients, axis=0))
