"""Drift: against scipy's and textbook numbers, and by simulation at the level that is told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact, ks_2samp

from hemocast.errors import StatisticsError
from hemocast.stats.drift import (
    category_drift,
    number_drift,
    population_stability,
    usual_stability,
)


def test_the_index_is_that_of_the_formula() -> None:
    """Siddiqi's: sum of (actual - expected) * ln(actual / expected), here of 20/50/30 and 25/45/30.

    With a million values of each the half that is added to every count is not seen.
    """
    by_hand = 0.05 * np.log(0.25 / 0.20) - 0.05 * np.log(0.45 / 0.50)
    counts = np.array([[20, 50, 30], [25, 45, 30]]) * 10_000
    assert population_stability(counts) == pytest.approx(by_hand, rel=1e-4)
    assert population_stability([[5, 5], [5, 5]]) == 0


def test_chance_keeps_the_index_below_its_usual_size() -> None:
    rng = np.random.default_rng(1)
    found = [number_drift(rng.normal(size=400), rng.normal(size=60)) for _ in range(400)]
    above = np.mean([one.psi > one.psi_usual for one in found])
    assert 0.02 < above < 0.09
    # The textbook's "significant change" would be found in every fourth sample of this size.
    assert np.mean([one.psi > 0.25 for one in found]) > 0.1
    assert usual_stability(400, 60, 1) == 0.0


def test_numbers_are_compared_as_scipy_does() -> None:
    rng = np.random.default_rng(2)
    before, now = rng.normal(size=120), rng.normal(0.3, 1, size=50)
    found, own = number_drift(before, now), ks_2samp(before, now)
    assert (found.ks, found.p) == (own.statistic, own.pvalue)
    assert (found.n_reference, found.n) == (120, 50)


def test_more_missing_values_are_drift_though_those_that_are_there_agree() -> None:
    values = np.linspace(0, 1, 100)
    now = np.concatenate([values, np.full(40, np.nan)])
    found = number_drift(values, now)
    assert found.ks == pytest.approx(0)
    assert found.p < 1e-4
    assert found.psi > 0.25
    # As many are missing in both: nothing to see.
    assert number_drift(now, now).p == 1


def test_two_categories_are_fishers_exact_test() -> None:
    """Of two by two tables Pearson's statistic orders tables as Fisher's test does, nearly."""
    before, now = ["GE"] * 30 + ["Siemens"] * 10, ["GE"] * 8 + ["Siemens"] * 12
    found = category_drift(before, now)
    exact = fisher_exact([[30, 10], [8, 12]]).pvalue
    assert found.p == pytest.approx(exact, abs=0.006)
    assert np.isnan(found.ks)


def test_a_new_scanner_is_seen() -> None:
    before, now = ["A"] * 40 + ["B"] * 40, ["A"] * 20 + ["C"] * 10
    assert category_drift(before, now).p < 1e-3
    assert category_drift(["A"] * 9, ["A"] * 4).p == 1


def test_categories_alarm_as_often_as_is_told() -> None:
    """Few scans of many scanners, where Pearson's approximation would not hold."""
    rng = np.random.default_rng(3)
    share = [0.5, 0.3, 0.1, 0.05, 0.03, 0.02]
    drawn = [
        category_drift(rng.choice(6, 60, p=share), rng.choice(6, 12, p=share)).p < 0.05
        for _ in range(150)
    ]
    assert np.mean(drawn) <= 0.09


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(StatisticsError, match="no value"):
        number_drift([1.0, 2.0], [np.nan])
    with pytest.raises(StatisticsError, match="no value"):
        category_drift([], ["A"])
