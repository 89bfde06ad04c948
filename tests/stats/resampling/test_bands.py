"""Very many cases: bands of the score and blocks of patients, against cases and closed forms."""

import numpy as np
import pytest
from scipy.special import expit

from hemocast.stats import METRICS, Cases, Resampling, delong
from hemocast.stats.estimate import Float64Array
from hemocast.stats.evaluation import left_out, resampled
from hemocast.stats.resampling.bands import BandedRanking
from hemocast.stats.resampling.weights import Ranking

HALF = np.array([0.5])


def _many(n: int, prevalence: float, scans: int = 1) -> Cases:
    rng = np.random.default_rng(4)
    truth = rng.random(n // scans) < prevalence
    level = rng.normal(1.2 * truth - 3, 1)
    score = expit(np.repeat(level, scans) + rng.normal(0, 0.5, n))
    return Cases(
        np.repeat(truth, scans), np.round(score, 4), np.repeat(np.arange(n // scans), scans)
    )


@pytest.mark.parametrize(("prevalence", "scans"), [(0.2, 1), (0.004, 1), (0.2, 3)])
def test_bands_rank_as_cases_do_in_the_same_resamples(prevalence: float, scans: int) -> None:
    cases = _many(6000, prevalence, scans)
    (weights,) = Resampling(40).draw(cases, 1)
    exact = Ranking(cases.truth, weights[:, cases.patient])
    area, precision = BandedRanking(cases, cases.patient).measures(weights)
    np.testing.assert_allclose(area, exact.auc(cases.score), atol=1e-4)
    np.testing.assert_allclose(precision, exact.average_precision(cases.score), atol=1e-3)


def test_bands_of_one_class_have_no_value() -> None:
    cases = Cases(np.zeros(50), np.linspace(0, 1, 50))
    assert np.isnan(BandedRanking(cases, cases.patient).measures(np.ones((2, 50)))).all()


def _spread(drawn: Float64Array, metric: str) -> float:
    return float(np.std(drawn[0, METRICS.index(metric)]))


@pytest.mark.parametrize("scans", [1, 3])
def test_blocks_of_patients_spread_as_delong_says(scans: int) -> None:
    cases = _many(90_000, 0.05, scans)
    drawn = resampled(cases, HALF, Resampling(1000))
    error = float(np.sqrt(delong(cases).covariance[0, 0]))
    # 1,000 resamples know a spread within 2.2 %, and 5,000 blocks within 1 %.
    assert _spread(drawn, "auc") == pytest.approx(error, rel=0.08)
    without = left_out(cases, HALF)[0, METRICS.index("auc")]
    jackknife = np.sqrt(((without - without.mean()) ** 2).sum() * (without.size - 1) / without.size)
    assert jackknife == pytest.approx(error, rel=0.05)


def test_rare_events_among_very_many_spread_as_a_binomial() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros(60_000, dtype=bool)
    truth[:24] = True
    score = np.where(rng.random(truth.size) < 0.5, 0.6, 0.4)
    cases = Cases(truth, score)
    share = float((score[:24] > 0.5).mean())
    binomial = np.sqrt(share * (1 - share) / 24)
    for stratified in (False, True):
        drawn = resampled(cases, HALF, Resampling(2000, stratified=stratified))
        assert _spread(drawn, "sensitivity") == pytest.approx(binomial, rel=0.1)
