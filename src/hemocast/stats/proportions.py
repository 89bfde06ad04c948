"""Confidence intervals of a proportion from independent cases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import beta, norm

from hemocast.errors import StatisticsError


class Interval(NamedTuple):
    """A lower and an upper confidence limit."""

    low: float
    high: float


def _check(successes: int, n: int, level: float) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise StatisticsError(
            f"{successes} successes in {n} cases",
            "at least one case, and no more successes than cases",
            "Check the counts",
        )
    if not 0 < level < 1:
        raise StatisticsError(
            f"The confidence level is {level}",
            "a fraction between 0 and 1",
            "Use 0.95 for a 95 % interval",
        )


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Score interval of a proportion, without continuity correction.

    Parameters
    ----------
    successes, n : int
        Successes among `n` independent cases.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Within [0, 1], and never of zero width.

    Raises
    ------
    StatisticsError
        Impossible counts or level.

    References
    ----------
    Wilson EB 1927, J Am Stat Assoc 22:209-212, 10.1080/01621459.1927.10502953.
    """
    _check(successes, n, level)
    z = float(norm.ppf(0.5 + level / 2))
    share = successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else max(0.0, middle - float(half))
    high = 1.0 if successes == n else min(1.0, middle + float(half))
    return Interval(low, high)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval of a proportion: covers at least `level`, whatever the true proportion.

    Parameters
    ----------
    successes, n : int
        Successes among `n` independent cases.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Within [0, 1], and never of zero width.

    Raises
    ------
    StatisticsError
        Impossible counts or level.

    References
    ----------
    Clopper CJ, Pearson ES 1934, Biometrika 26:404-413, 10.1093/biomet/26.4.404.
    """
    _check(successes, n, level)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes == n else float(beta.ppf(1 - tail, successes + 1, n - successes))
    return Interval(low, high)
