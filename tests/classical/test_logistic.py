"""Ridge and Firth: they learn, they transfer, and a single patient with gaps gets a risk."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.learning import Cohort, Fit
from hemocast.classical.logistic import PENALTIES, learn_firth, learn_ridge
from hemocast.classical.measurements import Measurements
from hemocast.errors import TooFewPatients
from hemocast.stats import Cases, auc


@pytest.mark.parametrize("learn", [learn_ridge, learn_firth])
def test_risks_rank_and_mean_what_they_say_among_others(
    learn: Fit, cohort: Cohort, others: Cohort
) -> None:
    risk = learn(cohort).risk(others.patients)
    assert auc(Cases(others.outcome, risk)) > 0.7
    assert others.outcome.sum() / risk.sum() == pytest.approx(1, abs=0.25)
    assert learn(cohort).risk(cohort.patients).mean() == pytest.approx(
        cohort.outcome.mean(), rel=0.02
    )


def test_the_penalty_shrinks_and_is_chosen_inside(cohort: Cohort) -> None:
    ridge, firth = learn_ridge(cohort), learn_firth(cohort)
    assert ridge.penalty in PENALTIES
    assert np.linalg.norm(ridge.coefficients) < np.linalg.norm(firth.coefficients)
    assert ridge.inner is not None
    apparent = ridge.risk(cohort.patients)
    inner = auc(Cases(cohort.outcome, ridge.inner))
    assert 0.65 < inner < auc(Cases(cohort.outcome, apparent))
    assert ridge.by_group is not None
    assert ridge.by_group.shape == (2, 12)
    ahead = ridge.places.factor()
    assert ahead.low < 1 < ahead.high < firth.places.factor().high


def test_a_patient_of_whom_nothing_is_known_gets_about_the_mean(cohort: Cohort) -> None:
    nothing = Measurements(cohort.patients.variables, np.full((1, 4), np.nan))
    (risk,) = learn_ridge(cohort).risk(nothing)
    assert 0.5 * cohort.outcome.mean() < risk < 1.5 * cohort.outcome.mean()


@pytest.mark.parametrize("learn", [learn_ridge, learn_firth])
def test_next_to_no_events_are_refused(learn: Fit, cohort: Cohort) -> None:
    keep = (
        np.flatnonzero(cohort.outcome == 0).tolist() + np.flatnonzero(cohort.outcome)[:4].tolist()
    )
    with pytest.raises(TooFewPatients, match="4 of"):
        learn(cohort.part(np.array(keep)))


def test_firth_drops_what_follows_from_other_columns(cohort: Cohort) -> None:
    twice = Measurements(
        (*cohort.patients.variables, cohort.patients.variables[1]),
        np.column_stack([cohort.patients.values, cohort.patients.values[:, 1]]),
    )
    model = learn_firth(Cohort(twice, cohort.outcome, cohort.group))
    assert model.coefficients[model.design.names.index("delay")] != 0
    assert model.coefficients[7] == 0
