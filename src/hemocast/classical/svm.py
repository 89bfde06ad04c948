"""A linear support vector machine, its margin turned into a risk."""

from __future__ import annotations

import numpy as np

from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import expit

COSTS = (1e-4, 1e-3, 1e-2, 1e-1)
_PLATT_RIDGE = 1e-3


def learn_svm(cohort: Cohort) -> FittedLogistic:
    """Fit on measurements and at most 50 components of the voxels.

    The cost is the one of least deviance, and the logistic from margin to risk is fitted, on
    patients out of the folds (Platt). Margin and logistic are both linear, so the result is a
    logistic regression whose coefficients were found another way.

    Raises
    ------
    TooFewPatients
        Next to no events.

    References
    ----------
    Bentley P 2014, NeuroImage Clin 4:635-640, 10.1016/j.nicl.2014.02.003 (voxels and NIHSS). Platt
    J 1999, in Advances in Large Margin Classifiers, MIT Press, 61-74. Bentley took the voxels
    themselves; components, and one cost for both classes, are our choice.
    """
    cohort.require_events()
    table, outcome = cohort.tables[0], cohort.outcome
    margins = np.zeros((len(COSTS), len(table)))
    for learned, tried in folds(cohort):
        for row, cost in enumerate(COSTS):
            intercept, weights = _machine(table[learned], outcome[learned], cost)
            margins[row, tried] = intercept + table[tried] @ weights
    lines = [platt(margin, outcome) for margin in margins]
    risks = [expit(a + b * margin) for (a, b), margin in zip(lines, margins, strict=True)]
    best = int(np.argmin([deviance(outcome, risk) for risk in risks]))
    a, b = lines[best]
    pairs = [_machine(each, outcome, COSTS[best]) for each in cohort.tables]
    intercept = float(np.mean([pair[0] for pair in pairs]))
    weights = np.mean([pair[1] for pair in pairs], axis=0)
    by_group = np.stack(cohort.by_group(risks[best]))
    return FittedLogistic(
        cohort.design, a + b * intercept, b * weights, COSTS[best], risks[best], by_group
    )


def _machine(table: Float64Array, outcome: Float64Array, cost: float) -> tuple[float, Float64Array]:
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=cost, dual="auto", max_iter=20_000, random_state=0)
    machine.fit(table, outcome)
    return float(machine.intercept_[0]), np.asarray(machine.coef_[0])


def platt(margin: Float64Array, outcome: Float64Array) -> tuple[float, float]:
    """Intercept and slope from margin to log odds; a margin that misleads gets a slope of 0.

    On Platt's softened targets, which keep the slope finite where the margin separates all.
    """
    scale = float(margin.std()) or 1.0
    design = np.column_stack([np.ones(len(margin)), margin / scale])
    ones, zeros = outcome.sum(), (1 - outcome).sum()
    softened = np.where(outcome == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    from hemocast.stats.calibration.logistic import fit_logistic  # predicts without

    (a, b), _ = fit_logistic(design, softened, ridge=_PLATT_RIDGE)
    if b <= 0:
        share = outcome.mean()
        return float(np.log(share / (1 - share))), 0.0
    return float(a), float(b / scale)
