import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import (
    METRICS,
    Cases,
    Resampling,
    classification_metrics,
    evaluate,
    evaluate_raters,
)
from hemocast.stats.resampling import weights as resample_module
from hemocast.stats.resampling.replicates import as_thresholds, left_out, replicate, resampled

HALF = np.full(3, 0.5)


def cohort(n: int = 60, raters: int = 3, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    scores = 1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7, 1, (raters, n))))
    return label, np.round(scores, 1), rng.integers(0, n * 3 // 4, n)


@settings(max_examples=30)
@given(st.integers(0, 500))
def test_weights_of_one_are_the_data_themselves(seed: int) -> None:
    label, scores, patient = cohort(seed=seed)
    cases = Cases(label, scores, patient)
    values = replicate(cases, HALF, [np.ones((1, cases.n_patients))])[:, :, 0]
    for row, score in zip(values, scores, strict=True):
        expected = classification_metrics(Cases(label, score), 0.5).values
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_leaving_out_a_patient_is_computing_without_its_scans() -> None:
    label, scores, patient = cohort()
    keys = np.unique(patient)
    without = left_out(Cases(label, scores, patient), HALF)
    assert without.shape == (3, len(METRICS), keys.size)
    for place in (0, 7, keys.size - 1):
        rows = patient != keys[place]
        for k, score in enumerate(scores):
            expected = classification_metrics(Cases(label[rows], score[rows]), 0.5).values
            np.testing.assert_allclose(without[k, :, place], expected, atol=1e-12)


def test_pairs_and_cumulative_sums_rank_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    label, scores, patient = cohort()
    cases, resampling = Cases(label, scores, patient), Resampling(200, seed=1)
    pairs = resampled(cases, HALF, resampling)
    monkeypatch.setattr(resample_module, "_PAIRWISE", 0)
    monkeypatch.setattr(resample_module, "_EXACT_IN_FLOAT32", 0)
    sums = resampled(cases, HALF, resampling)
    np.testing.assert_allclose(sums, pairs, atol=1e-12)


def test_raters_together_are_raters_one_by_one() -> None:
    label, scores, patient = cohort()
    thresholds = [0.3, 0.5, 0.7]
    together = evaluate_raters(
        Cases(label, scores, patient),
        thresholds,
        resampling=Resampling(200, seed=4, interval="bca"),
    )
    for found, score, at in zip(together, scores, thresholds, strict=True):
        alone = evaluate(
            Cases(label, score, patient), at, resampling=Resampling(200, seed=4, interval="bca")
        )
        assert found.confusion == alone.confusion
        for one, other in zip(found.estimates, alone.estimates, strict=True):
            assert (one.ci_method, one.warning) == (other.ci_method, other.warning)
            assert [one.ci_low, one.ci_high] == pytest.approx(
                [other.ci_low, other.ci_high], abs=1e-9
            )


def test_stratified_resamples_keep_both_classes() -> None:
    label = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    score = np.array([0.9, 0.2, 0.1, 0.4, 0.3, 0.6, 0.2, 0.5])
    plain = evaluate(Cases(label, score, range(8)), 0.5, resampling=Resampling(300))
    kept = evaluate(Cases(label, score, range(8)), 0.5, resampling=Resampling(300, stratified=True))
    assert plain.n_one_class > 0
    assert kept.n_one_class == 0
    assert "stratified by outcome" in kept["auc"].ci_method
    patient = [0, 1, 1, 2, 3, 4, 5, 6]
    for weights in Resampling(300, stratified=True).draw(Cases(label, score, patient), 8):
        # One patient with the outcome only, one with scans of both kinds, five without.
        assert (weights[:, :2] == 1).all()
        assert (weights.sum(axis=1) == 7).all()


def test_thresholds_that_cannot_be_used_are_refused() -> None:
    assert as_thresholds(0.5, 3).tolist() == [0.5] * 3
    for thresholds in ([0.5, 0.5], 50, [0.1, 0.2, np.nan]):
        with pytest.raises(StatisticsError, match="raters and thresholds"):
            as_thresholds(thresholds, 3)


def test_too_few_resamples_are_refused() -> None:
    with pytest.raises(StatisticsError, match="at least 100"):
        resampled(Cases([0, 1], [[0.2, 0.3]]), np.array([0.5]), Resampling(99))
