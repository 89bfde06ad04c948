import numpy as np
import pytest
from scipy.special import expit, logit

from hemocast.stats import Cases, Resampling, calibration_curve
from hemocast.stats.calibration.distances import distance_limits, distances, weighted_quantiles


def test_distances_count_cases_as_often_as_their_weights_say() -> None:
    rng = np.random.default_rng(0)
    chances, curve, weight = rng.random(40), rng.random(40), rng.integers(1, 5, 40)
    every = np.repeat(np.abs(curve - chances), weight)
    expected = [every.mean(), *np.quantile(every, [0.5, 0.9]), every.max()]
    np.testing.assert_allclose(distances(chances, curve, weight.astype(float)), expected)


def test_quantiles_are_those_of_the_values_repeated() -> None:
    rng = np.random.default_rng(1)
    for _ in range(3):
        values, weights = rng.normal(size=30), rng.integers(0, 4, 30)
        found = weighted_quantiles(values, weights.astype(float), (0.0, 0.3, 1.0))
        repeated = np.quantile(np.repeat(values, weights), [0.0, 0.3, 1.0])
        np.testing.assert_allclose(found, repeated)


def test_a_curve_without_noise_is_known_and_one_of_noise_alone_may_be_the_diagonal() -> None:
    chances = np.linspace(0.01, 0.99, 200)
    weight, at = np.ones(200), np.linspace(0.01, 0.99, 50)
    bent = at + 0.1 * np.sin(3 * at)
    values = distances(chances, chances + 0.1 * np.sin(3 * chances), weight)
    for limits, value in zip(
        distance_limits(values, chances, weight, at, bent, np.tile(bent, (50, 1))),
        values,
        strict=True,
    ):
        assert limits == pytest.approx((value, value), rel=1e-3)
    loud = bent + np.random.default_rng(0).normal(0, 0.4, (300, 1))
    for limits in distance_limits(values, chances, weight, at, bent, loud):
        assert limits.low == 0
        assert limits.high > 0.5


@pytest.mark.parametrize("stretch", [1.0, 2.0])
def test_the_limits_hold_the_true_distance(stretch: float) -> None:
    """Percentiles of the resamples held a true distance of 0 in none of 100 samples."""
    rng, held = np.random.default_rng(5), 0
    for seed in range(40):
        risk = expit(rng.normal(-0.5, 1.2, 150))
        said = expit(stretch * logit(risk))
        cases = Cases(rng.random(150) < risk, said)
        ici = calibration_curve(cases, Resampling(100, seed), points=15).ici
        held += ici.ci_low <= np.abs(risk - said).mean() <= ici.ci_high
    assert held >= 33
