"""Standardised differences, and the times of scans."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.dataset.cohort.balance import (
    compare_scan_times,
    standardised_difference,
    standardised_differences,
)


def test_a_difference_of_one_standard_deviation_is_one() -> None:
    base = np.array([-1.0, 1.0])
    assert standardised_difference(base + 3, base + 2) == pytest.approx(1.0)


def test_proportions_follow_the_published_formula() -> None:
    """Austin 2009: (p1 - p2) / sqrt((p1 q1 + p2 q2) / 2)."""
    first, second = [1] * 6 + [0] * 4, [1] * 3 + [0] * 7
    expected = 0.3 / np.sqrt((0.6 * 0.4 + 0.3 * 0.7) / 2)
    assert standardised_difference(first, second) == pytest.approx(expected)


def test_edges() -> None:
    assert standardised_difference([1, 1], [1, 1]) == 0
    assert standardised_difference([2, 2], [1, 1]) == np.inf
    assert np.isnan(standardised_difference([], [1.0]))
    assert standardised_difference([1, np.nan, 3], [1, 3]) == 0


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 100), min_size=2, max_size=30),
    st.lists(st.integers(0, 100), min_size=2, max_size=30),
)
def test_swapping_the_groups_changes_the_sign(first: list[int], second: list[int]) -> None:
    there = standardised_difference(first, second)
    assert there == pytest.approx(-standardised_difference(second, first))


def test_categories_get_one_difference_each() -> None:
    table = pd.DataFrame({"age": [60.0, 80, 70, 70], "sex": ["F", "F", "M", None]})
    found = standardised_differences(table, [1, 1, 0, 0])
    assert set(found) == {"age", "sex=F", "sex=M"}
    assert found["age"] == 0
    assert found["sex=F"] == np.inf


def test_scans_taken_at_different_times_are_warned_about(caplog) -> None:
    rng = np.random.default_rng(0)
    label = np.repeat([1, 0], 300)
    hours = rng.uniform(0, 24, 600) + 12 * label
    with caplog.at_level(logging.WARNING):
        times = compare_scan_times([f"p{i}" for i in range(600)], label, hours)
    assert times.differs
    assert times.difference > 1
    assert times.auc > 0.85
    assert "learn time instead of risk" in caplog.text


def test_scans_taken_at_the_same_times_are_not(caplog) -> None:
    hours = np.tile(np.linspace(1, 70, 200), 2)
    times = compare_scan_times([f"p{i}" for i in range(400)], np.repeat([1, 0], 200), hours)
    assert not times.differs
    assert times.ks == 0
    assert times.auc == pytest.approx(0.5)
    assert times.ht_hours == times.non_ht_hours
    assert not caplog.records


def test_equal_means_do_not_hide_different_spreads() -> None:
    label = np.repeat([1, 0], 500)
    narrow, wide = np.linspace(34, 38, 500), np.linspace(0, 72, 500)
    times = compare_scan_times(range(1000), label, np.concatenate([narrow, wide]))
    assert abs(times.difference) < 0.1
    assert times.differs
