import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    average_reader,
    case_covariance,
    compare_with_readers,
    delong_test,
    tango_limits,
)


def study(seed: int, readers: int = 5, cases: int = 80) -> tuple:
    rng = np.random.default_rng(seed)
    label = np.arange(cases) % 2 == 0
    shared = rng.normal(1.1 * label, 1, cases)
    ratings = shared + rng.normal(0, 0.9, (readers, cases))
    return label, shared + rng.normal(0.4 * label, 0.6, cases), ratings


def test_one_sample_by_hand() -> None:
    label, model, ratings = study(0)
    result = compare_with_readers(Cases(label, np.vstack([model, ratings])), covariance="delong")
    values, joint = case_covariance(Cases(label, np.vstack([model, ratings])), method="delong")
    lead = values[1:] - values[0]
    contrasts = np.hstack([-np.ones((5, 1)), np.eye(5)])
    apart = contrasts @ joint @ contrasts.T
    shared = apart[~np.eye(5, dtype=bool)].mean()
    total = lead.var(ddof=1) + 5 * shared
    wide = result.random_readers_and_cases
    assert (wide.first, wide.second) == ("readers", "model")
    assert wide.difference == pytest.approx(ratings_auc(result) - result.model)
    assert wide.se == pytest.approx(np.sqrt(total / 5))
    assert wide.df == pytest.approx(4 * (total / lead.var(ddof=1)) ** 2)
    assert wide.p == pytest.approx(2 * t.sf(abs(wide.difference / wide.se), wide.df))
    assert result.fixed_readers.se == pytest.approx(np.sqrt(apart.mean()))


def ratings_auc(result) -> float:
    return float(result.readers.accuracy.mean())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_readers_and_cases_changes_nothing(seed: int) -> None:
    label, model, ratings = study(seed)
    rng = np.random.default_rng(seed)
    order, reader = rng.permutation(80), rng.permutation(5)
    first = compare_with_readers(Cases(label, np.vstack([model, ratings]))).random_readers_and_cases
    second = compare_with_readers(
        Cases(label[order], np.vstack([model[order], ratings[reader][:, order]]))
    ).random_readers_and_cases
    assert (second.difference, second.se, second.df) == pytest.approx(
        (first.difference, first.se, first.df)
    )


def test_each_reader_alone_as_delong_has_it() -> None:
    label, model, ratings = study(1)
    result = compare_with_readers(
        Cases(label, np.vstack([model, ratings])), covariance="delong", names=list("abcde")
    )
    for row, one in enumerate(result.per_reader):
        pair = delong_test(Cases(label, [ratings[row], model]))
        assert one.first == "abcde"[row]
        assert (one.difference, one.statistic, one.p) == pytest.approx(
            (pair.difference, pair.z, pair.p)
        )


def test_a_model_that_is_one_of_the_readers_ties_with_that_reader() -> None:
    label, _, ratings = study(2)
    result = compare_with_readers(Cases(label, np.vstack([ratings[3], ratings])))
    tied = result.per_reader[3]
    assert tied.difference == 0
    assert np.isnan(tied.p)
    assert "no variance" in str(tied.warning)
    assert result.random_readers_and_cases.difference == pytest.approx(
        result.readers.accuracy.mean() - result.readers.accuracy[3]
    )


def test_a_model_equal_to_all_readers_has_nothing_to_test() -> None:
    label, model, _ = study(3)
    result = compare_with_readers(
        Cases(label, np.vstack([model, np.stack([model] * 3)])), margin=0.05
    )
    assert result.random_readers_and_cases.difference == 0
    assert "no variance" in str(result.random_readers_and_cases.warning)
    assert result.non_inferior is None


def test_non_inferiority_is_the_upper_limit_below_the_margin() -> None:
    label, model, ratings = study(4, cases=200)
    plain = compare_with_readers(Cases(label, np.vstack([model, ratings])))
    assert (plain.margin, plain.p_non_inferiority, plain.non_inferior) == (None, None, None)
    high = plain.random_readers_and_cases.ci_high
    for margin in (abs(high) + 0.001, abs(high) + 0.05):
        result = compare_with_readers(Cases(label, np.vstack([model, ratings])), margin=margin)
        assert result.non_inferior is True
        assert result.p_non_inferiority < 0.025
    worse = compare_with_readers(Cases(label, np.vstack([-model, ratings])), margin=0.05)
    assert worse.non_inferior is False
    assert worse.p_non_inferiority > 0.9


def test_the_average_reader_is_that_of_the_comparison() -> None:
    label, model, ratings = study(5)
    mean = average_reader(Cases(label, ratings))
    assert mean.random_readers_and_cases == (
        compare_with_readers(
            Cases(label, np.vstack([model, ratings]))
        ).readers.random_readers_and_cases
    )
    values, joint = case_covariance(Cases(label, ratings))
    assert mean.fixed_readers.value == pytest.approx(values.mean())
    assert mean.fixed_readers.se == pytest.approx(np.sqrt(joint.mean()))
    assert mean.fixed_readers.df == np.inf


def test_decisions_are_compared_at_one_threshold() -> None:
    label, model, ratings = study(6)
    result = compare_with_readers(
        Cases(label, np.vstack([(model > 0.5).astype(int), (ratings > 0.5).astype(int)])),
        metric="sensitivity",
    )
    assert result.model == pytest.approx((model > 0.5)[label].mean())


def test_three_discordant_cases_of_one_reader_are_not_significant() -> None:
    """A normal approximation gave p = .0027; the exact test of 3 : 0 says .25."""
    label = np.r_[np.ones(40), np.zeros(20)]
    model = np.r_[np.ones(37), np.zeros(23)]
    reader = model.copy()
    reader[37:40] = 1
    other = np.roll(reader, 3)
    found = compare_with_readers(
        Cases(label, np.stack([model, reader, other])), "sensitivity", names=["a", "b"]
    ).per_reader[0]
    assert found.p == pytest.approx(binomtest(0, 3).pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx(tango_limits(3, 0, 40))
    assert found.ci_low < 0 < found.ci_high
    assert found.method == "exact McNemar, Tango's limits"


def test_few_patients_and_readers_are_said_with_every_difference() -> None:
    label, model, ratings = study(8, readers=3, cases=16)
    found = compare_with_readers(Cases(label, np.vstack([model, ratings])))
    for one in (found.random_readers_and_cases, found.fixed_readers, *found.per_reader):
        assert "rests on 8 patients" in str(one.warning)
        assert -1 <= one.ci_low <= one.ci_high <= 1
    assert "3 readers" in str(found.random_readers_and_cases.warning)


def test_copies_of_patients_scans_add_no_information() -> None:
    label, model, ratings = study(7)
    once = compare_with_readers(Cases(label, np.vstack([model, ratings])))
    twice = compare_with_readers(
        Cases(
            np.tile(label, 2),
            np.vstack([np.tile(model, 2), np.tile(ratings, 2)]),
            np.tile(range(80), 2),
        )
    )
    assert twice.random_readers_and_cases.se == pytest.approx(once.random_readers_and_cases.se)


def asked(label: list, model: list, ratings: list, **how: object) -> object:
    return compare_with_readers(Cases(label, np.vstack([model, ratings])), **how)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"ratings": [[1, 2, 3, 4]]}, "single reader"),
        ({"model": [1, 1, 1, 1]}, "The model rates every case the same"),
        ({"ratings": [[1, 2, 3, 4], [5, 5, 5, 5]]}, "Reader b rates every case the same"),
        ({"margin": 0}, "margin is 0"),
        ({"names": ["a"]}, "2 readers and 1 names"),
    ],
)
def test_refusals(change: dict, seen: str) -> None:
    given = {
        "label": [0, 1, 0, 1], "model": [1, 2, 3, 4], "ratings": [[1, 2, 3, 4], [2, 1, 4, 3]],
        "names": ["a", "b"], **change,
    }  # fmt: skip
    with pytest.raises(StatisticsError, match=seen):
        asked(**given)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["jackknife", "delong"])
def test_a_model_as_good_as_the_readers_is_rarely_found_different(method: str) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(100) % 2 == 0
    found = 0
    runs = 1000
    for _ in range(runs):
        shared = rng.normal(0, np.sqrt(0.5), 100) + 1.5 * label
        skill = rng.normal(0, 0.1, (6, 1)) * np.where(label, 0.5, -0.5)
        ratings = shared + skill + rng.normal(0, np.sqrt(0.5), (6, 100))
        model = shared + rng.normal(0, np.sqrt(0.5), 100)
        result = compare_with_readers(Cases(label, np.vstack([model, ratings])), covariance=method)
        found += result.random_readers_and_cases.p < 0.05
    assert 0.02 <= found / runs <= 0.08
