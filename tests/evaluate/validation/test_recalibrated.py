"""What recalibration would bring, told on patients who did not calibrate."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from hemocast.evaluate.validation.recalibrated import try_recalibration
from hemocast.model import Calibration, Change

IDENTITY = Calibration(1.0, 0.0, ((0.01, 0.0), (0.0, 0.01)), 0.5, 100, 100)


def patients(n: int, moved: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits whose true log odds lie so far off; every third patient has two scans."""
    rng = np.random.default_rng(3)
    logit = rng.normal(0, 1.5, n)
    label = (rng.random(n) < expit(logit + moved)).astype(np.int64)
    who = np.arange(n)
    again = who[::3]
    twice = np.concatenate([who, again])
    return np.concatenate([logit, logit[again]]), label[twice], twice


def test_risks_that_are_too_high_come_down_to_what_is_seen() -> None:
    logit, label, patient = patients(600, -1.5)
    found = try_recalibration(IDENTITY, logit, label, patient)
    assert found
    assert found.change is Change.MOVED
    assert found.n_patients == 600
    assert found.before.observed_expected.value < 0.7
    assert abs(found.after.observed_expected.value - 1) < 0.05
    assert found.after.brier < found.before.brier


def test_risks_that_fit_are_left_and_few_patients_tell_nothing() -> None:
    found = try_recalibration(IDENTITY, *patients(600, 0.0))
    assert found
    assert found.change is Change.KEPT
    assert found.after.brier == found.before.brier
    assert try_recalibration(IDENTITY, *patients(12, 0.0)) is None
