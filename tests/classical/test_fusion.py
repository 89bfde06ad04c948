"""Fusion: joined risks beat either alone, an image without news adds nothing, gaps are told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2

from hemocast.classical.fusion import (
    THRESHOLDS,
    by_treatment,
    fuse_out_of_fold,
    learn_fusion,
    measure_increment,
)
from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.errors import StatisticsError
from hemocast.stats import Resampling

N = 1500


@pytest.fixture(scope="module")
def patients() -> tuple[Cohort, Float64Array, Float64Array]:
    """Return patients whose log odds are the sum of what the record and the scan say."""
    rng = np.random.default_rng(0)
    record, scan = rng.normal(0, 1, N), rng.normal(0, 1, N)
    outcome = (rng.random(N) < expit(-1 + record + scan)) * 1.0
    nothing = Measurements((Variable("x", "linear"),), np.zeros((N, 1)))
    return Cohort(nothing, outcome, np.arange(N)), expit(record - 1), expit(scan - 1)


Patients = tuple[Cohort, Float64Array, Float64Array]


def test_both_halves_of_the_log_odds_are_found(patients: Patients) -> None:
    cohort, clinical, image = patients
    fusion = learn_fusion(cohort.outcome, clinical, image)
    assert (fusion.intercept, fusion.clinical, fusion.image) == pytest.approx((1, 1, 1), abs=0.25)


def test_the_increment_of_an_image_with_news(patients: Patients) -> None:
    cohort, clinical, image = patients
    found = measure_increment(cohort, clinical, image, Resampling(300))
    assert found.auc.value == pytest.approx(found.fused.value - found.clinical.value)
    assert 0.03 < found.auc.ci_low < found.auc.value < found.auc.ci_high < 0.2
    assert found.likelihood_ratio > 100
    assert found.p < 1e-10
    assert len(found.net_benefit) == len(THRESHOLDS)
    at_third = found.net_benefit[3]
    assert at_third.ci_low > 0


def test_an_image_without_news_adds_nothing(patients: Patients) -> None:
    cohort, clinical, _ = patients
    noise = np.random.default_rng(5).uniform(0.1, 0.9, N)
    found = measure_increment(cohort, clinical, noise, Resampling(300))
    assert found.auc.ci_low < 0.005
    assert found.p == pytest.approx(chi2.sf(found.likelihood_ratio, 1))
    assert found.p > 0.01


def test_the_likelihood_ratio_holds_its_level() -> None:
    rng = np.random.default_rng(7)
    nothing = Measurements((Variable("x", "linear"),), np.zeros((200, 1)))
    small = []
    for _ in range(100):
        record = rng.normal(0, 1, 200)
        outcome = (rng.random(200) < expit(record)) * 1.0
        cohort = Cohort(nothing, outcome, np.arange(200))
        image = expit(rng.normal(0, 1, 200))
        small.append(measure_increment(cohort, expit(record), image, Resampling(2)).p < 0.1)
    assert 0.03 < np.mean(small) < 0.2


def test_without_a_clinical_risk_the_image_stands_alone_and_is_told(patients: Patients) -> None:
    cohort, clinical, image = patients
    gaps = np.where(np.arange(N) % 10 == 0, np.nan, clinical)
    fused = fuse_out_of_fold(cohort, gaps, image)
    assert fused.image_alone.sum() == N // 10
    np.testing.assert_array_equal(fused.risk[::10], image[::10])
    assert np.isfinite(fused.risk).all()
    assert np.isfinite(measure_increment(cohort, gaps, image, Resampling(10)).auc.value)
    with pytest.raises(StatisticsError, match="1 patients have no risk from the image"):
        learn_fusion(cohort.outcome, clinical, np.append(image[1:], np.nan))


def test_treatments_that_change_the_meaning_of_a_risk_are_found(patients: Patients) -> None:
    cohort, clinical, image = patients
    risk = fuse_out_of_fold(cohort, clinical, image).risk
    treatment = np.array(["aspirin", "none"])[np.arange(N) % 2].astype("U12")
    treatment[:8] = "thrombolytic"
    same = by_treatment(cohort.outcome, risk, treatment)
    assert [one.name for one in same.strata] == ["aspirin", "none", "thrombolytic"]
    assert sum(one.n for one in same.strata) == N
    assert same.df == 2
    assert same.p > 0.05
    assert same.warning is not None
    assert "thrombolytic" in same.warning
    halved = np.where(treatment == "none", risk / 3, risk)
    assert by_treatment(cohort.outcome, halved, treatment).p < 1e-6
    alone = by_treatment(cohort.outcome, risk, np.full(N, "none"))
    assert np.isnan(alone.p)
