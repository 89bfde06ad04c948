import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import METRICS, bootstrap_metrics, bootstrap_raters, classification_metrics
from hemocast.stats.resampling import weights as resample_module
from hemocast.stats.resampling.replicates import as_readings, left_out, replicate, resampled


def cohort(n: int = 60, raters: int = 3, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    scores = 1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7, 1, (raters, n))))
    return label, np.round(scores, 1), rng.integers(0, n * 3 // 4, n)


@settings(max_examples=30)
@given(st.integers(0, 500))
def test_weights_of_one_are_the_data_themselves(seed: int) -> None:
    label, scores, patient = cohort(seed=seed)
    readings = as_readings(label, scores, 0.5, patient)
    values = replicate(readings, [np.ones((1, readings.n_patients))])[:, :, 0]
    for row, score in zip(values, scores, strict=True):
        expected = classification_metrics(label, score, 0.5).values
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_leaving_out_a_patient_is_computing_without_its_scans() -> None:
    label, scores, patient = cohort()
    keys = np.unique(patient)
    without = left_out(as_readings(label, scores, 0.5, patient))
    assert without.shape == (3, len(METRICS), keys.size)
    for place in (0, 7, keys.size - 1):
        rows = patient != keys[place]
        for k, score in enumerate(scores):
            expected = classification_metrics(label[rows], score[rows], 0.5).values
            np.testing.assert_allclose(without[k, :, place], expected, atol=1e-12)


def test_pairs_and_cumulative_sums_rank_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    label, scores, patient = cohort()
    readings = as_readings(label, scores, 0.5, patient)
    pairs = resampled(readings, 200, 1, stratified=False)
    monkeypatch.setattr(resample_module, "_PAIRWISE", 0)
    monkeypatch.setattr(resample_module, "_EXACT_IN_FLOAT32", 0)
    sums = resampled(readings, 200, 1, stratified=False)
    np.testing.assert_allclose(sums, pairs, atol=1e-12)


def test_raters_together_are_raters_one_by_one() -> None:
    label, scores, patient = cohort()
    thresholds = [0.3, 0.5, 0.7]
    together = bootstrap_raters(label, scores, thresholds, patient, 200, seed=4, method="bca")
    for found, score, at in zip(together, scores, thresholds, strict=True):
        alone = bootstrap_metrics(label, score, at, patient, 200, seed=4, method="bca")
        assert found.point == alone.point
        for one, other in zip(found.estimates, alone.estimates, strict=True):
            assert (one.ci_method, one.warning) == (other.ci_method, other.warning)
            assert [one.ci_low, one.ci_high] == pytest.approx(
                [other.ci_low, other.ci_high], abs=1e-9
            )


def test_stratified_resamples_keep_both_classes() -> None:
    label = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    score = np.array([0.9, 0.2, 0.1, 0.4, 0.3, 0.6, 0.2, 0.5])
    plain = bootstrap_metrics(label, score, 0.5, range(8), 300)
    kept = bootstrap_metrics(label, score, 0.5, range(8), 300, stratified=True)
    assert plain.n_one_class > 0
    assert kept.n_one_class == 0
    assert "stratified by outcome" in kept["auc"].ci_method
    readings = as_readings(label, score[None], 0.5, range(8))
    assert readings.strata().tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    mixed = as_readings(label, score[None], 0.5, [0, 1, 1, 2, 3, 4, 5, 6])
    assert mixed.strata().tolist() == [1, 2, 0, 0, 0, 0, 0]


def test_what_cannot_be_used_is_refused() -> None:
    label, scores, patient = cohort()
    for bad in (scores[0], np.empty((0, 60))):
        with pytest.raises(StatisticsError, match="one row per rater"):
            as_readings(label, bad, 0.5, patient)
    for thresholds in ([0.5, 0.5], 50, [0.1, 0.2, np.nan]):
        with pytest.raises(StatisticsError, match="raters and thresholds"):
            as_readings(label, scores, thresholds, patient)
