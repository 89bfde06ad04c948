"""How far the smooth curve lies from the diagonal (ICI, E50, E90, Emax), with limits that hold it.

Noise moves a curve away from the diagonal wherever it lies, so that these distances come out too
large, and those of resamples, which add noise to noise, larger still: their lower percentiles leave
out the truth more often than not where calibration is good. Test inversion asks instead which true
distances make the observed one likely. The upper percentile is kept: it errs to the safe side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hemocast.stats.estimate import Float64Array
from hemocast.stats.proportions import Interval

DISTANCES = ("ici", "e50", "e90", "emax")
_POINTS = np.concatenate([[0.0], (np.arange(200) + 0.5) / 200, [1.0]])
"""Shares of the cases at whose probabilities curves are compared: the ends count for Emax alone."""

_TAIL = 0.025
_HALVINGS = 18

_Measure = Callable[[Float64Array], Float64Array]
_MEASURES: tuple[_Measure, ...] = (
    lambda rows: rows[:, 1:-1].mean(axis=1),
    lambda rows: np.quantile(rows[:, 1:-1], 0.5, axis=1),
    lambda rows: np.quantile(rows[:, 1:-1], 0.9, axis=1),
    lambda rows: rows.max(axis=1),
)
"""In the order of `DISTANCES`."""


def distances(chances: Float64Array, curve: Float64Array, weight: Float64Array) -> Float64Array:
    """Measure how far a curve lies from the diagonal: mean, median, 90th percentile and largest.

    Parameters
    ----------
    chances, curve, weight : ndarray, shape (n,)
        Predicted probabilities, the smooth observed share there, and the cases that each stands
        for.

    Returns
    -------
    ndarray of float64, shape (4,)
        In the order of `DISTANCES`.

    References
    ----------
    Austin PC, Steyerberg EW 2019, Stat Med 38:4051-4065, 10.1002/sim.8281.
    """
    distance = np.abs(curve - chances)
    e50, e90 = weighted_quantiles(distance, weight, (0.5, 0.9))
    mean = float((distance * weight).sum() / weight.sum())
    return np.array([mean, e50, e90, distance.max()])


def distance_limits(
    values: Float64Array,
    chances: Float64Array,
    weight: Float64Array,
    at: Float64Array,
    curve: Float64Array,
    resampled: Float64Array,
) -> tuple[Interval, ...]:
    """Take 95 % limits of the four distances: by test inversion below, a percentile above.

    For the lower limit the true curve is taken to deviate from the diagonal as the observed one
    does, shrunk by a factor; what the resampled curves deviate from the observed one is its noise.
    The limit is the smallest shrunk distance with which the observed one is not among the highest
    2.5 %. It is 0 where perfect calibration, with this noise, gives such a distance too. The upper
    limit is the 97.5th percentile of the resamples, in which noise of any shape is added.

    Parameters
    ----------
    values : ndarray, shape (4,)
        From `distances`.
    chances, weight : ndarray, shape (n,)
        As there.
    at, curve : ndarray, shape (k,)
        Points of the observed curve, rising.
    resampled : ndarray, shape (r, k)
        Curves of the resamples there.

    Returns
    -------
    tuple of Interval
        In the order of `DISTANCES`.

    References
    ----------
    Carpenter J 1999, J R Stat Soc B 61:159-172, 10.1111/1467-9868.00169.
    """
    order = np.argsort(chances, kind="stable")
    reached = np.cumsum(weight[order])
    places = np.searchsorted(reached, _POINTS * reached[-1]).clip(0, order.size - 1)
    points = chances[order][places]
    apart = np.interp(points, at, curve - at)
    noise = np.stack([np.interp(points, at, row) for row in resampled - curve])
    return tuple(
        _limits(float(value), measure, apart, noise)
        for value, measure in zip(values, _MEASURES, strict=True)
    )


def _limits(value: float, measure: _Measure, apart: Float64Array, noise: Float64Array) -> Interval:
    """Find the factor at which the observed distance falls into the upper tail, and the limits."""
    seen = float(measure(np.abs(apart)[None])[0])

    def below(factor: float) -> float:
        return float(np.mean(measure(np.abs(factor * apart + noise)) <= seen))

    factor = 0.0 if below(0.0) <= 1 - _TAIL else _boundary(below, 1 - _TAIL)
    high = float(np.quantile(measure(np.abs(apart + noise)), 1 - _TAIL))
    return Interval(factor * value, max(high, value))


def _boundary(below: Callable[[float], float], share: float) -> float:
    """Halve the factors to where the share of smaller distances falls to a given one."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if below(middle) > share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def weighted_quantiles(
    values: Float64Array, weights: Float64Array, shares: tuple[float, ...]
) -> Float64Array:
    """Take quantiles of values, each counted as often as its weight says.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
        Numbers, and whole weights.
    shares : tuple of float, length k
        Which quantiles.

    Returns
    -------
    ndarray of float64, shape (k,)
        As `numpy.quantile` gives them for the values repeated.
    """
    order = np.argsort(values)
    ordered, reached = values[order], np.cumsum(weights[order])
    place = np.array(shares) * (reached[-1] - 1)
    below, above = np.floor(place), np.ceil(place)
    low, high = (ordered[np.searchsorted(reached, end, side="right")] for end in (below, above))
    return np.asarray(low + (place - below) * (high - low))
