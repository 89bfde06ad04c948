import numpy as np
import pytest
from scipy.special import expit

from hemocast.stats import Cases, Resampling
from hemocast.stats.calibration.condense import MOST_SMOOTHED, condense
from hemocast.stats.calibration.loess import local_quadratic, weighted_curves


def _cases(n: int, middle: float) -> Cases:
    rng = np.random.default_rng(0)
    risk = expit(rng.normal(middle, 1.2, n))
    return Cases(rng.random(n) < risk, risk, np.arange(n) // 2)


def test_few_cases_stay_alone() -> None:
    cases = _cases(MOST_SMOOTHED, -1)
    found = condense(cases, cases.patient)
    assert (found.weight == 1).all()
    np.testing.assert_array_equal(found.chance, cases.score)
    (weights,) = Resampling(2).draw(cases, 1)
    np.testing.assert_array_equal(found.resampled(weights), weights[:, cases.patient])


@pytest.mark.parametrize("middle", [-1.0, -5.0])
def test_no_case_is_lost_and_the_curve_is_that_of_all(middle: float) -> None:
    cases = _cases(12_000, middle)
    found = condense(cases, cases.patient)
    assert found.weight.size < 3_700
    assert found.weight.sum() == cases.n
    assert found.weight[found.outcome == 1].sum() == cases.n_positive
    np.testing.assert_allclose(found.resampled(np.ones((1, cases.n_patients)))[0], found.weight)
    at = np.quantile(cases.score, [0.01, 0.3, 0.9, 0.999])
    (curve,) = weighted_curves(found.outcome, found.chance, at, found.weight[None])
    exact = local_quadratic(cases.score, cases.truth.astype(float), at, int(0.75 * cases.n))
    np.testing.assert_allclose(curve, exact, atol=2e-3 * exact.max())
