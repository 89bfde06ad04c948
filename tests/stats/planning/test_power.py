from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    VarianceComponents,
    auc_cases,
    auc_difference_cases,
    auc_difference_power,
    delong,
    delong_test,
    hanley_mcneil_se,
    mrmc_cases,
    mrmc_power,
)

PARTS = VarianceComponents(0.0015, 0.0002, 0.0008, 0.00035, 0.00034, 0.00024, 114)
EFFECT = -0.043800322


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 20), st.floats(0.02, 0.2), st.floats(0.5, 0.95))
def test_cases_are_the_fewest_that_reach_the_power(
    readers: int, effect: float, power: float
) -> None:
    try:
        n = mrmc_cases(PARTS, effect, readers, power)
    except StatisticsError:
        assert mrmc_power(PARTS, effect, readers, 1_000_000) < power
        return
    assert mrmc_power(PARTS, effect, readers, n) >= power
    assert n == 2 or mrmc_power(PARTS, effect, readers, n - 1) < power


def test_power_grows_with_readers_cases_and_effect_and_not_with_its_sign() -> None:
    base = mrmc_power(PARTS, 0.05, 5, 100)
    assert mrmc_power(PARTS, -0.05, 5, 100) == base
    assert mrmc_power(PARTS, 0.05, 8, 100) > base
    assert mrmc_power(PARTS, 0.05, 5, 200) > base
    assert mrmc_power(PARTS, 0.08, 5, 100) > base
    assert mrmc_power(PARTS, 1e-9, 5, 100) == pytest.approx(0.05, abs=1e-6)


def test_readers_that_do_not_vary_leave_the_cases_alone() -> None:
    none = replace(PARTS, treatment_reader=-1.0)
    assert mrmc_power(none, 0.05, 5, 100) > mrmc_power(PARTS, 0.05, 5, 100)
    alike = replace(
        PARTS, treatment_reader=0.0, error=0.0007, cov1=0.0006, cov2=0.0005, cov3=0.0004
    )
    assert mrmc_power(alike, 0.05, 5, 114) == pytest.approx(
        mrmc_power(alike, 0.05, 5, 114, generalize="cases")
    )


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"n_readers": 1}, "1 readers are planned"),
        ({"effect": 0.0}, "difference to detect is 0"),
        ({"alpha": 1.5}, "level is 1.5"),
        ({"n_cases": 1}, "1 cases"),
        (
            {"components": VarianceComponents(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 50)},
            "no variance of the difference",
        ),
    ],
)
def test_plans_that_make_no_sense(change: dict, seen: str) -> None:
    given = {"components": PARTS, "effect": 0.05, "n_readers": 5, "n_cases": 100, **change}
    with pytest.raises(StatisticsError, match=seen):
        mrmc_power(**given)


def test_no_number_of_cases_makes_up_for_too_few_readers() -> None:
    with pytest.raises(StatisticsError, match="not enough for 2 readers"):
        mrmc_cases(PARTS, 0.02, 2)
    with pytest.raises(StatisticsError, match="power is 1"):
        mrmc_cases(PARTS, 0.02, 5, power=1)


def test_the_paper_s_auc_is_less_sure_than_printed() -> None:
    # Zhang 2026: AUC .842 of 61 scans, printed .758-.921.
    error = hanley_mcneil_se(0.842, 40, 21)
    assert error == pytest.approx(0.049, abs=0.001)
    assert 0.842 - 1.96 * error == pytest.approx(0.745, abs=0.001)
    assert 0.842 + 1.96 * error == pytest.approx(0.939, abs=0.001)


def test_hanley_and_mcneil_s_formula_by_hand() -> None:
    # Exponential scores are what the formula supposes: its variance is then exact.
    rng = np.random.default_rng(0)
    label = np.arange(60) < 25
    rate = 0.8 / (1 - 0.8)
    areas = [
        delong(Cases(label, rng.exponential(np.where(label, rate, 1.0)))).auc[0]
        for _ in range(4000)
    ]
    assert np.std(areas) == pytest.approx(hanley_mcneil_se(0.8, 25, 35), rel=0.05)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 0.97), st.floats(0.1, 0.9), st.floats(0.02, 0.1))
def test_cases_for_a_precise_auc(area: float, prevalence: float, half: float) -> None:
    n = auc_cases(area, prevalence, half)
    events = min(max(round(n * prevalence), 1), n - 1)
    assert 1.96 * hanley_mcneil_se(area, events, n - events) <= half * 1.001
    assert auc_cases(area, prevalence, half / 2) > 3 * n


@pytest.mark.parametrize(
    "call",
    [
        lambda: hanley_mcneil_se(1.0, 5, 5),
        lambda: hanley_mcneil_se(0.8, 0, 5),
        lambda: auc_cases(0.8, 0.0, 0.05),
        lambda: auc_cases(0.8, 0.3, 1e-6),
        lambda: auc_difference_power(0.8, 0.7, 1.0, 10, 10),
        lambda: auc_difference_cases(0.8, 0.8, 0.5, 0.3),
        lambda: auc_difference_cases(0.8, 0.7, 0.5, 0.3, power=80),
    ],
)
def test_numbers_that_cannot_be(call) -> None:
    with pytest.raises(StatisticsError):
        call()


def test_two_aucs_of_the_same_cases() -> None:
    base = auc_difference_power(0.85, 0.78, 0.5, 100, 150)
    assert auc_difference_power(0.78, 0.85, 0.5, 100, 150) == pytest.approx(base)
    assert auc_difference_power(0.85, 0.78, 0.8, 100, 150) > base
    assert auc_difference_power(0.8, 0.8, 0.5, 100, 150) == pytest.approx(0.05)
    n = auc_difference_cases(0.85, 0.78, 0.5, 0.4)
    assert auc_difference_power(0.85, 0.78, 0.5, round(0.4 * n), n - round(0.4 * n)) >= 0.8


@pytest.mark.slow
def test_power_of_two_aucs_is_what_delong_s_test_has() -> None:
    rng = np.random.default_rng(1)
    label = np.arange(250) < 100
    found, pairs = 0, []
    runs = 1500
    for _ in range(runs):
        shared = rng.normal(0, np.sqrt(0.6), 250)
        first = shared + rng.normal(1.466 * label, np.sqrt(0.4))
        second = shared + rng.normal(1.092 * label, np.sqrt(0.4))
        found += delong_test(Cases(label, [first, second])).p < 0.05
        pairs.append(delong(Cases(label, np.stack([first, second]))).auc)
    correlation = np.corrcoef(np.array(pairs).T)[0, 1]
    planned = auc_difference_power(0.85, 0.78, correlation, 100, 150)
    assert found / runs == pytest.approx(planned, abs=0.08)
