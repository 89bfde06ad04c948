import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from hemocast.stats import Cases, Resampling, auc, bootstrap_metrics
from hemocast.stats.resampling.limits import (
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
    ours = bootstrap_metrics(
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
