"""What every plan needs: fractions that are fractions, and the smallest number that is enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hemocast.errors import StatisticsError

_LARGEST: Final = 100_000_000
"""A study that needs more than this is answered with a refusal."""


def check_fraction(value: float, word: str) -> None:
    """Refuse what does not lie strictly between 0 and 1.

    Raises
    ------
    StatisticsError
        It does not; `word` says what it is.
    """
    if not 0 < value < 1:
        raise StatisticsError(f"The {word} is {value}", "a fraction between 0 and 1", "Correct it")


def check_c(c_statistic: float, largest: float = 1.0) -> None:
    """Refuse a C statistic of chance or less, or of `largest` or more.

    Raises
    ------
    StatisticsError
        It is one.
    """
    if not 0.5 < c_statistic < largest:
        raise StatisticsError(
            f"The C statistic is {c_statistic}",
            f"a number above 0.5 and below {largest:g}",
            "Correct it",
        )


def smallest(enough: Callable[[int], bool], what: str, action: str, most: int = _LARGEST) -> int:
    """Find the smallest number of cases that is enough, by doubling and halving.

    Parameters
    ----------
    enough : callable
        Of a number of cases; once true it stays so.
    what, action : str
        What they are to be enough for, and what to do where even `most` are not.
    most : int
        The largest number tried.

    Raises
    ------
    StatisticsError
        `most` are not enough.
    """
    low, high = 1, 2
    while not enough(high):
        if high >= most:
            raise StatisticsError(
                f"{high} cases are not enough for {what}", "an aim that can be reached", action
            )
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
