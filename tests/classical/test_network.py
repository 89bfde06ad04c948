"""The small network: it ranks, and bends where a line would not."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.learning import Cohort
from hemocast.classical.logistic import learn_ridge
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.network import DECAYS, STARTS, learn_network
from hemocast.errors import TooFewPatients
from hemocast.stats import Cases, auc


def test_it_finds_what_no_line_can() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2))
    outcome = (rng.random(600) < np.where(x[:, 0] * x[:, 1] > 0, 0.8, 0.1)) * 1.0
    two = (Variable("a", "linear"), Variable("b", "linear"))
    cohort = Cohort(Measurements(two, x), outcome, np.arange(600) % 10)
    learned, tried = cohort.part(np.arange(400)), cohort.part(np.arange(400, 600))
    model = learn_network(learned)
    assert model.decay in DECAYS
    assert len(model.networks) == STARTS
    area = auc(Cases(tried.outcome, model.risk(tried.patients)))
    assert area > 0.75
    assert area > auc(Cases(tried.outcome, learn_ridge(learned).risk(tried.patients))) + 0.1


def test_no_events_are_refused(cohort: Cohort) -> None:
    with pytest.raises(TooFewPatients):
        learn_network(Cohort(cohort.patients, np.zeros_like(cohort.outcome), cohort.group))
