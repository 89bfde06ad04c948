import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats.planning.checks import check_c, check_fraction, smallest


@given(st.integers(2, 10**6))
def test_the_smallest_that_is_enough_is_found(wanted: int) -> None:
    assert smallest(lambda n: n >= wanted, "the aim", "give up") == wanted


def test_where_nothing_is_enough_it_is_said() -> None:
    with pytest.raises(StatisticsError, match=r"1000 cases are not enough for the aim.*give up"):
        smallest(lambda n: False, "the aim", "give up", most=1000)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.2, 20.0, float("nan")])
def test_a_percentage_is_no_fraction(value: float) -> None:
    with pytest.raises(StatisticsError, match="The prevalence is"):
        check_fraction(value, "prevalence")
    check_fraction(0.2, "prevalence")


def test_chance_is_no_c_statistic() -> None:
    check_c(0.8)
    for value, largest in ((0.5, 1.0), (1.0, 1.0), (0.995, 0.99)):
        with pytest.raises(StatisticsError, match="C statistic"):
            check_c(value, largest)
