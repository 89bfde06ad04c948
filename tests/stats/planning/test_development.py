import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats import cox_snell_from_c, development_size
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.planning.development import max_cox_snell


def test_riley_s_worked_example() -> None:
    # Riley 2019, and pmsampsize: 24 parameters, prevalence .174, Cox-Snell R2 .288.
    size = development_size(24, 0.174, 0.288)
    assert (size.shrinkage, size.optimism, size.overall_risk) == (623, 662, 221)
    assert size.required == 662
    assert size.individual_risks is None
    assert size.events == pytest.approx(115.2, abs=0.05)
    assert size.events_per_parameter == pytest.approx(4.8, abs=0.01)


def test_another_of_pmsampsize() -> None:
    # 30 parameters, prevalence .2, C statistic .78: R2 .158, 1556 patients (its R2 is simulated).
    assert cox_snell_from_c(0.78, 0.2) == pytest.approx(0.158, abs=0.0015)
    assert development_size(30, 0.2, 0.1578).required == pytest.approx(1556, abs=3)


def test_mean_error_of_risks_by_hand() -> None:
    size = development_size(10, 0.3, 0.2, mean_error=0.05)
    # The equation the other way round gives the error back.
    error = np.exp(
        -0.508 - 0.544 * np.log(size.individual_risks) + 0.259 * np.log(0.3) + 0.504 * np.log(10)
    )
    assert error == pytest.approx(0.05, rel=0.01)
    assert error <= 0.05
    assert size.required == max(size.shrinkage, size.optimism, 323, size.individual_risks)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0.02, 0.98), st.floats(0.05, 0.8))
def test_more_parameters_need_more_patients(
    parameters: int, prevalence: float, share: float
) -> None:
    cox_snell = share * max_cox_snell(prevalence)
    size = development_size(parameters, prevalence, cox_snell)
    more = development_size(2 * parameters, prevalence, cox_snell)
    assert more.shrinkage >= 2 * size.shrinkage - 1
    assert more.overall_risk == size.overall_risk
    mirrored = development_size(parameters, 1 - prevalence, cox_snell)
    assert mirrored.required == pytest.approx(size.required, abs=1)


@pytest.mark.parametrize(("c", "prevalence"), [(0.842, 0.5), (0.7, 0.05), (0.89, 0.174)])
def test_cox_snell_of_a_c_statistic_as_simulated(c: float, prevalence: float) -> None:
    rng = np.random.default_rng(0)
    n = 400_000
    label = np.arange(n) < n * prevalence
    apart = np.sqrt(2) * norm.ppf(c)
    logits = rng.normal(apart * label, 1) * apart + np.log(prevalence / (1 - prevalence))
    risk = expit(logits - apart**2 / 2)
    fitted = np.mean(np.log(np.where(label, risk, 1 - risk)))
    empty = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    simulated = 1 - np.exp(2 * (empty - fitted))
    assert cox_snell_from_c(c, prevalence) == pytest.approx(simulated, abs=0.004)


def test_a_perfect_model_has_the_largest_r2() -> None:
    assert cox_snell_from_c(1 - 1e-12, 0.3) == pytest.approx(max_cox_snell(0.3), abs=1e-4)
    assert max_cox_snell(0.5) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"parameters": 0}, "0 parameters"),
        ({"prevalence": 17.4}, "prevalence is 17.4"),
        ({"cox_snell": 0.7}, "Cox-Snell R2 is 0.7"),
        ({"shrinkage": 1.0}, "shrinkage factor is 1.0"),
        ({"mean_error": 0.05, "parameters": 31}, "31 parameters"),
        ({"mean_error": 0.0}, "mean absolute error is 0"),
    ],
)
def test_refusals(change: dict, seen: str) -> None:
    given = {"parameters": 24, "prevalence": 0.174, "cox_snell": 0.288, **change}
    with pytest.raises(StatisticsError, match=seen):
        development_size(**given)


def test_a_c_statistic_lies_above_chance() -> None:
    with pytest.raises(StatisticsError, match=r"C statistic is 0.5"):
        cox_snell_from_c(0.5, 0.3)


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "base"), [(10, -1.0), (4, -1.5), (20, 0.0)])
def test_risks_are_as_exact_as_criterion_4_promises(parameters: int, base: float) -> None:
    # The equation is van Smeden's fit to simulations; this one is ours, and agrees within a fifth.
    rng = np.random.default_rng(parameters)
    beta = np.full(parameters, 1.0 / np.sqrt(parameters))
    many = rng.normal(0, 1, (20_000, parameters))
    risk = expit(base + many @ beta)
    n = development_size(parameters, risk.mean(), 0.15, mean_error=0.05).individual_risks
    errors = []
    for _ in range(60):
        x = rng.normal(0, 1, (n, parameters))
        y = (rng.random(n) < expit(base + x @ beta)).astype(float)
        fitted, _ = fit_logistic(np.column_stack([np.ones(n), x]), y)
        errors.append(np.abs(expit(fitted[0] + many @ fitted[1:]) - risk).mean())
    assert np.mean(errors) == pytest.approx(0.05, rel=0.2)
