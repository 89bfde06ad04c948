"""Cumulative incidence with competing events: who dies first can no longer bleed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Estimate, Float64Array, IntArray, few_warning

CENSORED, EVENT, COMPETING = 0, 1, 2
"""Kinds of ends: nothing seen yet, the event, and what makes it impossible."""

_METHOD = "Aalen-Johansen, log(-log)"


@dataclass(frozen=True)
class CumulativeIncidence:
    """Chances over time, as steps from the first time on.

    Parameters
    ----------
    time : ndarray of float64, shape (k,)
        Where somebody had one of the two events, rising.
    at_risk : ndarray of int64, shape (k,)
        Patients still followed just before, without either event.
    event, event_se : ndarray of float64, shape (k,)
        Chance of the event up to and including each time, and its standard error.
    competing : ndarray of float64, shape (k,)
        The same of the competing event.
    n, n_events, n_competing : int
        Patients in all, and with each event.
    """

    time: Float64Array
    at_risk: IntArray
    event: Float64Array
    event_se: Float64Array
    competing: Float64Array
    n: int
    n_events: int
    n_competing: int

    def at(self, time: float, level: float = 0.95) -> Estimate:
        """Return the chance of the event up to a time, with limits that stay within 0 and 1."""
        place = int(np.searchsorted(self.time, time, side="right")) - 1
        if place < 0 or self.event[place] <= 0:
            return Estimate.bare(0.0, self.n, "no interval: no event up to this time")
        value, error = float(self.event[place]), float(self.event_se[place])
        if value >= 1:
            return Estimate.bare(value, self.n, "no interval: everybody has the event")
        # Larger chances have smaller log(-log): the signs are crossed.
        half = float(norm.ppf(0.5 + level / 2)) * error / (value * abs(np.log(value)))
        low, high = (float(value ** np.exp(sign * half)) for sign in (1, -1))
        few = few_warning(self.n_events, "with the event")
        return Estimate(value, low, high, _METHOD, self.n, few)


def cumulative_incidence(time: ArrayLike, kind: ArrayLike) -> CumulativeIncidence:
    """Aalen and Johansen's estimate, with the standard error by the delta method.

    Counting patients who die as followed on without the event, as one minus Kaplan and Meier's
    curve does, makes the event too likely.

    Parameters
    ----------
    time : array_like, shape (n,)
        When each patient's follow-up ended, from one start, in any unit; not negative.
    kind : array_like of int, shape (n,)
        How: `CENSORED`, `EVENT` or `COMPETING`. At equal times events come before censoring.

    Raises
    ------
    StatisticsError
        Nobody had either event; or a time that is negative or not known, another kind.

    References
    ----------
    Aalen OO, Johansen S 1978, Scand J Stat 5:141-150. Standard error: Marubini E, Valsecchi MG
    1995, Analysing Survival Data from Clinical Trials and Observational Studies, Wiley, section
    10.4; Choudhury JB 2002, Stat Med 21:1129-1144, 10.1002/sim.1070. Use with death: Austin PC, Lee
    DS, Fine JP 2016, Circulation 133:601-609, 10.1161/CIRCULATIONAHA.115.017719.
    """
    ends, kinds = np.asarray(time, dtype=np.float64), np.asarray(kind)
    known = bool(np.isin(kinds, (CENSORED, EVENT, COMPETING)).all())
    if ends.shape != kinds.shape or not known or not bool((ends >= 0).all()):
        raise StatisticsError(
            "Some times are negative or not known, or some ends are of no kind",
            "a time of 0 or more for every patient, and 0, 1 or 2",
            "Leave out patients whose time is not known, and say how many",
        )
    steps = np.unique(ends[kinds != CENSORED])
    if not steps.size:
        raise StatisticsError(
            f"None of {ends.size} patients had either event",
            "patients with the event",
            "Report the counts",
        )
    risk = ends.size - np.searchsorted(np.sort(ends), steps, side="left")
    counts = [
        np.bincount(np.searchsorted(steps, ends[kinds == one]), minlength=steps.size)
        for one in (EVENT, COMPETING)
    ]
    either = counts[0] + counts[1]
    free = np.cumprod(1 - either / risk)
    before = np.concatenate([[1.0], free[:-1]])
    event, competing = (np.cumsum(before * found / risk) for found in counts)
    return CumulativeIncidence(
        time=steps,
        at_risk=risk.astype(np.int64),
        event=event,
        event_se=_standard_error(risk, counts[0], either, before, event),
        competing=competing,
        n=ends.size,
        n_events=int(counts[0].sum()),
        n_competing=int(counts[1].sum()),
    )


def _standard_error(
    risk: IntArray, events: IntArray, either: IntArray, before: Float64Array, event: Float64Array
) -> Float64Array:
    """Sum, up to each time, what each earlier step adds: the difference of chances is expanded."""
    left = risk - either
    a = np.where(left > 0, either / (risk * np.where(left > 0, left, 1)), 0.0)
    b = before**2 * events * (risk - events) / risk.astype(np.float64) ** 3
    c = before * events / risk.astype(np.float64) ** 2
    variance = (
        event**2 * np.cumsum(a) - 2 * event * np.cumsum(event * a) + np.cumsum(event**2 * a)
        + np.cumsum(b) - 2 * (event * np.cumsum(c) - np.cumsum(event * c))
    )  # fmt: skip
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
