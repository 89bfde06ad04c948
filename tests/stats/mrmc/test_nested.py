import numpy as np
import pytest
from scipy.stats import ttest_ind

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, case_covariance, crossed_study, obuchowski_rockette
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.nested import separate_cases, separate_readers


def _ratings(
    rng: np.random.Generator, skill: Float64Array, n: int, shared: float = 0.7
) -> tuple[Float64Array, Float64Array]:
    truth = np.arange(n) % 3 == 0
    case = rng.normal(0, np.sqrt(shared), n)
    own = rng.normal(0, np.sqrt(1 - shared), (skill.size, n))
    return truth, truth * (1.3 + skill[:, None]) + case + own


def test_readers_of_their_own_by_hand() -> None:
    rng = np.random.default_rng(0)
    truth, ratings = _ratings(rng, rng.normal(0, 0.3, 7), 90)
    found = separate_readers(Cases(truth, ratings), 3)
    value, joint = case_covariance(Cases(truth, ratings))
    a, b = value[:3], value[3:]
    cov2 = [
        joint[:3, :3][~np.eye(3, dtype=bool)].mean(),
        joint[3:, 3:][~np.eye(4, dtype=bool)].mean(),
    ]
    between = [a.var(ddof=1) / 3, b.var(ddof=1) / 4]
    total = sum(between) + max(sum(cov2) - 2 * joint[:3, 3:].mean(), 0)
    wide = found.random_readers_and_cases
    assert wide.difference == pytest.approx(a.mean() - b.mean())
    assert wide.se == pytest.approx(np.sqrt(total))
    assert wide.df == pytest.approx(total**2 / (between[0] ** 2 / 2 + between[1] ** 2 / 3))
    assert "3 readers" in str(wide.warning)


def test_without_noise_of_cases_own_readers_are_welchs_t() -> None:
    """With many cases nothing but readers varies, and Welch's test of their accuracies is left."""
    rng = np.random.default_rng(1)
    first, second = ([_decisions(rng, share) for share in rng.uniform(0.6, 0.9, k)] for k in (5, 8))
    truth = np.ones(4000)
    wide = separate_cases(
        Cases(truth, first), Cases(truth, second), "sensitivity", same_readers=False
    ).random_readers_and_cases
    welch = ttest_ind(np.mean(first, axis=1), np.mean(second, axis=1), equal_var=False)
    assert wide.statistic == pytest.approx(welch.statistic, rel=0.03)
    assert wide.df == pytest.approx(welch.df, rel=0.06)


def _decisions(rng: np.random.Generator, share: float) -> Float64Array:
    return (rng.random(4000) < share).astype(float)


def test_the_same_readers_on_own_cases_lose_what_the_cases_shared() -> None:
    rng = np.random.default_rng(2)
    skill = rng.normal(0, 0.3, 5)
    truth, ratings = _ratings(rng, skill, 120)
    again = ratings + rng.normal(0, 0.2, ratings.shape)
    apart = separate_cases(
        Cases(truth, ratings), Cases(truth, again), same_readers=True
    ).random_readers_and_cases
    columns = np.meshgrid(["a", "b"], list("12345"), np.arange(120).astype(str), indexing="ij")
    crossed = obuchowski_rockette(
        crossed_study(
            np.broadcast_to(truth, (2, 5, 120)).ravel(),
            *(one.ravel() for one in columns),
            np.stack([ratings, again]).ravel(),
        )
    ).random_readers_and_cases.differences[0]
    assert apart.difference == pytest.approx(crossed.difference)
    assert apart.se > 1.5 * crossed.se


@pytest.mark.slow
@pytest.mark.parametrize("design", ["readers", "cases", "both"])
def test_equal_treatments_are_rarely_found_different(design: str) -> None:
    rng, found, runs = np.random.default_rng(3), 0, 400
    for _ in range(runs):
        skill = rng.normal(0, 0.25, 10)
        if design == "readers":
            study = separate_readers(Cases(*_ratings(rng, skill, 90)), 5)
        else:
            second = skill[:5] if design == "cases" else skill[5:]
            study = separate_cases(
                Cases(*_ratings(rng, skill[:5], 90)),
                Cases(*_ratings(rng, second, 90)),
                same_readers=design == "cases",
            )
        found += study.random_readers_and_cases.p < 0.05
    assert 0.02 <= found / runs <= 0.08


def test_a_single_reader_is_no_sample_of_readers() -> None:
    truth = np.arange(12) % 2
    scores = np.random.default_rng(0).random((3, 12))
    with pytest.raises(StatisticsError, match="single reader"):
        separate_readers(Cases(truth, scores), 1)
    with pytest.raises(StatisticsError, match="2 and 3 readers"):
        separate_cases(Cases(truth, scores[:2]), Cases(truth, scores), same_readers=True)
