from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from hemocast.errors import StatisticsError, UsageError
from hemocast.model import Calibration, fit_calibration
from hemocast.model.calibrate import Curve, threshold_for


def simulated(n: int, slope: float, intercept: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 2, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-(slope * logit + intercept)))).astype(int)
    return label, logit, np.ones(n)


def test_a_known_calibration_is_found_again():
    fitted = fit_calibration(*simulated(20_000, 0.7, -0.5))
    assert fitted.slope == pytest.approx(0.7, abs=0.04)
    assert fitted.intercept == pytest.approx(-0.5, abs=0.06)


def test_it_agrees_with_scikit_learn_where_the_softened_targets_hardly_matter():
    label, logit, weight = simulated(50_000, 1.2, 0.3)
    other = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], label)
    fitted = fit_calibration(label, logit, weight)
    assert fitted.slope == pytest.approx(float(other.coef_[0, 0]), abs=2e-3)
    assert fitted.intercept == pytest.approx(float(other.intercept_[0]), abs=2e-3)


def test_the_covariance_is_the_spread_over_repetitions():
    fits = [fit_calibration(*simulated(400, 0.8, -0.3, seed)) for seed in range(300)]
    spread = np.cov([[fit.slope, fit.intercept] for fit in fits], rowvar=False)
    mean = np.mean([fit.covariance for fit in fits], axis=0)
    np.testing.assert_allclose(np.diag(mean), np.diag(spread), rtol=0.25)


def test_the_interval_covers_the_true_probability():
    truth = 1 / (1 + np.exp(-(0.8 * 1.0 - 0.3)))
    covered = 0
    for seed in range(300):
        low, high = fit_calibration(*simulated(200, 0.8, -0.3, seed)).interval(1.0)
        covered += low <= truth <= high
    assert 0.92 <= covered / 300 <= 0.99


def test_perfect_separation_stays_finite():
    logit = np.array([-3.0, -2, -1, 1, 2, 3])
    fitted = fit_calibration(logit > 0, logit, np.ones(6))
    assert 0 < fitted.slope < 10
    assert 0 < fitted.probability(-3) < 0.5 < fitted.probability(3) < 1
    low, high = fitted.interval(3)
    assert 0 < low < fitted.probability(3) < high <= 1


def test_a_network_that_learned_nothing_keeps_the_order_and_gives_the_prevalence():
    label = np.array([1, 1, 0, 0, 0, 0])
    fitted = fit_calibration(label, [-2, -1, 1, 2, 3, 4], np.ones(6))
    assert fitted.slope > 0
    assert fitted.probability(0) == pytest.approx(1 / 3, abs=0.1)


def test_a_repeated_scan_with_shared_weight_changes_nothing():
    label, logit, weight = simulated(40, 1, 0)
    once = fit_calibration(label, logit, weight)
    half = np.r_[weight[:-1], 0.5, 0.5]
    twice = fit_calibration(np.r_[label, label[-1]], np.r_[logit, logit[-1]], half)
    # Standardising uses the plain spread, which only moves the numerics.
    assert twice.slope == pytest.approx(once.slope, rel=1e-6)
    assert (twice.n_scans, twice.n_patients) == (41, 40)


def test_the_threshold_is_the_prevalence():
    label, logit, weight = simulated(200, 1, -1)
    assert fit_calibration(label, logit, weight).threshold == pytest.approx(label.mean())


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1]])
def test_one_class_is_refused(label):
    with pytest.raises(StatisticsError):
        fit_calibration(label, [0.0, 1.0, 2.0], [1, 1, 1])


def test_a_logit_that_is_no_number_is_refused():
    with pytest.raises(StatisticsError):
        fit_calibration([0, 1], [0.0, np.nan], [1, 1])


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(-50, 50)), min_size=4, max_size=30).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    ),
    st.floats(-100, 100),
)
@settings(deadline=None, max_examples=60)
@example(rows=[(0, 0.0), (0, 0.0), (0, 0.0), (1, 1.6e-159)], at=0.0)
def test_probability_lies_in_its_interval_and_rises_with_the_logit(rows, at):
    label, logit = zip(*rows, strict=True)
    fitted = fit_calibration(label, logit, np.ones(len(rows)))
    low, high = fitted.interval(at)
    assert 0 <= low <= fitted.probability(at) <= high <= 1
    assert fitted.probability(at) <= fitted.probability(at + 1)


def test_another_prevalence_multiplies_the_odds_and_calls_the_same_scans() -> None:
    fitted = fit_calibration(*simulated(500, 1.0, 0.0))
    moved = fitted.at_prevalence(0.1)
    assert moved.assumed == 0.1
    odds = fitted.assumed / (1 - fitted.assumed)
    for logit in np.linspace(-4, 4, 17):
        before, after = fitted.probability(logit), moved.probability(logit)
        assert after / (1 - after) == pytest.approx(before / (1 - before) / odds / 9)
        assert (after >= moved.threshold) == (before >= fitted.threshold)
        assert moved.interval(logit)[0] < after < moved.interval(logit)[1]
    assert moved.label_sets == fitted.label_sets


def test_probabilities_are_right_where_ht_is_rarer() -> None:
    # Both classes look alike in both populations; one in ten has HT in the second.
    rng = np.random.default_rng(2)
    label = np.repeat([0, 1], 20_000)
    fitted = fit_calibration(label, rng.normal(label, 1.0), np.ones(40_000)).at_prevalence(0.1)
    rare = np.r_[np.zeros(18_000), np.ones(2_000)]
    said = np.array([fitted.probability(x) for x in rng.normal(rare, 1.0)])
    assert said.mean() == pytest.approx(0.1, abs=0.005)
    assert rare[said > 0.2].mean() == pytest.approx(said[said > 0.2].mean(), abs=0.03)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, 15.0, -0.1, float("nan")])
def test_a_prevalence_that_is_none_is_refused(prevalence: float) -> None:
    with pytest.raises(UsageError, match="prevalence"):
        fit_calibration(*simulated(50, 1, 0)).at_prevalence(prevalence)


def test_a_model_of_the_first_version_assumes_its_threshold() -> None:
    old = Calibration(1.0, 0.0, ((0.1, 0.0), (0.0, 0.1)), 0.3, 20, 20)
    assert old.assumed == 0.3
    assert old.label_sets is None


def stepped(n: int, seed: int = 0):
    """Draw outcomes that no logistic curve fits: rare below 0, common above."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 2, n)
    return (rng.random(n) < np.where(logit < 0, 0.2, 0.8)).astype(int), logit, np.ones(n)


def test_an_isotonic_curve_is_taken_where_it_is_better_and_patients_are_many() -> None:
    fitted = fit_calibration(*stepped(3000))
    assert fitted.curve is not None
    assert fitted.probability(-2.0) == pytest.approx(0.2, abs=0.04)
    assert fitted.probability(2.0) == pytest.approx(0.8, abs=0.04)
    for logit in np.linspace(-9, 9, 37):
        low, high = fitted.interval(logit)
        assert 0 < low <= fitted.probability(logit) <= high < 1
        assert fitted.probability(logit) <= fitted.probability(logit + 0.5)
    assert fit_calibration(*stepped(900)).curve is None
    assert fitted.at_prevalence(0.1).probability(2.0) == pytest.approx(
        0.8 / (0.8 + 0.2 * 9), abs=0.06
    )


def test_the_logistic_curve_stays_where_it_is_right() -> None:
    assert fit_calibration(*simulated(3000, 1.0, 0.2)).curve is None


def test_the_isotonic_curve_has_the_heights_of_scikit_learn() -> None:
    label, logit, weight = stepped(2500, seed=3)
    curve = fit_calibration(label, logit, weight).curve
    ones, zeros = label.sum(), (1 - label).sum()
    target = np.where(label == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    other = IsotonicRegression().fit(logit, target)
    np.testing.assert_allclose(np.unique(other.y_thresholds_), curve.probability, atol=1e-9)


@pytest.mark.parametrize(
    "knots",
    [
        ((), (), (), ()),
        ((0.0, 1.0), (0.5,), (0.4,), (0.6,)),
        ((1.0, 0.0), (0.2, 0.5), (0.1, 0.4), (0.3, 0.6)),
        ((0.0, 1.0), (0.5, 0.2), (0.1, 0.1), (0.6, 0.6)),
        ((0.0, 1.0), (0.2, 1.5), (0.1, 0.4), (0.3, 1.6)),
    ],
)
def test_a_curve_that_is_none_is_refused(knots) -> None:
    with pytest.raises(ValueError, match="calibration curve"):
        Curve(*knots)


def test_a_threshold_for_a_sensitivity() -> None:
    label = np.array([1] * 10 + [0] * 10)
    probability = np.r_[np.arange(1, 11), np.arange(10)] / 20
    at = threshold_for(0.9, probability, label, np.ones(20))
    assert at == 0.1
    assert (probability[:10] >= at).mean() == 0.9
    assert threshold_for(0.91, probability, label, np.ones(20)) == 0.05
