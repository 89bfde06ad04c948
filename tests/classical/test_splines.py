"""Restricted cubic splines: straight outside, smooth inside, and Harrell's knots."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.splines import harrell_knots, spline_basis


@pytest.mark.parametrize(
    ("n", "shares"),
    [(3, (10, 50, 90)), (4, (5, 35, 65, 95)), (5, (5, 27.5, 50, 72.5, 95))],
)
def test_knots_lie_at_harrells_quantiles(n: int, shares: tuple[float, ...]) -> None:
    values = np.append(np.arange(0, 101, dtype=float), np.nan)
    assert harrell_knots(values, n) == pytest.approx(shares)


def test_values_that_hardly_vary_act_by_a_straight_line() -> None:
    values = np.array([1.0] * 99 + [2.0])
    assert harrell_knots(values) == ()
    assert harrell_knots(np.full(3, np.nan)) == ()
    np.testing.assert_array_equal(spline_basis(values, ())[:, 0], values)


def test_the_curve_is_straight_beyond_the_outer_knots_and_smooth_between() -> None:
    knots = (10.0, 20.0, 30.0, 50.0)
    at = np.linspace(-20, 90, 1101)
    basis = spline_basis(at, knots)
    assert basis.shape == (1101, 3)
    bend = np.diff(basis, 2, axis=0)
    outside = (at[1:-1] < 9.9) | (at[1:-1] > 50.1)
    np.testing.assert_allclose(bend[outside], 0, atol=1e-9)
    assert (np.abs(bend[~outside]).max(axis=0)[1:] > 1e-6).all()
    # Continuous up to the second derivative: that one has no steps.
    assert np.abs(np.diff(bend[:, 1:], axis=0)).max() < 0.02 * np.abs(bend[:, 1:]).max()


def test_a_cubic_term_as_harrell_writes_it() -> None:
    knots, x = (1.0, 2.0, 4.0), 3.0
    by_hand = ((x - 1) ** 3 - (x - 2) ** 3 * (4 - 1) / (4 - 2)) / (4 - 1) ** 2
    assert spline_basis(np.array([x]), knots)[0, 1] == pytest.approx(by_hand)
    assert np.isnan(spline_basis(np.array([np.nan]), knots)).all()
