from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.papercheck.numbers import Rounded, numbers_words, range_over


@settings(deadline=None)
@given(
    st.integers(0, 4000),
    st.integers(1, 4000),
    st.integers(0, 3),
    st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
)
def test_the_span_holds_whatever_was_rounded_by_either_rule(
    top: int, bottom: int, digits: int, rule: str
) -> None:
    share = Fraction(top, bottom)
    # 60 digits: no double rounding, and ties stay ties.
    decimal = Decimal(100 * top) / Decimal(bottom)
    printed = decimal.quantize(Decimal(1).scaleb(-digits), rounding=rule)
    low, high = Rounded(str(printed), "percent").interval
    assert low <= share <= high or abs(share - low) < Fraction(1, 10**20)


def test_decimals_count() -> None:
    assert Rounded("64.5", "percent").interval == (Fraction("0.6445"), Fraction("0.6455"))
    assert Rounded("64.50", "percent").interval == (Fraction("0.64495"), Fraction("0.64505"))
    assert Rounded("437", "count").interval == (437, 437)
    assert Rounded("100", "percent").share == (Fraction("0.995"), 1)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(StatisticsError, match="not a decimal"):
        Rounded("about 60", "percent")


def test_corners_are_the_range_of_a_monotone_function_and_none_where_it_is_undefined() -> None:
    one, two = (Fraction(1), Fraction(2)), (Fraction(0), Fraction(4))
    assert range_over(lambda a, b: a - b, one, two) == (-3, 2)
    assert range_over(lambda a, b: a / b, one, two) is None


def test_long_lists_are_cut() -> None:
    assert numbers_words([]) == "none"
    assert numbers_words(list(range(10))) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
