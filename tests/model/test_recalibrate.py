"""A calibration is changed no more than local patients call for."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.model import Calibration, Change, fit_calibration, recalibrate
from hemocast.model.calibrate import Curve

OWN = Calibration(1.0, 0.0, ((0.05, 0.0), (0.0, 0.05)), 0.5, 80, 80, prevalence=0.5)


def local(n: int, slope: float, intercept: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-(slope * logit + intercept)))).astype(int)
    return logit, label, np.arange(n)


def test_a_curve_that_fits_is_mostly_kept_but_the_label_sets_are_local() -> None:
    found = [recalibrate(OWN, *local(150, 1.0, 0.0, seed)) for seed in range(60)]
    kept = [new for new, change in found if change is Change.KEPT]
    assert len(kept) >= 52  # 5 % are changed by chance
    assert (kept[0].slope, kept[0].intercept, kept[0].threshold) == (1.0, 0.0, 0.5)
    assert kept[0].label_sets is not None
    assert kept[0].n_patients == 150


def test_where_ht_is_rarer_the_log_odds_are_moved() -> None:
    new, change = recalibrate(OWN, *local(600, 1.0, -1.5, 1))
    assert change is Change.MOVED
    assert new.slope == 1.0
    assert new.intercept == pytest.approx(-1.5, abs=0.3)
    low, high = new.interval(0.0)
    assert low < 1 / (1 + np.exp(1.5)) < high
    assert new.threshold == new.assumed == pytest.approx(local(600, 1.0, -1.5, 1)[1].mean())


def test_where_the_slope_is_another_the_curve_is_fitted_anew() -> None:
    logit, label, patient = local(800, 0.4, -0.5)
    new, change = recalibrate(OWN, logit, label, patient)
    assert change is Change.REFITTED
    assert new == fit_calibration(label, logit, np.ones(800))


def test_after_100_patients_the_mean_risk_is_nearly_right() -> None:
    truth = 1 / (1 + np.exp(-(0.6 * np.random.default_rng(9).normal(0, 1.5, 5000) - 1)))
    off = []
    for seed in range(40):
        new, _ = recalibrate(OWN, *local(100, 0.6, -1.0, seed))
        logit = local(5000, 0.6, -1.0, 99)[0]
        off.append(np.mean([new.probability(x) for x in logit]) - truth.mean())
    assert abs(np.mean(off)) < 0.03
    assert np.quantile(np.abs(off), 0.75) < 0.05


def test_the_threshold_may_be_for_a_sensitivity() -> None:
    logit, label, patient = local(400, 1.0, -1.5)
    new, _ = recalibrate(OWN, logit, label, patient, sensitivity=0.9)
    said = np.array([new.probability(x) for x in logit])
    assert 0.9 <= (said[label == 1] >= new.threshold).mean() < 0.93
    assert new.sensitivity == 0.9


def test_an_isotonic_curve_is_moved_as_a_whole() -> None:
    curve = Curve((-1.0, 1.0), (0.3, 0.7), (0.2, 0.6), (0.4, 0.8))
    own = Calibration(1.0, 0.0, OWN.covariance, 0.5, 80, 80, prevalence=0.5, curve=curve)
    rng = np.random.default_rng(4)
    logit = rng.normal(0, 1, 800)
    line = np.log(np.interp(logit, (-1, 1), (0.3, 0.7)) / np.interp(-logit, (-1, 1), (0.3, 0.7)))
    label = (rng.random(800) < 1 / (1 + np.exp(-(line - 1.2)))).astype(int)
    new, change = recalibrate(own, logit, label, np.arange(800))
    assert change is Change.MOVED
    assert new.probability(0.0) == pytest.approx(1 / (1 + np.exp(1.2)), abs=0.06)


def test_scans_of_one_patient_count_as_one() -> None:
    logit, label, patient = local(300, 0.4, -1.0)
    once, _ = recalibrate(OWN, logit, label, patient)
    twice, _ = recalibrate(OWN, *(np.repeat(one, 2) for one in (logit, label, patient)))
    assert twice.intercept == pytest.approx(once.intercept, abs=1e-6)
    assert twice.n_patients == 300


def test_one_outcome_is_refused() -> None:
    with pytest.raises(StatisticsError):
        recalibrate(OWN, [0.0, 1.0], [0, 0], [0, 1])
