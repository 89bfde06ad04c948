import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import PREVALENCES, Cases, predictive_values, predictive_values_at_prevalence


def sample(tp: int, fn: int, fp: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([1, 1, 0, 0], [tp, fn, fp, tn]), np.repeat([1, 0, 1, 0], [tp, fn, fp, tn])


def test_the_papers_model_at_the_prevalences_of_practice() -> None:
    # Sensitivity 71.55 % and specificity 80.29 % of Zhang 2026.
    ppv, _ = predictive_values(0.7155, 0.8029, PREVALENCES)
    assert np.round(100 * ppv, 1).tolist() == [6.9, 16.0, 28.7, 39.0, 74.0]
    assert predictive_values(0.7155, 0.8029, 0.655)[0] == pytest.approx(0.875, abs=0.003)


def test_the_interval_by_hand() -> None:
    # 29/41 and 16/20 at 10 %: Mercaldo's formulas, term by term.
    found = predictive_values_at_prevalence(Cases(*sample(29, 12, 4, 16)), 0.5, [0.1])[0]
    se, sp = 29 / 41, 16 / 20
    middle = np.log(se * 0.1 / ((1 - sp) * 0.9))
    half = 1.959963984540054 * np.sqrt((1 - se) / se / 41 + sp / (1 - sp) / 20)
    limits = [1 / (1 + np.exp(-(middle + sign * half))) for sign in (-1, 1)]
    assert [found.ppv.ci_low, found.ppv.ci_high] == pytest.approx(limits)
    middle = np.log(sp * 0.9 / ((1 - se) * 0.1))
    half = 1.959963984540054 * np.sqrt(se / (1 - se) / 41 + (1 - sp) / sp / 20)
    limits = [1 / (1 + np.exp(-(middle + sign * half))) for sign in (-1, 1)]
    assert [found.npv.ci_low, found.npv.ci_high] == pytest.approx(limits)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_limits_lie_in_0_to_1_hold_the_value_and_rise_with_the_prevalence(
    tp: int, fn: int, fp: int, tn: int
) -> None:
    label, call = sample(tp + 1, fn, fp, tn + 1)
    found = predictive_values_at_prevalence(Cases(label, call), 0.5)
    for one in found:
        for estimate in (one.ppv, one.npv):
            assert 0 <= estimate.ci_low < estimate.ci_high <= 1
            assert np.isnan(estimate.value) or (
                estimate.ci_low <= estimate.value <= estimate.ci_high
            )
            assert estimate.warning or min(tp + 1, fn, fp, tn + 1) > 0
    ppv = [one.ppv.value for one in found]
    assert ppv == sorted(ppv)


def test_at_the_samples_prevalence_it_is_the_samples_ppv() -> None:
    found = predictive_values_at_prevalence(Cases(*sample(29, 12, 4, 16)), 0.5, [41 / 61])[0]
    assert found.ppv.value == pytest.approx(29 / 33)
    assert found.npv.value == pytest.approx(16 / 28)


def test_copies_of_scans_add_nothing_and_swapping_classes_swaps_the_two() -> None:
    label, call = sample(29, 12, 4, 16)
    once = predictive_values_at_prevalence(Cases(label, call), 0.5, [0.1])[0]
    twice = predictive_values_at_prevalence(
        Cases(np.tile(label, 2), np.tile(call, 2), np.tile(np.arange(61), 2)), 0.5, [0.1]
    )[0]
    assert (twice.ppv.ci_low, twice.npv.ci_high) == pytest.approx(
        (once.ppv.ci_low, once.npv.ci_high)
    )
    swapped = predictive_values_at_prevalence(Cases(1 - label, 1 - call), 0.5, [0.9])[0]
    assert swapped.npv.ci_low == pytest.approx(once.ppv.ci_low)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(StatisticsError, match="prevalence"):
        predictive_values_at_prevalence(Cases([0, 1], [0, 1]), 0.5, [0.0])
    with pytest.raises(StatisticsError, match="outside 0 to 1"):
        predictive_values(71.55, 0.8, 0.1)
