"""Paired decisions compared, and several tests at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from hemocast.errors import StatisticsError
from hemocast.stats.cases import as_pair
from hemocast.stats.estimate import FloatArray


@dataclass(frozen=True)
class McNemar:
    """Two raters (or models) who decided on the same cases.

    Parameters
    ----------
    only_first, only_second : int
        Cases where the first alone, or the second alone, says yes (or is right).
    p : float
        Exact two-sided p value of no difference.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar_exact(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Test whether two paired yes/no decisions differ, by the exact binomial of discordant pairs.

    Parameters
    ----------
    first, second : array_like of 0/1, shape (n,)
        Decisions on the same independent cases. To compare sensitivities give those with the
        outcome only; to compare accuracies give 1 where each was right.

    Raises
    ------
    StatisticsError
        Different lengths, or values other than 0 and 1.

    References
    ----------
    McNemar Q 1947, Psychometrika 12:153-157, 10.1007/BF02295996.
    """
    a, b = as_pair(first, second)
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    discordant = only_first + only_second
    tail = float(binom.cdf(min(only_first, only_second), discordant, 0.5))
    return McNemar(only_first, only_second, min(1.0, 2 * tail))


def holm(p: ArrayLike) -> FloatArray:
    """Adjust p values of several tests, so that the chance of any false alarm stays at the level.

    Parameters
    ----------
    p : array_like, shape (k,)
        Unadjusted p values.

    Returns
    -------
    ndarray of float64, shape (k,)
        Adjusted, in the same order.

    Raises
    ------
    StatisticsError
        A value outside [0, 1].

    References
    ----------
    Holm S 1979, Scand J Stat 6:65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not bool(((values >= 0) & (values <= 1)).all()):
        raise StatisticsError(
            "Some p values lie outside 0 to 1", "a list of p values", "Correct the list"
        )
    order = np.argsort(values, kind="stable")
    stepped = values[order] * (values.size - np.arange(values.size))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted
