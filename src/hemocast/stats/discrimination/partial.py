"""The part of the area under the ROC curve that matters: a range of specificity or sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import resampled_curves, roc_curve
from hemocast.stats.estimate import Estimate, Float64Array
from hemocast.stats.resampling.limits import resampled_limits
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
    drawn = [
        np.nan if one is None else within.standardized(within.area(*one))
        for one in resampled_curves(cases, resampling, resampling.units(cases))
    ]
    found = resampled_limits(value, np.array(drawn), np.empty(0))
    shown = found.estimate(value, cases.n, "bootstrap of patients").noted(cases.few)
    return PartialAuc(within, area, shown)


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
