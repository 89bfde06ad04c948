"""The support vector machine: it ranks, its risks mean something, and a useless one says so."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.svm import COSTS, learn_svm
from hemocast.errors import TooFewPatients
from hemocast.stats import Cases, auc


def test_it_ranks_others_and_its_risks_mean_what_they_say(cohort: Cohort, others: Cohort) -> None:
    model = learn_svm(cohort)
    risk = model.risk(others.patients)
    assert auc(Cases(others.outcome, risk)) > 0.68
    assert others.outcome.sum() / risk.sum() == pytest.approx(1, abs=0.3)
    assert model.penalty in COSTS
    assert model.by_group is not None


def test_voxels_that_tell_nothing_give_everybody_about_the_mean() -> None:
    rng = np.random.default_rng(0)
    voxels = tuple(Variable(f"v{i}", "voxel") for i in range(40))
    outcome = (rng.random(150) < 0.3) * 1.0
    noise = Cohort(Measurements(voxels, rng.normal(size=(150, 40))), outcome, np.arange(150))
    risk = learn_svm(noise).risk(noise.patients)
    assert risk.std() < 0.12
    assert risk.mean() == pytest.approx(outcome.mean(), abs=0.03)


def test_no_events_are_refused(cohort: Cohort) -> None:
    with pytest.raises(TooFewPatients):
        learn_svm(Cohort(cohort.patients, np.zeros_like(cohort.outcome), cohort.group))
