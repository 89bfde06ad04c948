from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, calibration_curve, measure_calibration
from hemocast.stats.calibration.loess import local_quadratic
from hemocast.stats.calibration.logistic import fit_logistic


def cohort(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0, 1.3, n))
    return rng.random(n) < risk, risk


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.4, 2.5), st.floats(-1.5, 1.5))
def test_a_shift_and_a_stretch_of_the_logits_come_back(
    seed: int, stretch: float, shift: float
) -> None:
    label, risk = cohort(seed)
    plain = measure_calibration(Cases(label, risk))
    moved = measure_calibration(Cases(label, expit(stretch * logit(risk) + shift)))
    assert moved.slope.value == pytest.approx(plain.slope.value / stretch, rel=1e-6)
    shifted = measure_calibration(Cases(label, expit(logit(risk) + shift)))
    assert shifted.in_the_large.value == pytest.approx(plain.in_the_large.value - shift, abs=1e-7)


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_slope_as_scikit_learn_gives_it_without_penalty(seed: int) -> None:
    label, risk = cohort(seed, 200)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(risk)[:, None], label)
    result = measure_calibration(Cases(label, risk))
    assert result.slope.value == pytest.approx(model.coef_[0, 0], abs=1e-3)
    assert result.intercept == pytest.approx(model.intercept_[0], abs=1e-3)


def test_the_true_risk_is_well_calibrated() -> None:
    label, risk = cohort(1, 2500)
    result = measure_calibration(Cases(label, risk))
    assert result.in_the_large.ci_low < 0 < result.in_the_large.ci_high
    assert result.slope.value == pytest.approx(1, abs=0.12)
    assert result.ici.value < 0.03
    assert result.e50.value <= result.e90.value <= result.emax.value


def test_the_slope_covers_the_truth_about_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(200):
        label, risk = cohort(seed, 150)
        slope = measure_calibration(Cases(label, risk)).slope
        hits += slope.ci_low <= 1 <= slope.ci_high
    assert 0.9 <= hits / 200 <= 0.99


@pytest.mark.parametrize(
    ("label", "probability", "said"),
    [
        ([1, 1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "both classes"),
        ([0, 1, 0, 1, 0, 1], [0.0, 0.2, 0.3, 0.4, 0.5, 1.0], "2 of 6 probabilities"),
        ([0, 1, 0, 1, 0, 1], [0.5] * 6, "different probabilities"),
        ([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "no finite solution"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(label: list, probability: list, said: str) -> None:
    with pytest.raises(StatisticsError, match=said):
        measure_calibration(Cases(label, probability))


module = import_module("hemocast.stats.calibration.measures")  # the name is also a function
MEASURES = ("in_the_large", "slope", "ici", "e50", "e90", "emax")


def cohort_curve(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0, 1.3, n))
    return rng.random(n) < risk, risk


def test_values_are_those_of_the_measures_and_lie_in_their_limits() -> None:
    label, risk = cohort_curve()
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
    label, risk = cohort_curve(150, 3)
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
            curves.append(curve.clip(0, 1))
            measures.append([large[0], line[1]])
    ends = np.quantile(curves, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([found.low, found.high], ends, atol=1e-9)
    ends = np.quantile(measures, [0.025, 0.975], axis=0)
    for name, low, high in zip(MEASURES[:2], *ends, strict=True):
        estimate = getattr(found, name)
        assert (estimate.ci_low, estimate.ci_high) == pytest.approx((low, high), abs=1e-7)


def test_too_extreme_probabilities_are_seen() -> None:
    label, risk = cohort_curve(400, 1)
    found = calibration_curve(
        Cases(label, expit(2.5 * logit(risk)), range(400)), resampling=Resampling(100)
    )
    assert found.slope.ci_high < 1
    assert found.ici.ci_low > 0.04


def test_order_and_copies_do_not_matter() -> None:
    label, risk = cohort_curve(80)
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
    label, risk = cohort_curve(60)
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
