import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from hemocast.errors import StatisticsError
from hemocast.stats import clopper_pearson, wilson

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_they_hold_the_share_lie_in_0_to_1_and_have_width(case: tuple[int, int]) -> None:
    successes, n = case
    for low, high in (wilson(successes, n), clopper_pearson(successes, n)):
        assert 0 <= low <= successes / n <= high <= 1
        assert low < high


@given(counts)
def test_failures_mirror_successes(case: tuple[int, int]) -> None:
    successes, n = case
    for method in (wilson, clopper_pearson):
        low, high = method(successes, n)
        mirrored = method(n - successes, n)
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-9)


@given(counts)
def test_clopper_pearson_leaves_a_fortieth_in_each_tail(case: tuple[int, int]) -> None:
    successes, n = case
    low, high = clopper_pearson(successes, n)
    if successes > 0:
        assert binom.sf(successes - 1, n, low) == pytest.approx(0.025, rel=1e-6)
    if successes < n:
        assert binom.cdf(successes, n, high) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize(
    ("successes", "n", "level"), [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)]
)
def test_impossible_counts(successes: int, n: int, level: float) -> None:
    with pytest.raises(StatisticsError):
        wilson(successes, n, level)
    with pytest.raises(StatisticsError):
        clopper_pearson(successes, n, level)
