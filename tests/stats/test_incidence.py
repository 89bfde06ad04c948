"""Cumulative incidence with competing events."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.stats.incidence import COMPETING, EVENT, cumulative_incidence


def test_without_censoring_it_is_a_share_with_the_binomial_error() -> None:
    rng = np.random.default_rng(0)
    time, kind = rng.exponential(10, 200), rng.integers(1, 3, 200)
    found = cumulative_incidence(time, kind)
    share = np.array([((time <= at) & (kind == EVENT)).mean() for at in found.time])
    other = np.array([((time <= at) & (kind == COMPETING)).mean() for at in found.time])
    assert found.event == pytest.approx(share)
    assert found.competing == pytest.approx(other)
    assert found.event_se == pytest.approx(np.sqrt(share * (1 - share) / 200))


def test_by_hand_with_censoring_and_ties() -> None:
    # 5 at risk: event and censoring at 1; 3 left: death at 2; 2 left: event at 3, one goes on.
    found = cumulative_incidence([1, 1, 2, 3, 4], [1, 0, 2, 1, 0])
    assert found.time.tolist() == [1, 2, 3]
    assert found.at_risk.tolist() == [5, 3, 2]
    alive = 4 / 5 * 2 / 3
    assert found.event == pytest.approx([1 / 5, 1 / 5, 1 / 5 + alive / 2])
    assert found.competing == pytest.approx([0, 4 / 15, 4 / 15])
    assert (found.n, found.n_events, found.n_competing) == (5, 2, 1)


def test_the_limits_are_what_resampled_patients_give() -> None:
    rng = np.random.default_rng(1)
    time, leaves = rng.exponential(10, 200), rng.exponential(15, 200)
    kind = np.where(leaves < time, 0, rng.integers(1, 3, 200))
    time = np.minimum(time, leaves)
    found = cumulative_incidence(time, kind).at(12)
    drawn = []
    for _ in range(300):
        at = rng.integers(0, 200, 200)
        drawn.append(cumulative_incidence(time[at], kind[at]).at(12).value)
    assert [found.ci_low, found.ci_high] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.02
    )
    assert found.ci_method == "Aalen-Johansen, log(-log)"


def test_death_as_censoring_would_make_the_event_too_likely() -> None:
    time, kind = np.arange(1, 101), np.tile([1, 2], 50)
    own = cumulative_incidence(time, kind).at(100).value
    wrong = cumulative_incidence(time, np.where(kind == 2, 0, kind)).at(100).value
    assert own == pytest.approx(0.5)
    assert wrong > 0.8


def test_what_has_no_limits_says_why() -> None:
    found = cumulative_incidence([1.0, 2.0], [2, 1])
    assert found.at(0.5).warning == "no interval: no event up to this time"
    assert found.at(1.5).value == 0
    with pytest.raises(StatisticsError, match="None of 2 patients"):
        cumulative_incidence([1, 2], [0, 0])
    with pytest.raises(StatisticsError, match="negative or not known"):
        cumulative_incidence([1, np.nan], [0, 1])
