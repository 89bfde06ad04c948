from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    Mrmc,
    ReaderStudy,
    crossed_study,
    obuchowski_rockette,
)


def simulated(
    seed: int, treatments: int = 2, readers: int = 4, cases: int = 60, effect: float = 0.0
) -> ReaderStudy:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 3 == 0
    shared = rng.normal(1.2 * truth, 1, cases)
    ratings = shared + rng.normal(0, 0.8, (treatments, readers, cases))
    ratings[0] += effect * truth
    ratings += rng.normal(0, 0.3, (readers, 1)) * truth
    grid = np.indices(ratings.shape).reshape(3, -1)
    return crossed_study(truth[grid[2]], grid[0], grid[1], grid[2], np.round(ratings, 1).ravel())


def numbers(result: Mrmc) -> list[float]:
    tests = (result.random_readers_and_cases, result.fixed_readers, result.fixed_cases)
    return [
        value
        for test in tests
        for value in (test.statistic, test.df2, test.p, test.differences[0].se)
    ]


def rated(study: ReaderStudy, ratings: np.ndarray) -> ReaderStudy:
    rows = ratings.reshape(-1, ratings.shape[2])
    return replace(study, cases=Cases(study.cases.truth, rows, study.cases.patient))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["jackknife", "delong", "unbiased"]))
def test_order_and_names_of_readers_and_cases_change_nothing(seed: int, method: str) -> None:
    study = simulated(seed)
    rng = np.random.default_rng(seed)
    reader, case = rng.permutation(4), rng.permutation(60)
    mixed = rated(study, study.ratings[:, reader])
    mixed = replace(mixed, cases=mixed.cases.part(case))
    first = obuchowski_rockette(study, covariance=method)
    second = obuchowski_rockette(mixed, covariance=method)
    np.testing.assert_allclose(numbers(second), numbers(first), rtol=1e-8)


@pytest.mark.parametrize("method", ["jackknife", "delong", "unbiased"])
def test_equal_treatments_differ_by_nothing_and_say_so(method: str) -> None:
    study = simulated(0)
    twice = np.stack([study.ratings[0], study.ratings[0]])
    result = obuchowski_rockette(
        rated(study, twice),
        covariance=method,
    )
    for test in (result.random_readers_and_cases, result.fixed_readers, result.fixed_cases):
        assert test.differences[0].difference == 0
        assert np.isnan(test.p)
        assert "no variance" in str(test.warning)
        assert "no variance" in str(test.differences[0].warning)
        assert test.means[0].ci_low < test.means[0].value < test.means[0].ci_high


@pytest.mark.parametrize("method", ["jackknife", "delong"])
def test_a_study_four_times_as_large_is_twice_as_sure_of_its_readers(method: str) -> None:
    small = obuchowski_rockette(simulated(1, cases=120), covariance=method)
    large = obuchowski_rockette(simulated(1, cases=480), covariance=method)
    ratio = small.fixed_readers.means[0].se / large.fixed_readers.means[0].se
    assert ratio == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("method", ["jackknife", "delong"])
def test_copies_of_a_patients_cases_add_no_information(method: str) -> None:
    study = simulated(2)
    once = obuchowski_rockette(study, covariance=method)
    three = replace(study, cases=study.cases.part(np.tile(np.arange(60), 3)))
    thrice = obuchowski_rockette(three, covariance=method)
    assert (thrice.n_cases, thrice.n_patients) == (180, 60)
    np.testing.assert_allclose(numbers(thrice), numbers(once), rtol=1e-8)


def test_three_treatments_give_three_differences_and_f_with_two_df() -> None:
    result = obuchowski_rockette(simulated(3, treatments=3, effect=1.5))
    test = result.random_readers_and_cases
    assert test.df1 == 2
    assert [(d.first, d.second) for d in test.differences] == [("0", "1"), ("0", "2"), ("1", "2")]
    assert test.p < 0.05
    assert test.differences[0].difference > 0.05


def test_two_treatments_make_f_the_square_of_t() -> None:
    result = obuchowski_rockette(simulated(4))
    for test in (result.random_readers_and_cases, result.fixed_readers, result.fixed_cases):
        assert test.differences[0].statistic ** 2 == pytest.approx(test.statistic)
        assert test.differences[0].p == pytest.approx(test.p)


@pytest.mark.parametrize("metric", ["sensitivity", "specificity", "accuracy"])
def test_decisions(metric: str) -> None:
    study = simulated(5)
    decisions = (study.ratings > 0.6).astype(float)
    made = rated(study, decisions)
    result = obuchowski_rockette(made, metric)
    among = {"sensitivity": study.cases.truth, "specificity": ~study.cases.truth}.get(
        metric, np.ones(60, dtype=bool)
    )
    right = (decisions == study.cases.truth)[:, :, among]
    np.testing.assert_allclose(result.accuracy, right.mean(axis=2))
    assert result.components.error == pytest.approx(
        np.mean(right.var(axis=2, ddof=1) / among.sum())
    )
    with pytest.raises(StatisticsError, match="neither 0 nor 1"):
        obuchowski_rockette(study, metric)


def test_readers_without_an_error_are_not_certain() -> None:
    study = simulated(8)
    perfect = study.ratings + 100 * study.cases.truth
    one = study.ratings.copy()
    one[0, 0] = perfect[0, 0]
    for ratings, flawless in ((one, 1), (perfect, 8)):
        result = obuchowski_rockette(rated(study, ratings))
        without = [mean for mean in result.readers_alone if mean.value == 1]
        assert len(without) == flawless
        assert all(np.isnan(mean.ci_low) and mean.warning for mean in without)
    assert "no variance" in str(result.random_readers_and_cases.warning)
    assert "no variance" in str(result.random_readers_and_cases.means[0].warning)


def test_few_cases_and_few_readers_are_warned_of() -> None:
    result = obuchowski_rockette(simulated(6, readers=2, cases=21))
    assert "7 patients" in result.warnings[0]
    assert "2 readers" in result.warnings[1]


def test_refusals_say_who_and_what() -> None:
    study = simulated(7)
    grid = np.indices(study.ratings.shape).reshape(3, -1)
    one = grid[1] == 1
    with pytest.raises(StatisticsError, match="single reader"):
        obuchowski_rockette(
            crossed_study(
                study.cases.truth[grid[2]][one], grid[0][one], grid[1][one], grid[2][one],
                study.ratings.ravel()[one],
            )
        )  # fmt: skip
    one = grid[0] == 1
    with pytest.raises(StatisticsError, match="single treatment"):
        obuchowski_rockette(
            crossed_study(
                study.cases.truth[grid[2]][one], grid[0][one], grid[1][one], grid[2][one],
                study.ratings.ravel()[one],
            )
        )  # fmt: skip
    flat = study.ratings.copy()
    flat[1, 2] = 3
    with pytest.raises(StatisticsError, match="Reader 2 under treatment 1 rates every case"):
        obuchowski_rockette(rated(study, flat))
    with pytest.raises(StatisticsError, match="both classes"):
        obuchowski_rockette(
            replace(study, cases=study.cases.part(~study.cases.truth))
        )  # fmt: skip


def roe_metz(rng: np.random.Generator, readers: int, cases: int, separation: float) -> ReaderStudy:
    """Draw a study without treatment effect (Roe and Metz 1997: low correlation, low variance)."""
    truth = np.arange(cases) % 2 == 0
    case, case_reader, case_treatment, noise = np.sqrt([0.3, 0.2, 0.3, 0.2])
    reader, treatment_reader = np.sqrt([0.0055, 0.0055])
    ratings = separation * truth + rng.normal(0, case, cases)
    ratings = ratings + rng.normal(0, case_treatment, (2, 1, cases))
    ratings = ratings + rng.normal(0, case_reader, (1, readers, cases))
    ratings = ratings + rng.normal(0, noise, (2, readers, cases))
    for outcome in (truth, ~truth):
        ratings += rng.normal(0, reader, (1, readers, 1)) * outcome
        ratings += rng.normal(0, treatment_reader, (2, readers, 1)) * outcome
    names = tuple(str(number) for number in range(max(readers, cases)))
    study = Cases(truth, ratings.reshape(2 * readers, cases))
    return ReaderStudy(("a", "b"), names[:readers], names[:cases], study)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["jackknife", "delong"])
@pytest.mark.parametrize(("readers", "cases"), [(5, 100), (9, 60)])
def test_without_an_effect_one_study_in_twenty_finds_one(
    readers: int, cases: int, method: str
) -> None:
    rng = np.random.default_rng(readers)
    runs = 1000
    p = [
        obuchowski_rockette(
            roe_metz(rng, readers, cases, 1.5), covariance=method
        ).random_readers_and_cases.p
        for _ in range(runs)
    ]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08
