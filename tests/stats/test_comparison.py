from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from hemocast.errors import StatisticsError
from hemocast.stats import (
    METRICS,
    Cases,
    Resampling,
    bootstrap_differences,
    classification_metrics,
    delong_test,
    holm,
    mcnemar_exact,
)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 9))
def test_it_is_the_binomial_test_of_discordant_pairs(first: int, second: int, both: int) -> None:
    a = [1] * first + [0] * second + [1] * both + [0, 1]
    b = [0] * first + [1] * second + [1] * both + [0, 1]
    result = mcnemar_exact(a, b)
    assert (result.only_first, result.only_second) == (first, second)
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert result.p == pytest.approx(expected)
    assert mcnemar_exact(b, a).p == pytest.approx(result.p)


def test_signs_of_whole_patients_are_turned_as_all_turns_say() -> None:
    rng = np.random.default_rng(0)
    patient = rng.integers(0, 9, 40)
    a, b = rng.random(40) < 0.7, rng.random(40) < 0.45
    lead = np.bincount(patient, weights=a.astype(int) - b.astype(int))
    turns = np.array(list(product([-1, 1], repeat=lead.size)))
    expected = np.mean(np.abs(turns @ lead) >= abs(lead.sum()))
    found = mcnemar_exact(a, b, patient)
    assert found.clustered
    assert found.p == pytest.approx(expected)
    assert mcnemar_exact(a, b, range(40)) == mcnemar_exact(a, b)
    with pytest.raises(StatisticsError, match="patient of every case"):
        mcnemar_exact(a, b, [1, 2])


def test_very_many_turned_signs_are_normal() -> None:
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(6000), 2)
    a, b = rng.random(12_000) < 0.5, rng.random(12_000) < 0.515
    part = slice(0, 3600)
    wide, exact = mcnemar_exact(a, b, patient), mcnemar_exact(a[part], b[part], patient[part])
    lead = np.bincount(patient, weights=a.astype(int) - b.astype(int))
    assert wide.p == pytest.approx(2 * norm.sf(abs(lead.sum()) / np.sqrt((lead**2).sum())))
    few = lead[:1800]
    assert exact.p == pytest.approx(
        2 * norm.sf((abs(few.sum()) - 0.5) / np.sqrt((few**2).sum())), rel=0.06
    )


def test_both_must_have_decided_on_the_same_cases() -> None:
    with pytest.raises(StatisticsError):
        mcnemar_exact([1, 0], [1, 0, 1])


def test_holm_by_hand() -> None:
    # As R's p.adjust(c(.01, .04, .03), "holm").
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_p_values_are_fractions() -> None:
    with pytest.raises(StatisticsError):
        holm([0.2, 1.4])


def cohort(seed: int = 0, n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    shared = rng.normal(1.5 * label, 1)
    good = 1 / (1 + np.exp(-shared + 0.7))
    return label, good, 1 / (1 + np.exp(-shared + 0.7 + rng.normal(0, 1.5, n)))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_differences_are_those_of_the_metrics_and_agree_with_delong(method: str) -> None:
    label, first, second = cohort()
    found = bootstrap_differences(
        Cases(label, [first, second], range(200)), 0.5, resampling=Resampling(interval=method)
    )
    a, b = (classification_metrics(Cases(label, score), 0.5) for score in (first, second))
    assert [one.metric for one in found] == list(METRICS)
    for one in found:
        assert one.estimate.value == pytest.approx(a[one.metric] - b[one.metric])
        assert one.estimate.ci_low <= one.estimate.ci_high
        assert 0 < one.p <= 1
    area = found[METRICS.index("auc")]
    test = delong_test(Cases(label, [first, second]))
    assert area.estimate.ci_low == pytest.approx(test.ci_low, abs=0.012)
    assert area.estimate.ci_high == pytest.approx(test.ci_high, abs=0.012)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_swapping_the_two_turns_the_sign(method: str) -> None:
    label, first, second = cohort()
    there = bootstrap_differences(
        Cases(label, [first, second], range(200)), 0.5, resampling=Resampling(400, interval=method)
    )
    back = bootstrap_differences(
        Cases(label, [second, first], range(200)), 0.5, resampling=Resampling(400, interval=method)
    )
    for one, other in zip(there, back, strict=True):
        assert one.estimate.value == pytest.approx(-other.estimate.value)
        assert one.estimate.ci_low == pytest.approx(-other.estimate.ci_high)
        assert one.p == pytest.approx(other.p)


def test_copies_of_scans_add_nothing() -> None:
    label, first, second = cohort(n=80)
    once = bootstrap_differences(
        Cases(label, [first, second], range(80)), 0.5, resampling=Resampling(300)
    )
    twice = bootstrap_differences(
        Cases(label, [first, second]).part(np.tile(np.arange(80), 2)), 0.5, Resampling(300)
    )
    for one, other in zip(once, twice, strict=True):
        assert other.estimate.ci_low == pytest.approx(one.estimate.ci_low)
        assert other.p == one.p


def test_no_difference_is_rarely_found() -> None:
    found = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        label = np.arange(80) < 30
        pair = 1 / (1 + np.exp(-rng.normal(label, 1, (2, 80))))
        differences = bootstrap_differences(Cases(label, pair), 0.5, Resampling(300, seed))
        found += differences[METRICS.index("auc")].p < 0.05
    assert found <= 14


def test_what_has_no_difference_says_why() -> None:
    label, first, _ = cohort(n=40)
    for one in bootstrap_differences(
        Cases(label, [first, first], range(40)), 0.5, resampling=Resampling(200)
    ):
        assert np.isnan(one.p)
        assert "all resamples agree" in str(one.estimate.warning)
    nobody = bootstrap_differences(
        Cases(label, [first, np.zeros(40)], range(40)), 0.5, resampling=Resampling(200)
    )
    ppv = nobody[METRICS.index("ppv")]
    assert np.isnan(ppv.estimate.value)
    assert "undefined" in str(ppv.estimate.warning)


def test_both_must_have_read_the_same_cases() -> None:
    with pytest.raises(StatisticsError, match="raters of different numbers of cases"):
        bootstrap_differences(Cases([0, 1], [[0.1, 0.2], [0.1]], [0, 1]), 0.5)
