"""A measured number with the interval in which the true one lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval, as simulated heads with known truth gave it.

    Parameters
    ----------
    value, low, high : float
        In one unit.
    """

    value: float
    low: float
    high: float

    @classmethod
    def times(cls, value: float, factors: tuple[float, float]) -> Estimate:
        """Give a value whose truth lies between two multiples of it."""
        return cls(value, value * factors[0], value * factors[1])

    @classmethod
    def about(cls, value: float, spread: float, most: float | None = None) -> Estimate:
        """Give a value above 0 whose truth lies within `spread` of it, and not above `most`."""
        high = value + spread
        return cls(value, max(value - spread, 0.0), high if most is None else min(high, most))
