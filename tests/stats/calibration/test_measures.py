import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, measure_calibration
from hemocast.stats.calibration.measures import smooth


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


@given(st.integers(0, 100))
def test_smoothing_keeps_a_parabola(seed: int) -> None:
    x = np.random.default_rng(seed).random(60)
    y = 2 - 3 * x + 5 * x**2
    np.testing.assert_allclose(smooth(x, y), y, atol=1e-8)


def test_smoothing_does_not_mind_the_order() -> None:
    label, risk = cohort(2, 100)
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_allclose(
        smooth(risk[order], label[order]), smooth(risk, label)[order], atol=1e-10
    )


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
