"""Pooled left-out predictions: countries are resampled, and few of them say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.pooled import few_groups, pool
from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, auc

FEW = Resampling(200)


def _patients(groups: int, spread: float) -> tuple[Cohort, np.ndarray]:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(groups), 6000 // groups)
    eta = rng.normal(-3, 1, group.size)
    outcome = (rng.random(group.size) < expit(eta + rng.normal(0, spread, groups)[group])) * 1.0
    values = np.zeros((group.size, 1))
    return Cohort(Measurements((Variable("x", "linear"),), values), outcome, group), expit(eta)


def test_countries_that_differ_widen_the_calibration() -> None:
    alike = pool(*_patients(20, 0.0), FEW)
    different = pool(*_patients(20, 0.8), FEW)
    width = [one.ratio.ci_high - one.ratio.ci_low for one in (alike, different)]
    assert width[1] > 2 * width[0]
    assert alike.ratio.ci_low < 1 < alike.ratio.ci_high
    assert alike.slope.ci_low < 1 < alike.slope.ci_high
    assert alike.in_the_large.value == pytest.approx(np.log(alike.ratio.value), abs=0.03)
    assert alike.auc.warning is None


def test_values_are_those_of_the_patients_themselves() -> None:
    cohort, risk = _patients(20, 0.0)
    one = pool(cohort, risk, FEW)
    assert one.auc.value == auc(Cases(cohort.outcome, risk))
    assert one.ratio.value == pytest.approx(cohort.outcome.sum() / risk.sum())
    acted = risk >= 0.05
    odds = 0.05 / 0.95
    by_hand = (cohort.outcome[acted] - odds * (1 - cohort.outcome[acted])).sum() / len(risk)
    assert one.decision.model[-1] == pytest.approx(by_hand)


def test_few_countries_are_told_and_their_patients_resampled() -> None:
    one = pool(*_patients(2, 0.8), FEW)
    assert one.auc.warning is not None
    assert "these 2 countries alone" in one.auc.warning
    assert "patients" in one.auc.ci_method
    assert few_groups(34) is None
    assert "this country alone" in str(few_groups(1))


def test_a_class_alone_is_refused() -> None:
    cohort, risk = _patients(20, 0.0)
    healthy = Cohort(cohort.patients, np.zeros_like(cohort.outcome), cohort.group)
    with pytest.raises(StatisticsError, match="0 have the outcome"):
        pool(healthy, risk, FEW)
