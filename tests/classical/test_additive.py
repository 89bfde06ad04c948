"""An additive model: curves that can be read off, and that find what there is."""

from __future__ import annotations

import numpy as np

from hemocast.classical.additive import FittedCurves, learn_curves
from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements, Variable
from hemocast.stats import Cases, auc


def test_it_ranks_others_by_curves_that_rise_where_the_risk_does(
    cohort: Cohort, others: Cohort
) -> None:
    model = learn_curves(cohort)
    risk = model.risk(others.patients)
    assert auc(Cases(others.outcome, risk)) > 0.68
    age, delay, af, syndrome = model.curves
    low, high = age.at(np.array([55.0, 90.0]))
    assert high - low > 0.8
    assert np.ptp(delay.scores) < high - low
    no, yes = af.at(np.array([0.0, 1.0]))
    assert yes - no > 0.5
    assert np.argmax(syndrome.at(np.arange(3.0))) == 1
    assert np.isfinite(af.at(np.array([np.nan]))).all()


def test_parts_add_up_and_are_counted_from_the_mean(cohort: Cohort) -> None:
    model = learn_curves(cohort)
    parts = model.parts(cohort.patients)
    np.testing.assert_allclose(parts.mean(axis=0), 0, atol=1e-9)
    odds = np.log(model.risk(cohort.patients) / (1 - model.risk(cohort.patients)))
    np.testing.assert_allclose(odds, model.baseline + parts.sum(axis=1), atol=1e-9)
    assert abs(model.risk(cohort.patients).mean() - cohort.outcome.mean()) < 0.02


def test_a_variable_acts_by_itself_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 3))
    outcome = (values[:, 0] * values[:, 1] > 0) * 1.0  # nothing that two curves could find
    names = tuple(Variable(name, "spline") for name in "abc")
    model = learn_curves(Cohort(Measurements(names, values), outcome, np.arange(600)))
    assert isinstance(model, FittedCurves)
    changed = values.copy()
    changed[:, 2] = 0
    before, after = (model.parts(Measurements(names, one))[:, :2] for one in (values, changed))
    np.testing.assert_array_equal(before, after)
