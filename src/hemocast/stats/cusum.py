"""Risk-adjusted cumulative sums: whether outcomes have left what was predicted, since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array

_EDGE = 1e-6


@dataclass(frozen=True)
class Shift:
    """What may have become of risks: all odds multiplied, or all log odds drawn to their middle.

    Parameters
    ----------
    odds : float
        Factor of the odds: 2 where patients bleed more often than is predicted.
    slope : float
        Factor of the log odds' distance from `centre`: 0.5 where the risks tell half as much, which
        lowers calibration slope and AUC and may leave the number of events as it was.
    centre : float
        Log odds that the slope does not move.
    """

    odds: float = 1.0
    slope: float = 1.0
    centre: float = 0.0

    def risk(self, risk: Float64Array) -> Float64Array:
        """Return the risks after the shift."""
        middle = self.centre + self.slope * (logit(risk) - self.centre)
        return np.asarray(expit(np.log(self.odds) + middle))


@dataclass(frozen=True)
class CusumChart:
    """A cumulative sum up to now.

    Parameters
    ----------
    sum : ndarray of float64, shape (n,)
        After every case, in the order of the outcomes.
    limit : float
        An alarm where it is reached.
    alarm : int or None
        The first case at which it was.
    since : int or None
        The case after which the sum that led to the alarm began to grow: the likeliest beginning.
    """

    sum: Float64Array
    limit: float
    alarm: int | None
    since: int | None


def evidence(truth: ArrayLike, risk: ArrayLike, shift: Shift) -> Float64Array:
    """Return the log likelihood ratio of every outcome: the shifted risk against the risk told.

    Parameters
    ----------
    truth : array_like of bool, shape (..., n)
        Outcomes.
    risk : array_like of float, shape (..., n)
        As predicted; within a millionth of 0 and 1.
    shift : Shift

    Raises
    ------
    StatisticsError
        A risk lies outside 0 to 1 or is no number.
    """
    told = np.asarray(risk, dtype=np.float64)
    if not bool(((told >= 0) & (told <= 1)).all()):
        raise StatisticsError(
            "A risk lies outside 0 to 1 or is no number",
            "predicted probabilities",
            "Leave out the cases without a prediction",
        )
    told = told.clip(_EDGE, 1 - _EDGE)
    changed = shift.risk(told).clip(_EDGE, 1 - _EDGE)
    event = np.asarray(truth, dtype=bool)
    return np.asarray(np.where(event, np.log(changed / told), np.log((1 - changed) / (1 - told))))


def cusum_limit(
    risk: ArrayLike, shift: Shift, horizon: int, level: float, draws: int = 4000, seed: int = 0
) -> float:
    """Return the limit that a chart passes with chance `level` within `horizon` right cases.

    Parameters
    ----------
    risk : array_like of float, shape (m,)
        Risks of a reference: cases are drawn from them, and outcomes from the risks.
    shift : Shift
        What the chart looks for.
    horizon : int
        Cases for which the chance holds, such as those of a year.
    level : float
        Chance of a false alarm.
    draws, seed : int
        Simulated runs.

    Raises
    ------
    StatisticsError
        As `evidence` does; there is no risk.
    """
    known = np.asarray(risk, dtype=np.float64)
    if not known.size:
        raise StatisticsError(
            "There is no risk to draw from", "the reference's", "Give a reference"
        )
    weights = np.stack([evidence(np.full(known.shape, one), known, shift) for one in (False, True)])
    rng = np.random.default_rng(seed)
    total, highest = np.zeros(draws), np.zeros(draws)
    for _ in range(horizon):
        case = rng.integers(known.size, size=draws)
        event = rng.random(draws) < known[case]
        total = np.maximum(0.0, total + weights[event.astype(np.int64), case])
        np.maximum(highest, total, out=highest)
    # Just above, so that reaching what was drawn is no alarm.
    return float(np.nextafter(np.quantile(highest, 1 - level, method="higher"), np.inf))


def cusum(truth: ArrayLike, risk: ArrayLike, shift: Shift, limit: float) -> CusumChart:
    """Add up the evidence for a shift, from 0 and never below it.

    Parameters
    ----------
    truth, risk : array_like, shape (n,)
        In the order in which the outcomes became known.
    shift : Shift
        What is looked for.
    limit : float
        As `cusum_limit` gives it.

    References
    ----------
    Page ES 1954, Biometrika 41:100-115, 10.1093/biomet/41.1-2.100; adjusted for risk: Steiner SH,
    Cook RJ, Farewell VT, Treasure T 2000, Biostatistics 1:441-452, 10.1093/biostatistics/1.4.441.
    Slope and level of risks: Cox DR 1958, Biometrika 45:562-565, 10.1093/biomet/45.3-4.562.
    """
    steps = np.cumsum(evidence(truth, risk, shift))
    # The lowest that the sum from the start has been, 0 included: the chart stands at 0 there.
    lowest = np.minimum.accumulate(np.minimum(steps, 0.0))
    chart = steps - lowest
    over = np.flatnonzero(chart >= limit)
    if not over.size:
        return CusumChart(chart, limit, None, None)
    alarm = int(over[0])
    zero = np.flatnonzero(chart[:alarm] <= 0)
    return CusumChart(chart, limit, alarm, int(zero[-1]) + 1 if zero.size else 0)
