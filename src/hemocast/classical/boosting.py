"""Boosted trees: small ones, slowly, as few as cross-validation says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.measurements import Float64Array, Measurements

MOST_TREES = 100
_EVERY = 5
_LEAVES = 4
_LEARNING_RATE = 0.1
_L2 = 10.0


@dataclass(frozen=True, eq=False)
class FittedBoosting:
    """Trees that add up to a log odds; a missing value goes the way that served best.

    Parameters
    ----------
    model : sklearn.ensemble.HistGradientBoostingClassifier
        Fitted.
    trees : int
        Chosen.
    """

    model: Any
    trees: int

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,)."""
        return np.asarray(self.model.predict_proba(patients.values)[:, 1])


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
    cohort.require_events()
    stages = range(_EVERY, MOST_TREES + 1, _EVERY)
    risks = np.full((len(stages), len(cohort.outcome)), cohort.outcome.mean())
    for learned, tried in folds(cohort):
        part = cohort.part(learned)
        if not 0 < part.events < len(part.outcome):
            continue
        model = _booster(part, MOST_TREES)
        staged = model.staged_predict_proba(cohort.patients.values[tried])
        for number, risk in enumerate(staged, start=1):
            if number % _EVERY == 0:
                risks[number // _EVERY - 1, tried] = risk[:, 1]
    best = int(np.argmin([deviance(cohort.outcome, risk) for risk in risks]))
    return FittedBoosting(_booster(cohort, stages[best]), stages[best])


def _booster(cohort: Cohort, trees: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    categories = [one.kind == "category" for one in cohort.patients.variables]
    model = HistGradientBoostingClassifier(
        learning_rate=_LEARNING_RATE,
        max_iter=trees,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=max(10, len(cohort.outcome) // 200),
        l2_regularization=_L2,
        categorical_features=categories,
        early_stopping=False,
        random_state=0,
    )
    return model.fit(cohort.patients.values, cohort.outcome)
