"""Boosting: it learns from patients with gaps, and as many trees as serve others."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.boosting import MOST_TREES, learn_boosting
from hemocast.classical.learning import Cohort
from hemocast.errors import TooFewPatients
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
