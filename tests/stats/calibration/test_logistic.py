import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic, fit_resamples


def sample(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, (n, 2))
    y = rng.random(n) < expit(0.5 + x @ [1.0, -2.0])
    return np.column_stack([np.ones(n), x]), y.astype(float)


def test_coefficients_as_another_package_gives_them() -> None:
    sklearn = pytest.importorskip("sklearn.linear_model")
    design, y = sample(3)
    beta, covariance = fit_logistic(design, y)
    other = sklearn.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(design[:, 1:], y)
    assert beta == pytest.approx([*other.intercept_, *other.coef_[0]], rel=1e-4)
    assert (np.diag(covariance) > 0).all()


def test_an_offset_moves_the_intercept() -> None:
    design, y = sample(4)
    plain, _ = fit_logistic(design, y)
    moved, _ = fit_logistic(design, y, np.full(y.size, 0.7))
    np.testing.assert_allclose(moved, plain - [0.7, 0, 0], atol=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_weights_are_copies_and_many_resamples_are_each_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, 40)
    y = (rng.random(40) < expit(x)).astype(float)
    design, offset = np.column_stack([np.ones(40), x]), rng.normal(0, 0.3, 40)
    weights = rng.multinomial(40, np.full(40, 1 / 40), 5).astype(float)
    found = fit_resamples(design, y, offset, weights)
    for row, beta in zip(weights.astype(int), found, strict=True):
        copies = np.repeat(np.arange(40), row)
        try:
            alone, covariance = fit_logistic(design[copies], y[copies], offset[copies])
        except StatisticsError:
            assert np.isnan(beta).all()
            continue
        np.testing.assert_allclose(beta, alone, atol=1e-7)
        weighted, same = fit_logistic(design, y, offset, row.astype(float))
        np.testing.assert_allclose(weighted, alone, atol=1e-7)
        np.testing.assert_allclose(same, covariance, rtol=1e-5, atol=1e-9)


def test_separated_classes_have_no_finite_line() -> None:
    design, y = np.column_stack([np.ones(6), np.arange(6)]), (np.arange(6) > 2).astype(float)
    with pytest.raises(StatisticsError, match="no finite solution"):
        fit_logistic(design, y)
    found = fit_resamples(design, y, np.zeros(6), np.ones((2, 6)))
    assert np.isnan(found).all()


def test_one_resample_without_a_solution_does_not_spoil_the_others() -> None:
    design, y = sample(5, 60)
    weights = np.ones((3, 60))
    weights[1] = y  # one class only
    found = fit_resamples(design, y, np.zeros(60), weights)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[[0, 2]], fit_logistic(design, y)[0][None].repeat(2, 0))
