import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from hemocast.stats import METRICS, Cases, Resampling, auc, evaluate
from hemocast.stats.resampling.limits import (
    _least_precision,
    bca_limits,
    bias_and_acceleration,
    p_of_zero,
    percentile_limits,
    quantile,
)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30), st.floats(0, 1))
def test_quantiles_as_numpy_gives_them(values: list[float], share: float) -> None:
    ordered = np.sort(np.array(values))
    assert quantile(ordered, share) == pytest.approx(np.quantile(ordered, share), abs=1e-12)


def test_quantiles_beside_infinity_are_no_nan() -> None:
    ordered = np.array([1.0, 2.0, np.inf, np.inf])
    assert quantile(ordered, 0.5) == np.inf
    assert quantile(ordered, 0.9) == np.inf
    assert quantile(ordered, 0.2) == pytest.approx(1.6)


def test_bca_as_scipy_gives_it_for_the_same_resamples() -> None:
    data = np.random.default_rng(0).exponential(1, 40)
    theirs = bootstrap((data,), np.std, method="BCa", n_resamples=4000, rng=1)
    left_out = np.array([np.std(np.delete(data, k)) for k in range(40)])
    ours = bca_limits(float(np.std(data)), theirs.bootstrap_distribution, left_out)
    assert ours is not None
    assert ours == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


@pytest.mark.parametrize("metric", ["accuracy", "brier", "auc"])
def test_the_bootstraps_bca_as_scipy_gives_it_within_its_noise(metric: str) -> None:
    rng = np.random.default_rng(3)
    label = rng.random(90) < 0.3
    chance = 1 / (1 + np.exp(-rng.normal(2 * label - 1, 1)))

    def statistic(rows: np.ndarray) -> float:
        truth, score = label[rows], chance[rows]
        if metric == "auc":
            return auc(Cases(truth, score))
        loss = (score - truth) ** 2 if metric == "brier" else (score >= 0.5) == truth
        return float(np.mean(loss))

    theirs = bootstrap(
        (np.arange(90),), statistic, method="BCa", n_resamples=3000, vectorized=False, rng=1
    ).confidence_interval
    ours = evaluate(
        Cases(label, chance, range(90)), 0.5, resampling=Resampling(8000, interval="bca")
    )[metric]
    assert ours.ci_method.endswith("BCa")
    width = theirs.high - theirs.low
    step = 1 / 89 if metric == "accuracy" else 0  # one case more or less
    assert (ours.ci_low, ours.ci_high) == pytest.approx(tuple(theirs), abs=0.06 * width + step)


@given(st.integers(0, 300))
def test_limits_are_in_order_and_mirror_with_the_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn, left = rng.gamma(3, 1, 300), rng.gamma(3, 0.1, 30)
    limits = bca_limits(3.0, drawn, left)
    mirrored = bca_limits(-3.0, -drawn, -left)
    assert limits is not None
    assert mirrored is not None
    assert limits.low <= limits.high
    assert (-mirrored.high, -mirrored.low) == pytest.approx(tuple(limits))


def test_without_corrections_there_is_no_bca() -> None:
    drawn, left = np.arange(100.0), np.arange(5.0)
    assert bias_and_acceleration(-1.0, drawn, left) is None
    assert bias_and_acceleration(50.0, drawn, np.array([1.0, np.nan])) is None
    assert bca_limits(np.inf, drawn, left) is None


@given(st.integers(0, 200), st.floats(-0.3, 3))
def test_p_is_below_the_level_exactly_where_the_interval_leaves_out_zero(
    seed: int, middle: float
) -> None:
    rng = np.random.default_rng(seed)
    drawn, left = rng.normal(middle, 1, 999), rng.gamma(2, 0.1, 40)
    for without in (None, left):
        p = p_of_zero(middle, drawn, without)
        limits = percentile_limits(drawn) if without is None else bca_limits(middle, drawn, left)
        assert limits is not None
        assert 2 / 1000 <= p <= 1
        if abs(p - 0.05) > 0.006:  # between two resamples the two may differ
            assert (p < 0.05) == (limits.low > 0 or limits.high < 0)


def test_perfect_predictions_are_not_certain() -> None:
    label = np.repeat([0, 1], 15)
    result = evaluate(Cases(label, label.astype(float), range(30)), 0.5, resampling=Resampling(500))
    for name, estimate in zip(METRICS, result.estimates, strict=True):
        downward = name in ("brier", "lr_negative")
        worst, best = (estimate.ci_high, estimate.ci_low) if downward else (
            estimate.ci_low, estimate.ci_high,
        )  # fmt: skip
        assert estimate.ci_method.startswith("exact"), name
        assert best == (0 if downward else np.inf if name == "lr_positive" else 1), name
        assert 1.5 < worst < 10 if name == "lr_positive" else 0.05 < worst < 0.95, name
        assert "exact" in str(estimate.warning), name
    assert result["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 15))
    assert result["auc"].ci_low == pytest.approx(0.025 ** (1 / 15))


@pytest.mark.slow
@given(st.integers(2, 40), st.integers(2, 40))
def test_more_patients_make_perfect_predictions_surer(few: int, many: int) -> None:
    few, many = min(few, many), max(few, many) + 1

    def lows(n: int) -> np.ndarray:
        label = np.repeat([0, 1], n)
        result = evaluate(
            Cases(label, label.astype(float), range(2 * n)), 0.5, resampling=Resampling(100)
        )
        ends = [
            1 - one.ci_high if name in ("brier", "lr_negative") else one.ci_low
            for name, one in zip(METRICS, result.estimates, strict=True)
        ]
        return np.array(ends)

    assert (lows(few) < lows(many)).all()


def test_scans_of_one_patient_count_once() -> None:
    label = np.repeat([0, 1], 30)
    alone = evaluate(Cases(label, label.astype(float), range(60)), 0.5, resampling=Resampling(200))
    grouped = evaluate(
        Cases(label, label.astype(float), np.arange(60) // 3), 0.5, resampling=Resampling(200)
    )
    assert grouped["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 10))
    assert alone["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 30))


def test_always_wrong_is_not_certain_either() -> None:
    label = np.repeat([0, 1], 12)
    result = evaluate(Cases(label, 1.0 - label, range(24)), 0.5, resampling=Resampling(200))
    for name in ("accuracy", "sensitivity", "f1", "auc", "macro_f1", "balanced_accuracy"):
        assert result[name].value == result[name].ci_low == 0
        assert 0.1 < result[name].ci_high < 0.6


def test_one_patient_alone_gives_no_narrow_interval() -> None:
    result = evaluate(Cases([0, 1, 1], [0.2, 0.7, 0.3], [7, 7, 7]), 0.5, resampling=Resampling(100))
    for estimate in result.estimates:
        assert np.isnan(estimate.ci_low) or estimate.ci_high - estimate.ci_low > 0.5


def test_an_infinite_likelihood_ratio_has_a_lower_limit_and_a_reason() -> None:
    # 12 of 20 found, no false alarm among 20.
    label = np.repeat([1, 0], 20)
    score = np.concatenate([np.linspace(0.3, 0.8, 20), np.linspace(0, 0.29, 20)])
    score[:8] = 0.2
    estimate = evaluate(Cases(label, score, range(40)), 0.3, resampling=Resampling(300))[
        "lr_positive"
    ]
    assert estimate.value == estimate.ci_high == np.inf
    assert 1 < estimate.ci_low < 12
    assert "no case without the outcome was called positive" in str(estimate.warning)


@given(st.floats(0.01, 0.99), st.floats(0.05, 0.95))
def test_no_roc_curve_has_less_average_precision_than_its_area_allows(
    area: float, prevalence: float
) -> None:
    least = _least_precision(area, prevalence)
    assert 0 < least <= 1
    odds = (1 - prevalence) / prevalence
    hits = (np.arange(4000) + 0.5) / 4000
    lost = 1 - area
    for power in (0.0, 0.5, 1.0, 3.0):  # false alarms as a power of sensitivity
        alarms = lost * (power + 1) * hits**power
        if alarms.max() <= 1:
            assert np.mean(hits / (hits + odds * alarms)) >= least - 1e-3
