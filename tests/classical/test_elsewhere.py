"""Factors of places: learned, expected ahead, and updated by few events or none."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.elsewhere import Places, learn_places, multiply_odds


@pytest.fixture(scope="module")
def places() -> Places:
    """Return what 200 places teach whose factor has mean 1.5 and SD 0.75."""
    rng = np.random.default_rng(0)
    expected = rng.uniform(2, 20, 200)
    factor = rng.gamma(4, 1.5 / 4, 200)
    return learn_places(rng.poisson(factor * expected).astype(float), expected)


def test_mean_and_spread_are_found(places: Places) -> None:
    assert places.factor().value == pytest.approx(1.5, rel=0.1)
    assert places.spread == pytest.approx(0.5, abs=0.08)


def test_what_is_expected_ahead_holds_95_of_100_new_places(places: Places) -> None:
    ahead = places.factor()
    new = np.random.default_rng(1).gamma(4, 1.5 / 4, 20_000)
    assert np.mean((new > ahead.low) & (new < ahead.high)) == pytest.approx(0.95, abs=0.02)


def test_a_place_is_believed_as_much_as_it_has_seen(places: Places) -> None:
    ahead, few, many = places.factor(), places.factor(0, 1), places.factor(300, 100)
    assert 0.5 < few.value < ahead.value
    assert many.value == pytest.approx(3, rel=0.03)
    assert many.high - many.low < ahead.high - ahead.low
    assert few.low > 0


def test_places_that_do_not_differ_are_not_told_apart() -> None:
    expected = np.full(300, 20.0)
    same = learn_places(np.random.default_rng(2).poisson(expected).astype(float), expected)
    assert same.spread < 0.08
    assert same.factor(0, 3).value == pytest.approx(1, abs=0.1)


def test_a_single_place_leaves_much_open() -> None:
    one = learn_places(np.array([4.0]), np.array([4.0])).factor()
    assert one.low < 0.5
    assert one.high > 2


def test_odds_are_multiplied() -> None:
    assert multiply_odds(np.array([0.5, 0.01]), 2) == pytest.approx([2 / 3, 0.02 / 1.01])
