"""Site effects out of measurements: ComBat (Johnson 2007, 10.1093/biostatistics/kxj037).

Every measurement of a site is shifted and scaled towards what all sites together have; by how much,
the measurements of a site tell each other (empirical Bayes), so that tens of scans suffice.
No outcome and no covariate enters. That has a price: where sites differ because their patients do,
that difference goes too.

What is learned is learned of the sites that a model is trained on. **A site that was not among them
is left as it is**: of it no effect is estimated, neither from its outcomes nor from its scans.

neuroCombat (MIT) gives the same numbers, which the test holds this against; it cannot be applied to
scans that it was not fitted to. neuroHarmonize can, and brings statsmodels and scikit-learn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measurements import Measurements, Variable
from hemocast.errors import StatisticsError

Floats = NDArray[np.float64]
LEAST = 5
"""Scans of a site with fewer of which no effect is estimated."""
_CLOSE, _STEPS = 1e-8, 1000


@dataclass(frozen=True, eq=False)
class Effect:
    """What a site does to standardised measurements.

    Parameters
    ----------
    shift, scale : ndarray of float64, shape (d,)
        A standardised value is divided by the scale once the shift is taken away.
    """

    shift: Floats
    scale: Floats


@dataclass(frozen=True, eq=False)
class Combat:
    """Site effects as they were learned.

    Parameters
    ----------
    middle, spread : ndarray of float64, shape (d,)
        Of all sites together, their effects apart; a spread of 0 marks a measurement that does not
        vary, which is left as it is.
    effects : mapping
        Site -> its effect.
    """

    middle: Floats
    spread: Floats
    effects: Mapping[str, Effect]

    @classmethod
    def learned(cls, values: Floats, site: Sequence[str]) -> Combat:
        """Learn site effects.

        Parameters
        ----------
        values : ndarray of float64, shape (n, d)
            NaN where missing.
        site : sequence of str, shape (n,)

        Raises
        ------
        StatisticsError
            Another number of sites than of rows.
        """
        where = np.asarray(site, str)
        if len(where) != len(values):
            raise StatisticsError(
                f"{len(where)} sites for {len(values)} scans", "one each", "Give one a scan"
            )
        names, counts = np.unique(where, return_counts=True)
        usable = [str(name) for name, count in zip(names, counts, strict=True) if count >= LEAST]
        if len(usable) < 2:
            nothing = np.zeros(values.shape[1])
            return cls(nothing, nothing, {})
        kept = np.isin(where, usable)
        values, where = values[kept], where[kept]
        middle = np.nanmean(values, axis=0)
        residual = values.copy()
        for name in usable:
            residual[where == name] -= np.nanmean(values[where == name], axis=0)
        spread = np.sqrt(np.nanmean(residual**2, axis=0))
        standard = (values - middle) / np.where(spread > 0, spread, 1.0)
        varies = spread > 0
        effects = {name: _effect(standard[where == name], varies) for name in usable}
        return cls(middle, spread, effects)

    def adjusted(self, values: Floats, site: Sequence[str]) -> Floats:
        """Take site effects away; a site that was not learned from stays as it is.

        Parameters
        ----------
        values : ndarray of float64, shape (n, d)
        site : sequence of str, shape (n,)
        """
        found, where = values.astype(np.float64), np.asarray(site, str)
        varies = self.spread > 0
        for name, effect in self.effects.items():
            rows = np.ix_(where == name, varies)
            standard = (values[rows] - self.middle[varies]) / self.spread[varies]
            plain = (standard - effect.shift[varies]) / effect.scale[varies]
            found[rows] = plain * self.spread[varies] + self.middle[varies]
        return found


def harmonise(told: Measurements, site: Sequence[str], among: Collection[Variable]) -> Measurements:
    """Take site effects away from the measurements that are numbers; see `Combat`.

    Parameters
    ----------
    told : Measurements
        Of the scans that a model learns from.
    site : sequence of str, shape (n,)
    among : collection of Variable
        Others stay as they are.
    """
    numbers = [
        place
        for place, one in enumerate(told.variables)
        if one in among and one.kind in {"spline", "linear"}
    ]
    values = told.values.copy()
    values[:, numbers] = Combat.learned(values[:, numbers], site).adjusted(values[:, numbers], site)
    return replace(told, values=values)


def _effect(standard: Floats, varies: NDArray[np.bool_]) -> Effect:
    """Estimate the effect of a site, its measurements lending each other strength.

    Johnson 2007, section 3.2: a normal prior for the shift and an inverse gamma one for the square
    of the scale, their parameters from the moments over the measurements.
    """
    shift, square = np.zeros(len(varies)), np.ones(len(varies))
    known = varies & ((~np.isnan(standard)).sum(axis=0) >= LEAST)
    data = standard[:, known]
    n = (~np.isnan(data)).sum(axis=0)
    mean, variance = np.nanmean(data, axis=0), np.nanvar(data, axis=0, ddof=1)
    if known.sum() < 2 or variance.var(ddof=1) == 0 or mean.var(ddof=1) == 0:
        shift[known], square[known] = mean, np.where(variance > 0, variance, 1.0)
        return Effect(shift, np.sqrt(square))
    usual, about = mean.mean(), mean.var(ddof=1)
    m, s2 = variance.mean(), variance.var(ddof=1)
    shape, rate = (2 * s2 + m * m) / s2, (m * s2 + m**3) / s2
    moved, wide = mean, variance
    for _ in range(_STEPS):
        was = (moved, wide)
        moved = (about * n * mean + wide * usual) / (about * n + wide)
        wide = (0.5 * np.nansum((data - moved) ** 2, axis=0) + rate) / (n / 2 + shape - 1)
        if max(np.abs(moved - was[0]).max(), np.abs(wide - was[1]).max()) < _CLOSE:
            break
    shift[known], square[known] = moved, wide
    return Effect(shift, np.sqrt(square))
