"""Confidence intervals of a proportion from independent cases."""

from __future__ import annotations

from typing import Literal, NamedTuple

from scipy.stats import binomtest

from hemocast.errors import StatisticsError


class Interval(NamedTuple):
    """A lower and an upper confidence limit."""

    low: float
    high: float


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
    return _interval(successes, n, level, "wilson")


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval of a proportion: covers at least `level`, whatever the true proportion.

    Parameters, returns and refusals are those of `wilson`.

    References
    ----------
    Clopper CJ, Pearson ES 1934, Biometrika 26:404-413, 10.1093/biomet/26.4.404.
    """
    return _interval(successes, n, level, "exact")


def _interval(successes: int, n: int, level: float, method: Literal["wilson", "exact"]) -> Interval:
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
    limits = binomtest(successes, n).proportion_ci(level, method=method)
    return Interval(float(limits.low), float(limits.high))
