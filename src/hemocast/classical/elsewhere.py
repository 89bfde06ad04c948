"""How risks are carried to a place that the model never saw, and corrected there by few events.

Every place has a factor: its observed events over those expected. Factors follow a gamma
distribution, whose mean and spread are learned from the places at hand, each predicted by a model
that had left it out. So the average *place* is matched, rather than the average patient, most of
whom may live in one place; the spread says how far off a new place may be; and the events that a
new place has seen draw its factor away from the average by as much as they deserve, zero events
included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import expit, logit

_MEANS = np.exp(np.linspace(-np.log(4), np.log(4), 81))
_SPREADS = np.linspace(0.02, 1.5, 75)
_MEAN_GRID, _SPREAD_GRID = np.meshgrid(_MEANS, _SPREADS, indexing="ij")
_SPREAD_EXPECTED = 0.5
_LEVEL = 0.95


@dataclass(frozen=True)
class Factor:
    """How many times the expected events occur in a place.

    Parameters
    ----------
    value : float
        Its mean; the odds of every patient there are multiplied by it.
    low, high : float
        Between which it lies with a probability of 95 %.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Places:
    """What is known of the factor between places, on a grid of its mean and spread.

    Parameters
    ----------
    weight : ndarray of float64, shape (means, spreads)
        Posterior probabilities; the prior of the spread (SD / mean) is half normal with scale 0.5,
        that of the mean flat on its logarithm between 1/4 and 4.
    """

    weight: Float64Array

    @property
    def spread(self) -> float:
        """Give the mean of the SD of the factor, as a share of its mean."""
        return float(self.weight.sum(axis=0) @ _SPREADS)

    def factor(self, observed: float = 0.0, expected: float = 0.0) -> Factor:
        """Give the factor of a new place.

        Parameters
        ----------
        observed, expected : float
            Events among its first patients, and the sum of their risks; none seen yet if left out.
        """
        from scipy.optimize import brentq  # here, since prediction needs neither
        from scipy.stats import gamma

        weight, a, rate = self._posterior(observed, expected)

        def below(at: float) -> float:
            return float(weight @ gamma.cdf(at, a, scale=1 / rate))

        tail = (1 - _LEVEL) / 2
        low, high = (brentq(lambda at, p=p: below(at) - p, 1e-9, 1e3) for p in (tail, 1 - tail))
        return Factor(self.mean(observed, expected), low, high)

    def mean(self, observed: float = 0.0, expected: float = 0.0) -> float:
        """Give the mean of `factor` alone, which is quick."""
        weight, shape, rate = self._posterior(observed, expected)
        return float(weight @ (shape / rate))

    def _posterior(
        self, observed: float, expected: float
    ) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Weights, shapes and rates of the gamma distributions that make up a new place's."""
        weight = (self.weight * _likelihood(observed, expected)).ravel()
        shape = 1 / _SPREAD_GRID.ravel() ** 2
        return weight / weight.sum(), shape + observed, shape / _MEAN_GRID.ravel() + expected


def learn_places(observed: Float64Array, expected: Float64Array) -> Places:
    """Learn how much places differ.

    Parameters
    ----------
    observed, expected : ndarray, shape (places,)
        Events, and the sum of the risks that a model gave which had not seen the place.

    References
    ----------
    Gamma-Poisson: Clayton D, Kaldor J 1987, Biometrics 43:671-681, 10.2307/2532003. Why a new
    place needs it: Debray TPA 2017, BMJ 356:i6460, 10.1136/bmj.i6460.
    """
    log_weight = np.tile(-0.5 * (_SPREADS / _SPREAD_EXPECTED) ** 2, (_MEANS.size, 1))
    for count, sum_of_risks in zip(observed, expected, strict=True):
        log_weight += np.log(np.maximum(_likelihood(float(count), float(sum_of_risks)), 1e-300))
    weight = np.exp(log_weight - log_weight.max())
    return Places(weight / weight.sum())


def multiply_odds(risk: Float64Array, factor: Float64Array | float) -> Float64Array:
    """Return risks whose odds are `factor` times as high; for rare events, the risks too."""
    return np.asarray(expit(logit(risk) + np.log(factor)))


def _likelihood(observed: float, expected: float) -> Float64Array:
    """Probability of a place's events at every mean and spread: negative binomial."""
    from scipy.stats import nbinom

    if expected <= 0:
        return np.ones((_MEANS.size, _SPREADS.size))
    shape = 1 / _SPREAD_GRID**2
    return np.asarray(nbinom.pmf(observed, shape, shape / (shape + _MEAN_GRID * expected)))
