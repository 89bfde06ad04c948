"""What every statistic returns: a number with its interval, its sample size and its doubts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEW = 10
"""Fewer patients of a class than this, and every interval that rests on them carries a warning."""

ENOUGH = 100
"""External validation asks for so many patients with the outcome, and as many without.

Vergouwe Y 2005, J Clin Epidemiol 58:475-483, 10.1016/j.jclinepi.2004.06.017; Collins GS 2016, Stat
Med 35:214-226, 10.1002/sim.6787.
"""


@dataclass(frozen=True)
class Estimate:
    """One number with its confidence interval.

    Parameters
    ----------
    value : float
        The point estimate; NaN where it is undefined, and then `warning` says why. A ratio over 0
        is infinite, and `warning` says so too.
    ci_low, ci_high : float
        Confidence limits; NaN where none can be given, and then `warning` says why.
    ci_method : str
        How the interval was made, in words fit for a table's footnote.
    n : int
        Cases the value rests on (the denominator: for sensitivity, the scans with the outcome).
    warning : str or None
        What the reader must know before trusting the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    ci_method: str
    n: int
    warning: str | None = None

    def __post_init__(self) -> None:
        for number in (self.value, self.ci_low, self.ci_high):
            if not math.isfinite(number) and not self.warning:
                raise ValueError("an undefined or infinite number needs its reason in `warning`")
        if math.isnan(self.value) and not math.isnan(self.ci_low + self.ci_high):
            raise ValueError("a number that is undefined has no interval")

    @classmethod
    def bare(cls, value: float, n: int, reason: str) -> Estimate:
        """Return a number without limits (NaN for one that is undefined), and why."""
        return cls(value, math.nan, math.nan, "none", n, reason)

    def noted(self, *notes: str | None) -> Estimate:
        """Return the same with further warnings after its own."""
        said = [note for note in (self.warning, *notes) if note]
        return replace(self, warning="; ".join(said) or None)


def few_warning(patients: int, which: str = "of the smaller class") -> str | None:
    """Return the warning for an interval that rests on few patients, or None; `which` says whom."""
    if patients >= FEW:
        return None
    return f"rests on {patients} patient{'' if patients == 1 else 's'} {which}"


def caution(patients: int, which: str = "of the smaller class") -> str | None:
    """Return what to say of calibration that rests on fewer than `ENOUGH` patients, or None."""
    if patients < FEW or patients >= ENOUGH:
        return few_warning(patients, which)
    return f"rests on {patients} patients {which}: external validation asks for {ENOUGH}"
