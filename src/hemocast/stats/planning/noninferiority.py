"""Whether a new test is at most a stated margin worse than another on the same cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases, as_pair
from hemocast.stats.discrimination.delong import auc_difference
from hemocast.stats.estimate import FEW, Estimate
from hemocast.stats.proportions import Interval


@dataclass(frozen=True)
class NonInferiority:
    """The new test against the old one.

    Parameters
    ----------
    difference : Estimate
        New minus old, with the two-sided interval of level 1 - 2 alpha: its lower limit is the
        one-sided limit of level 1 - alpha.
    margin : float
        The largest loss that was declared acceptable, above 0; fixed before the data were seen.
    alpha : float
        One-sided.
    p : float
        One-sided, of a loss of the margin or more.
    shown : bool
        Whether p is below alpha.
    """

    difference: Estimate
    margin: float
    alpha: float
    p: float
    shown: bool


def _check(margin: float, alpha: float) -> None:
    if not (0 < margin < 1 and 0 < alpha < 0.5):
        raise StatisticsError(
            f"The margin is {margin} and the one-sided level {alpha}",
            "a margin between 0 and 1 and a level between 0 and 0.5",
            "Use 0.025 for the level, and the largest acceptable loss for the margin",
        )


def noninferior_auc(cases: Cases, margin: float, alpha: float = 0.025) -> NonInferiority:
    """Test whether the AUC of a new score is at most `margin` below that of the old one.

    Parameters
    ----------
    cases : Cases
        Of two raters: the new one, then the old one.
    margin, alpha : float
        As in `NonInferiority`.

    Raises
    ------
    StatisticsError
        No variance between the two, or fewer than two patients of a class.

    References
    ----------
    Liu JP 2006, Stat Med 25:1219-1238, 10.1002/sim.2358. Variance as for `delong`.
    """
    _check(margin, alpha)
    difference, error = auc_difference(cases)
    half = float(norm.ppf(1 - alpha)) * error
    p = float(norm.sf((difference + margin) / error))
    method = f"DeLong, paired, {1 - 2 * alpha:.3g}"
    limits = (difference - half, difference + half)
    estimate = Estimate(difference, *limits, method, cases.n, cases.few)
    return NonInferiority(estimate, margin, alpha, p, p < alpha)


def noninferior_share(
    new: ArrayLike, old: ArrayLike, margin: float, alpha: float = 0.025
) -> NonInferiority:
    """Test whether a paired proportion is at most `margin` below another, by Tango's score.

    Parameters
    ----------
    new, old : array_like of 0/1, shape (n,)
        Decisions on the same independent patients. For sensitivities give those with the outcome
        only; for specificities those without it, 1 where the test is right; for accuracies all,
        1 where it is right.
    margin, alpha : float
        As in `NonInferiority`.

    Raises
    ------
    StatisticsError
        Different lengths, or values that cannot be used.

    References
    ----------
    Tango T 1998, Stat Med 17:891-908,
    10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    _check(margin, alpha)
    a, b = as_pair(new, old)
    only_new, only_old, n = int((a & ~b).sum()), int((~a & b).sum()), a.size
    low, high = tango_limits(only_new, only_old, n, 1 - 2 * alpha)
    p = float(norm.sf(_tango(only_new, only_old, n, -margin)))
    warning = None if n >= FEW else f"rests on {n} case{'' if n == 1 else 's'}"
    method = f"Tango score, {1 - 2 * alpha:.3g}"
    estimate = Estimate((only_new - only_old) / n, low, high, method, n, warning)
    return NonInferiority(estimate, margin, alpha, p, p < alpha)


def tango_limits(only_first: int, only_second: int, n: int, level: float = 0.95) -> Interval:
    """Score interval of the difference of two paired proportions.

    Parameters
    ----------
    only_first, only_second : int
        Cases where the first alone, or the second alone, says yes.
    n : int
        All cases.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Of first minus second, within [-1, 1], never of zero width.

    Raises
    ------
    StatisticsError
        Impossible counts or level.

    References
    ----------
    As for `noninferior_share`.
    """
    if min(only_first, only_second) < 0 or only_first + only_second > n or n < 1:
        raise StatisticsError(
            f"{only_first} and {only_second} discordant of {n} cases", "counts", "Check the counts"
        )
    if not 0 < level < 1:
        raise StatisticsError(f"The level is {level}", "a fraction", "Use 0.95")
    z = float(norm.ppf(0.5 + level / 2))
    middle = (only_first - only_second) / n

    def beyond(at: float, side: float) -> float:
        return side * _tango(only_first, only_second, n, at) - z

    low = high = middle
    edge = 1 - 1e-12
    if middle > -edge:
        low = float(brentq(beyond, -edge, middle, args=(1.0,), xtol=1e-14))
    if middle < edge:
        high = float(brentq(beyond, middle, edge, args=(-1.0,), xtol=1e-14))
    return Interval(low, high)


def _tango(only_first: int, only_second: int, n: int, at: float) -> float:
    """Score statistic of the hypothesis that the difference is `at`."""
    b = (2 * n - only_first + only_second) * at - only_first - only_second
    c = -only_second * at * (1 - at)
    second = (np.sqrt(max(b**2 - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * second + at * (1 - at))
    difference = only_first - only_second - n * at
    if variance <= 0:
        return float(np.sign(difference)) * (np.inf if difference else 0.0)
    return float(difference / np.sqrt(variance))
