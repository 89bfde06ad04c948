"""Boosting: it learns from patients with gaps, and as many trees as serve others."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.boosting import MOST_TREES, as_numbers, grow_trees, learn_boosting
from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements
from hemocast.errors import StatisticsError, TooFewPatients
from hemocast.stats import Cases, auc


def test_it_ranks_others_and_stops_early(cohort: Cohort, others: Cohort) -> None:
    model = learn_boosting(cohort)
    risk = model.risk(others.patients)
    assert auc(Cases(others.outcome, risk)) > 0.68
    assert 0 < risk.min() < risk.max() < 1
    assert model.trees < MOST_TREES


def test_no_events_are_refused(cohort: Cohort) -> None:
    healthy = Cohort(cohort.patients, np.zeros_like(cohort.outcome), cohort.group)
    with pytest.raises(TooFewPatients):
        learn_boosting(healthy)


def test_trees_as_numbers_give_what_scikit_learn_gives(cohort: Cohort, others: Cohort) -> None:
    model = grow_trees(cohort, 30, max_leaf_nodes=4)
    fitted = as_numbers(model, cohort.patients)
    assert any((tree.levels >= 0).any() for tree in fitted.grown)  # a category is asked about
    values = others.patients.values.copy()
    values[::3, 0] = np.nan
    values[::5, 3] = np.nan
    told = model.predict_proba(values)[:, 1]
    seen = fitted.risk(Measurements(others.patients.variables, values))
    np.testing.assert_allclose(seen, told, rtol=0, atol=1e-12)


def test_other_variables_are_refused(cohort: Cohort) -> None:
    model = learn_boosting(cohort)
    some = Measurements(cohort.patients.variables[:2], cohort.patients.values[:, :2])
    with pytest.raises(StatisticsError, match="2 variables"):
        model.risk(some)
