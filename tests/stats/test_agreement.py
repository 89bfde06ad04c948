import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hemocast.errors import StatisticsError
from hemocast.stats import cohen_kappa, fleiss_kappa, gwet_ac1, percent_agreement
from hemocast.stats.agreement import intraclass

tables = arrays(int, st.tuples(st.integers(3, 25), st.integers(2, 4)), elements=st.integers(0, 2))


def half_width(estimate) -> float:
    return (estimate.ci_high - estimate.ci_low) / 2


@given(tables)
def test_cohen_as_scikit_learn_gives_it_whichever_rater_is_first(ratings: np.ndarray) -> None:
    first, second = ratings[:, 0], ratings[:, 1]
    estimate = cohen_kappa(first, second)
    if np.isnan(estimate.value):
        assert np.unique(ratings[:, :2]).size == 1
        return
    assert estimate.value == pytest.approx(sk.cohen_kappa_score(first, second))
    other = cohen_kappa(second, first)
    assert other.value == pytest.approx(estimate.value)
    if not np.isnan(estimate.ci_low):
        assert other.ci_low == pytest.approx(estimate.ci_low)


@given(tables)
def test_names_of_categories_and_order_of_cases_do_not_matter(ratings: np.ndarray) -> None:
    named = np.array(["yes", "no", "unsure"])[ratings]
    for method in (fleiss_kappa, gwet_ac1):
        plain, other = method(ratings), method(named[::-1])
        assert other.value == pytest.approx(plain.value, nan_ok=True)
        assert other.ci_low == pytest.approx(plain.ci_low, nan_ok=True)


@settings(max_examples=25)
@given(tables)
def test_intervals_agree_with_leaving_one_case_out(ratings: np.ndarray) -> None:
    ratings = np.concatenate([ratings] * 5)  # the two agree for many cases
    for method in (fleiss_kappa, gwet_ac1):
        estimate = method(ratings)
        assume(not np.isnan(estimate.ci_low) and abs(estimate.value) < 0.7)
        n = len(ratings)
        left = np.array([method(np.delete(ratings, row, axis=0)).value for row in range(n)])
        spread = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
        if estimate.ci_low > -1 and estimate.ci_high < 1:
            assert half_width(estimate) == pytest.approx(1.96 * spread, rel=0.25)


def test_gwets_example_of_two_raters_by_hand() -> None:
    # 90 both yes, 3 both no, 7 apart: kappa is low though raters agree; AC1 is not.
    first = [1] * 90 + [0] * 3 + [1] * 4 + [0] * 3
    second = [1] * 90 + [0] * 3 + [0] * 4 + [1] * 3
    yes = (94 + 93) / 200
    chance = 2 * yes * (1 - yes)
    estimate = gwet_ac1(np.column_stack([first, second]))
    assert estimate.value == pytest.approx((0.93 - chance) / (1 - chance))
    assert cohen_kappa(first, second).value < 0.5 < 0.9 < estimate.value


def test_percent_agreement_has_wilsons_interval() -> None:
    estimate = percent_agreement(["a"] * 41, ["a"] * 29 + ["b"] * 12)
    assert estimate.value == pytest.approx(29 / 41)
    assert (estimate.ci_low, estimate.ci_high) == pytest.approx((0.5552053, 0.8239081))


def test_one_category_alone_is_undefined_and_says_so() -> None:
    for estimate in (cohen_kappa([1, 1, 1], [1, 1, 1]), fleiss_kappa(np.ones((4, 3)))):
        assert np.isnan(estimate.value)
        assert "every rating is the same" in str(estimate.warning)


def test_complete_agreement_has_no_interval_and_says_so() -> None:
    estimate = cohen_kappa([0, 1, 1, 0], [0, 1, 1, 0])
    assert estimate.value == 1
    assert np.isnan(estimate.ci_low)
    assert estimate.warning


@pytest.mark.parametrize(
    "bad", [[[1, 0]], [[1], [0]], [[1.0, np.nan], [0.0, 1.0]], [[1, None], [0, 1]], [1, 0, 1]]
)
def test_ratings_that_cannot_be_used(bad: list) -> None:
    with pytest.raises(StatisticsError):
        fleiss_kappa(np.array(bad))


def test_both_must_rate_the_same_cases() -> None:
    with pytest.raises(StatisticsError):
        cohen_kappa([1, 0, 1], [1, 0])


def test_few_cases_are_warned_of() -> None:
    estimate = cohen_kappa([0, 1, 1, 0, 1], [0, 1, 0, 0, 1])
    assert estimate.warning == "rests on 5 cases"


def test_intraclass_correlation_as_shrout_and_fleiss_print_it() -> None:
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = intraclass(ratings)
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx(
        (0.2898, 0.0188, 0.7611), abs=1e-4
    )
    assert "6 cases" in str(found.warning)
    same = intraclass(np.tile([[0.2], [0.7], [0.4]], 3))
    assert np.isnan(same.value)
    with pytest.raises(StatisticsError, match="missing"):
        intraclass([[1, np.nan], [2, 3]])
