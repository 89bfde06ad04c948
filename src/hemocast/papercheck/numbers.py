"""Printed numbers as what they are: intervals of everything that rounds to them.

All arithmetic on them is exact (fractions), so that nothing is accused because of a rounding of
ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Final, Literal, NamedTuple

from hemocast.errors import StatisticsError

Unit = Literal["percent", "fraction", "count", "value"]
Severity = Literal["error", "warning", "note"]


class Interval(NamedTuple):
    """Everything from `low` to `high`, both ends inside."""

    low: Fraction
    high: Fraction

    @property
    def midpoint(self) -> Fraction:
        """The middle."""
        return (self.low + self.high) / 2

    def meets(self, other: Interval) -> bool:
        """Whether the two have a point in common."""
        return self.low <= other.high and other.low <= self.high

    def words(self, digits: int = 3) -> str:
        """Say it."""
        low, high = (f"{float(end):.{digits}f}" for end in self)
        return low if low == high else f"{low} to {high}"


UNIT_INTERVAL: Final = Interval(Fraction(0), Fraction(1))

SHARES: Final = (
    "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "macro_f1", "balanced_accuracy",
    "prevalence",
)  # fmt: skip
"""Metrics that follow from the confusion matrix, as a table's ``column`` names them."""

MEANS: Final = ("folds", "resamples", "runs", "raters")
"""What a number can be a mean over, as a table's ``mean_over`` names it."""

PARTS: Final = ("train", "validation", "test")
"""Parts of a set, as a table's ``column`` names them; the whole is ``total``."""


@dataclass(frozen=True)
class Rounded:
    """A number as printed.

    Parameters
    ----------
    text : str
        As printed, such as ``64.50``; the decimals count.
    unit : str
        ``percent`` is divided by 100; ``fraction``, ``count`` and ``value`` stay as they are.
    loose : bool
        Its digits may have been cut off, or rounded up, instead of rounded.

    Raises
    ------
    StatisticsError
        The text is no plain decimal number.
    """

    text: str
    unit: Unit
    loose: bool = False

    def __post_init__(self) -> None:
        try:
            Fraction(self.text)
        except (ValueError, ZeroDivisionError) as error:
            raise StatisticsError(
                "A printed number is not a decimal number",
                "digits with a point, such as 64.52",
                "Correct the table",
            ) from error

    @property
    def value(self) -> Fraction:
        """The number itself, as a fraction where it was a percentage."""
        return Fraction(self.text) / (100 if self.unit == "percent" else 1)

    @property
    def half(self) -> Fraction:
        """Half a unit of the last digit printed; 0 for a count."""
        if self.unit == "count":
            return Fraction(0)
        decimals = len(self.text.partition(".")[2])
        return Fraction(1, 2 * 10**decimals) / (100 if self.unit == "percent" else 1)

    @property
    def interval(self) -> Interval:
        """Everything that may have been rounded to it.

        Both ends are inside: rounding half up sends the lower end here, and half to even (the rule
        of IEEE 754 and of numpy) sends either end here where the last digit is even. Where it is
        read loosely, everything less than one unit of the last digit away.
        """
        reach = 2 * self.half if self.loose else self.half
        return Interval(self.value - reach, self.value + reach)

    @property
    def cut(self) -> Interval:
        """Everything that becomes it when further digits are cut off."""
        return Interval(self.value, self.value + 2 * self.half)

    @property
    def raised(self) -> Interval:
        """Everything that becomes it when it is rounded up."""
        return Interval(self.value - 2 * self.half, self.value)

    @property
    def share(self) -> Interval:
        """The interval within [0, 1]."""
        low, high = self.interval
        return Interval(max(low, Fraction(0)), min(high, Fraction(1)))

    def __str__(self) -> str:
        return f"{self.text} %" if self.unit == "percent" else self.text


@dataclass(frozen=True)
class Printed:
    """One printed number and where it stands.

    Parameters
    ----------
    table, row, column : str
        Where. ``column`` is a metric (`SHARES`, or ``auc``), ``share`` (a share of `n`), a part of
        a set (`PARTS`, ``total``), or any other name.
    number : Rounded
        The number.
    ci : (Rounded, Rounded) or None
        Printed confidence limits.
    n : (int, int) or None
        Fewest and most cases it can rest on.
    count : int or None
        The count printed beside a percentage of `n`.
    stratum : str
        Of a count: ``variable: level``, such as ``sex: male``; empty for all.
    mean_of : tuple of str
        The rows of the table whose mean this is said to be.
    mean_over : str
        What else it is a mean over (`MEANS`); empty for a number of one set of cases.
    note : str
        Where the number comes from, when it does not stand in the paper itself.
    """

    table: str
    row: str
    column: str
    number: Rounded
    ci: tuple[Rounded, Rounded] | None = None
    n: tuple[int, int] | None = None
    count: int | None = None
    stratum: str = ""
    mean_of: tuple[str, ...] = ()
    note: str = ""
    mean_over: str = ""

    @property
    def where(self) -> str:
        """Table and row, in words."""
        return f"{self.table}, {self.row}" + (f" ({self.stratum})" if self.stratum else "")

    def loosened(self) -> Printed:
        """Return it with its number and limits read loosely."""
        ci = self.ci and (replace(self.ci[0], loose=True), replace(self.ci[1], loose=True))
        return replace(self, number=replace(self.number, loose=True), ci=ci)


@dataclass(frozen=True)
class Finding:
    """Something the printed numbers prove or suggest.

    Parameters
    ----------
    code : str
        Which check; stable.
    severity : str
        ``error``: the numbers cannot all be right as printed. ``warning``: they may be right, but
        mislead or need explaining. ``note``: what follows from them.
    where : str
        Table and row.
    seen : str
        The numbers used.
    arithmetic : str
        How they lead to the finding.
    sentence : str
        The finding, in plain words.
    """

    code: str
    severity: Severity
    where: str
    seen: str
    arithmetic: str
    sentence: str


def range_over(function: Callable[..., Fraction], *intervals: Interval) -> Interval | None:
    """Range of a function over a box, for one that is monotone in each of its arguments.

    Returns
    -------
    (Fraction, Fraction) or None
        None where the function is undefined at a corner.
    """
    try:
        values = [function(*point) for point in product(*intervals)]
    except ZeroDivisionError:
        return None
    return Interval(min(values), max(values))


def disjoint(intervals: Sequence[Interval]) -> bool:
    """Whether some two of them have no point in common."""
    return max(i.low for i in intervals) > min(i.high for i in intervals)


def mean_of(intervals: Sequence[Interval]) -> Interval:
    """Range of the mean of numbers, one of each interval."""
    low, high = (sum(ends, Fraction(0)) / len(intervals) for ends in zip(*intervals, strict=True))
    return Interval(low, high)


def percent(value: Fraction, digits: int = 2) -> str:
    """Say a fraction in percent."""
    return f"{float(100 * value):.{digits}f}"


def numbers_words(numbers: Sequence[object], most: int = 8) -> str:
    """Say a list, the first few of it."""
    if not numbers:
        return "none"
    rest = len(numbers) - most
    return ", ".join(map(str, numbers[:most])) + (f" and {rest} more" if rest > 0 else "")


def range_words(n: tuple[int, int]) -> str:
    """Say a number or a range of numbers of cases."""
    return f"n = {n[0]}" if n[0] == n[1] else f"n = {n[0]} to {n[1]}"


def cases_words(n: tuple[int, int]) -> str:
    """Say how many cases, in words for a sentence."""
    return f"{n[0]} cases" if n[0] == n[1] else f"{n[0]} to {n[1]} cases"
