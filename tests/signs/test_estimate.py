"""An interval holds its value, and stays where the number can be."""

from __future__ import annotations

from hemocast.signs.estimate import Estimate


def test_a_factor_and_a_spread() -> None:
    assert Estimate.times(10.0, (0.5, 2.0)) == Estimate(10.0, 5.0, 20.0)
    assert Estimate.about(3.0, 1.8, 4.0) == Estimate(3.0, 1.2, 4.0)
    assert Estimate.about(1.0, 1.8).low == 0
