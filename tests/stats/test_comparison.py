import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hemocast.errors import StatisticsError
from hemocast.stats import holm, mcnemar_exact


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 9))
def test_it_is_the_binomial_test_of_discordant_pairs(first: int, second: int, both: int) -> None:
    a = [1] * first + [0] * second + [1] * both + [0, 1]
    b = [0] * first + [1] * second + [1] * both + [0, 1]
    result = mcnemar_exact(a, b)
    assert (result.only_first, result.only_second) == (first, second)
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert result.p == pytest.approx(expected)
    assert mcnemar_exact(b, a).p == pytest.approx(result.p)


def test_both_must_have_decided_on_the_same_cases() -> None:
    with pytest.raises(StatisticsError):
        mcnemar_exact([1, 0], [1, 0, 1])


def test_holm_by_hand() -> None:
    # As R's p.adjust(c(.01, .04, .03), "holm").
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_p_values_are_fractions() -> None:
    with pytest.raises(StatisticsError):
        holm([0.2, 1.4])
