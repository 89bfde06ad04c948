"""The part of the area under the ROC curve that matters: a range of specificity or sensitivity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import roc_curve
from hemocast.stats.estimate import Estimate, Float64Array
from hemocast.stats.resampling.limits import AGREE, resampled_limits
from hemocast.stats.resampling.weights import Resampling

Axis = Literal["specificity", "sensitivity"]


@dataclass(frozen=True)
class PartialRange:
    """Where the area is taken.

    Parameters
    ----------
    of : {"specificity", "sensitivity"}
        What the range is of.
    low, high : float
        In [0, 1]. A false positive rate of at most .2 is a specificity from .8 to 1.
    """

    of: Axis
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise StatisticsError(
                f"The range of the partial AUC is {self.low:g} to {self.high:g}",
                "two fractions from 0 to 1, the lower one first",
                "Divide percentages by 100, and give the lower end first",
            )

    @property
    def chance(self) -> float:
        """Area of a useless score."""
        return (self.high - self.low) * (2 - self.low - self.high) / 2

    def area(self, fpr: Float64Array, tpr: Float64Array) -> float:
        """Integrate a curve, shape (k,) each and rising from 0 to 1, over the range.

        Of specificity: the mean sensitivity there times its width. Of sensitivity: the mean
        specificity there times its width.
        """
        if self.of == "specificity":
            return _integral(fpr, tpr, 1 - self.high, 1 - self.low)
        return _integral(tpr, 1 - fpr, self.low, self.high)

    def standardized(self, area: float) -> float:
        """Map the area of a useless score to .5 and the largest possible one to 1."""
        largest = self.high - self.low
        return 0.5 * (1 + (area - self.chance) / (largest - self.chance))


@dataclass(frozen=True)
class PartialAuc:
    """A partial AUC.

    Parameters
    ----------
    range : PartialRange
        Where it was taken.
    area : float
        As it is, at most the width of the range.
    standardized : Estimate
        After McClish: .5 for a useless score, 1 for a perfect one.
    """

    range: PartialRange
    area: float
    standardized: Estimate


def partial_auc(
    cases: Cases, within: PartialRange, resampling: Resampling = Resampling(1000)
) -> PartialAuc:
    """Area under the empirical ROC curve within a range, with limits from resampled patients.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    within : PartialRange
        Named before the data were seen.
    resampling : Resampling
        Of patients.

    Raises
    ------
    StatisticsError
        Only one class is present.

    References
    ----------
    McClish DK 1989, Med Decis Making 9:190-195, 10.1177/0272989X8900900307. Of a range of
    sensitivity: Jiang Y 1996, Radiology 201:745-750, 10.1148/radiology.201.3.8939225.
    """
    curve = roc_curve(cases)
    area = within.area(curve.fpr, curve.tpr)
    value = within.standardized(area)
    drawn = np.array([within.standardized(one) for one in _resampled(cases, within, resampling)])
    found = resampled_limits(value, drawn, np.empty(0))
    notes = "; ".join(filter(None, [cases.few, *found.notes]))
    if np.isnan(found.low):
        why = AGREE if found.kind == AGREE else found.kind
        shown = Estimate.bare(value, cases.n, f"no interval: {why}").noted(cases.few)
    else:
        method = f"bootstrap of patients, {found.kind}"
        shown = Estimate(value, found.low, found.high, method, cases.n, notes or None)
    return PartialAuc(within, area, shown)


def _resampled(cases: Cases, within: PartialRange, resampling: Resampling) -> Iterator[float]:
    order = np.argsort(-cases.score, kind="stable")
    hits = cases.truth[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(cases.score[order])), cases.n - 1)
    units = resampling.units(cases)
    for weights in resampling.draw(cases, 2 * cases.n, units):
        ordered = weights[:, units[order]]
        positive = np.cumsum(ordered * hits, axis=1)[:, last_of_tie]
        negative = np.cumsum(ordered * ~hits, axis=1)[:, last_of_tie]
        for own, other in zip(positive, negative, strict=True):
            if own[-1] > 0 and other[-1] > 0:
                yield within.area(np.append(0, other / other[-1]), np.append(0, own / own[-1]))
            else:
                yield np.nan


def _integral(x: Float64Array, y: Float64Array, low: float, high: float) -> float:
    """Integrate straight lines between points (x not falling) from one place to another."""
    width = np.diff(x)
    middle = np.concatenate([[0.0], np.cumsum(width * (y[1:] + y[:-1]) / 2)])
    return _up_to(x, y, middle, high) - _up_to(x, y, middle, low)


def _up_to(x: Float64Array, y: Float64Array, whole: Float64Array, at: float) -> float:
    before = int(np.searchsorted(x, at, side="right")) - 1
    if before >= x.size - 1:
        return float(whole[-1])
    step = at - x[before]
    if step <= 0:
        return float(whole[before])
    rise = (y[before + 1] - y[before]) / (x[before + 1] - x[before])
    return float(whole[before] + step * (y[before] + rise * step / 2))
