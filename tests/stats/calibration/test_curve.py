from importlib import import_module

import numpy as np
import pytest
from scipy.special import expit, logit

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, calibration_curve, measure_calibration
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.calibration.measures import local_quadratic

module = import_module("hemocast.stats.calibration.curve")  # the name is also a function
MEASURES = ("in_the_large", "slope", "ici", "e50", "e90", "emax")


def cohort(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0, 1.3, n))
    return rng.random(n) < risk, risk


def test_values_are_those_of_the_measures_and_lie_in_their_limits() -> None:
    label, risk = cohort()
    found = calibration_curve(Cases(label, risk, range(240)), resampling=Resampling(100))
    plain = measure_calibration(Cases(label, risk))
    assert found.slope.value == plain.slope.value
    assert found.ici.value == plain.ici.value
    for name in MEASURES:
        estimate = getattr(found, name)
        assert estimate.ci_low < estimate.ci_high
    assert found.slope.ci_low == pytest.approx(plain.slope.ci_low, abs=0.12)
    assert (np.diff(found.at) > 0).all()
    assert ((found.low <= found.high) & (found.low >= 0) & (found.high <= 1)).all()
    assert (found.low <= found.curve + 0.02).all()
    assert (found.curve <= found.high + 0.02).all()
    nearest = np.argmin(np.abs(risk[:, None] - found.at), axis=0)
    np.testing.assert_allclose(found.curve, plain.curve[nearest].clip(0, 1), atol=0.03)


@pytest.mark.parametrize("digits", [6, 1])
def test_limits_are_those_of_the_resampled_scans_one_by_one(digits: int) -> None:
    label, risk = cohort(150, 3)
    risk = risk.round(digits).clip(0.05, 0.95)
    patient = np.arange(150) // 2
    found = calibration_curve(
        Cases(label, risk, patient), resampling=Resampling(60, seed=5), points=9
    )
    curves, measures = [], []
    for weights in Resampling(60, seed=5).draw(Cases(label, risk, patient), 150):
        for row in weights[:, patient].astype(int):
            truth, chance = np.repeat(label, row).astype(float), np.repeat(risk, row)
            curve = local_quadratic(chance, truth, found.at, int(0.75 * truth.size))
            logits, ones = logit(chance), np.ones(chance.size)
            large, _ = fit_logistic(ones[:, None], truth, logits)
            line, _ = fit_logistic(np.column_stack([ones, logits]), truth)
            distance = np.abs(np.interp(chance, found.at, curve) - chance)
            shares = np.quantile(distance, [0.5, 0.9])
            curves.append(curve.clip(0, 1))
            measures.append([large[0], line[1], distance.mean(), *shares, distance.max()])
    ends = np.quantile(curves, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([found.low, found.high], ends, atol=1e-9)
    ends = np.quantile(measures, [0.025, 0.975], axis=0)
    for name, low, high in zip(MEASURES, *ends, strict=True):
        estimate = getattr(found, name)
        assert (estimate.ci_low, estimate.ci_high) == pytest.approx((low, high), abs=1e-7)


def test_too_extreme_probabilities_are_seen() -> None:
    label, risk = cohort(400, 1)
    found = calibration_curve(
        Cases(label, expit(2.5 * logit(risk)), range(400)), resampling=Resampling(100)
    )
    assert found.slope.ci_high < 1
    assert found.ici.ci_low > 0.04


def test_order_and_copies_do_not_matter() -> None:
    label, risk = cohort(80)
    once = calibration_curve(Cases(label, risk, np.arange(80)), resampling=Resampling(100))
    order = np.random.default_rng(0).permutation(80)
    mixed = calibration_curve(Cases(label[order], risk[order], order), resampling=Resampling(100))
    np.testing.assert_allclose(mixed.low, once.low, atol=1e-9)
    twice = calibration_curve(
        Cases(np.tile(label, 2), np.tile(risk, 2), np.tile(np.arange(80), 2)),
        resampling=Resampling(100),
    )
    assert twice.slope.ci_low == pytest.approx(once.slope.ci_low)


def test_few_events_are_warned_of() -> None:
    label, risk = cohort(60)
    events = np.flatnonzero(label)
    keep = np.r_[events[:6], np.flatnonzero(~label)]
    found = calibration_curve(
        Cases(label[keep], risk[keep], range(keep.size)), resampling=Resampling(100)
    )
    assert "6 patients" in str(found.slope.warning)


def test_resamples_without_a_curve_are_counted_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    label, risk = [0, 0, 0, 0, 0, 0, 1, 0], np.linspace(0.1, 0.8, 8)
    found = calibration_curve(Cases(label, risk, range(8)), resampling=Resampling(100))
    assert found.n_failed > 10
    assert f"undefined in {found.n_failed} of 100" in str(found.ici.warning)
    monkeypatch.setattr(module, "_MIN_USABLE", 0.95)
    with pytest.raises(StatisticsError, match="resamples allow"):
        calibration_curve(Cases(label, risk, range(8)), resampling=Resampling(100))
