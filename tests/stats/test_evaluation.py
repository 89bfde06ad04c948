import subprocess
import sys
import time

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
from hemocast.stats.evaluation import as_thresholds, left_out, replicate, resampled
from hemocast.stats.metrics import RANGES
from hemocast.stats.resampling import weights as resample_module


def test_the_whole_of_it() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(100) < 0.4
    probability = 1 / (1 + np.exp(-rng.normal(2 * label - 1, 1)))
    patient = rng.integers(0, 80, 100)
    result = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(300, seed=2))
    assert (result.n, result.n_patients) == (100, np.unique(patient).size)
    assert result.n_positive == label.sum()
    assert result.prevalence == pytest.approx(label.mean())
    assert result.confusion.tp + result.confusion.fn == label.sum()
    assert [name for name, _ in result.items()] == list(METRICS)
    assert result["sensitivity"].value == pytest.approx(result.confusion.tp / label.sum())
    assert result["auc"].value == pytest.approx(result.auc_delong.value)
    assert result.auc_delong.ci_low == pytest.approx(result["auc"].ci_low, abs=0.05)
    assert "clustered" in result.auc_delong.ci_method
    assert result == evaluate(
        Cases(label, probability, patient), 0.5, resampling=Resampling(300, seed=2)
    )


def test_one_scan_a_patient_is_plain_delong() -> None:
    result = evaluate(
        Cases([0, 1, 0, 1, 1], [0.2, 0.6, 0.7, 0.8, 0.9], range(5)), 0.5, resampling=Resampling(200)
    )
    assert result.auc_delong.ci_method == "DeLong, logit"


def test_one_class_is_answered_with_reasons() -> None:
    result = evaluate(Cases([1, 1, 1], [0.2, 0.6, 0.7], range(3)), 0.5, resampling=Resampling(200))
    assert np.isnan(result["auc"].value)
    assert result["auc"].warning == "undefined: every case has the outcome"
    assert result.auc_delong.warning == "undefined: every case has the outcome"
    assert result["sensitivity"].value == pytest.approx(2 / 3)


def test_bad_rows_are_refused() -> None:
    with pytest.raises(StatisticsError, match="patients of shape"):
        evaluate(Cases([0, 1], [0.1, 0.2], [1]), 0.5)
    with pytest.raises(StatisticsError, match="missing or infinite"):
        evaluate(Cases([0, 1], [0.1, float("nan")], [1, 2]), 0.5)


def test_the_room_needs_numpy_and_scipy_alone() -> None:
    code = "import sys, hemocast.stats; print([m for m in ('torch', 'pandas', 'sklearn', " \
        "'matplotlib', 'pydantic', 'hemocast.volume') if m in sys.modules])"  # fmt: skip
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"[]"


cases = st.lists(
    st.tuples(st.booleans(), st.integers(0, 10), st.integers(0, 6)), min_size=4, max_size=25
)


def cohort(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.45
    probability = 1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7, 1)))
    return label, probability, rng.integers(0, n * 3 // 4, n)


def limits(result) -> np.ndarray:
    return np.array([[e.value, e.ci_low, e.ci_high] for e in result.estimates])


def test_same_seed_same_limits_and_another_seed_others() -> None:
    label, probability, patient = cohort()
    first = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=4))
    again = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=4))
    other = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=5))
    assert first == again
    assert (limits(first) != limits(other)).any()


def test_order_of_rows_and_names_of_patients_do_not_matter() -> None:
    label, probability, patient = cohort()
    order = np.random.default_rng(1).permutation(label.size)
    names = np.array([f"sub-{number:04d}" for number in patient])
    first = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(300))
    mixed = evaluate(
        Cases(label[order], probability[order], names[order]), 0.5, resampling=Resampling(300)
    )
    np.testing.assert_allclose(limits(mixed), limits(first), atol=1e-12)


def test_copies_of_a_patients_scans_add_no_information() -> None:
    label, probability, patient = cohort()
    once = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(300))
    thrice = evaluate(
        Cases(np.tile(label, 3), np.tile(probability, 3), np.tile(patient, 3)),
        0.5,
        resampling=Resampling(300),
    )
    np.testing.assert_allclose(limits(thrice), limits(once), atol=1e-12)
    # Had scans been resampled, the limits would have closed in by the square root of 3.
    scans = evaluate(
        Cases(np.tile(label, 3), np.tile(probability, 3), range(360)),
        0.5,
        resampling=Resampling(300),
    )
    width = once["auc"].ci_high - once["auc"].ci_low
    assert scans["auc"].ci_high - scans["auc"].ci_low < 0.75 * width


@settings(max_examples=50)
@given(cases, st.integers(0, 10))
def test_every_estimate_is_in_order_within_bounds_or_says_why_not(
    rows: list, threshold: int
) -> None:
    label = np.array([row[0] for row in rows])
    probability = np.array([row[1] / 10 for row in rows])
    result = evaluate(
        Cases(label, probability, [r[2] for r in rows]), threshold / 10, resampling=Resampling(100)
    )
    for name, estimate in zip(METRICS, result.estimates, strict=True):
        if np.isnan(estimate.ci_low):
            assert estimate.warning, name
            continue
        least, most = RANGES.get(name, (0.0, 1.0))
        assert least <= estimate.ci_low <= estimate.ci_high <= most, name
        assert np.isfinite(estimate.ci_low), name
        if not np.isfinite(estimate.ci_high):
            assert "infinite" in str(estimate.warning) or "exact" in estimate.ci_method, name
        if estimate.ci_method.startswith("exact"):
            assert estimate.ci_low - 1e-12 <= estimate.value <= estimate.ci_high + 1e-12, name
        assert (estimate.ci_low, estimate.ci_high) not in [(1.0, 1.0), (0.0, 0.0)], name


def test_all_resamples_as_a_plain_loop_would_have_them() -> None:
    label, probability, patient = cohort(60)
    result = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(200, seed=3))
    keys, index = np.unique(patient, return_inverse=True)
    drawn = np.random.default_rng(3).integers(0, keys.size, size=(200, keys.size))
    loop = []
    for patients in drawn:
        rows = np.concatenate([np.flatnonzero(index == one) for one in patients])
        metrics = classification_metrics(Cases(label[rows], probability[rows]), 0.5)
        loop.append(metrics.values)
    low, high = np.nanquantile(np.array(loop), [0.025, 0.975], axis=0)
    np.testing.assert_allclose(limits(result)[:, 1:], np.stack([low, high], axis=1), atol=1e-12)


def test_resamples_with_one_class_are_counted_and_left_out() -> None:
    result = evaluate(Cases([0, 0, 0, 0, 1, 1], [0.1, 0.4, 0.3, 0.6, 0.5, 0.8], range(6)), 0.5)
    share = result.n_one_class / result.n_resamples
    assert share == pytest.approx((4 / 6) ** 6 + (2 / 6) ** 6, abs=0.03)
    assert f"undefined in {result.n_one_class} of 2000 resamples" in str(result["auc"].warning)
    assert "2 patients" in str(result["auc"].warning)


def test_one_class_gives_reasons_instead_of_numbers() -> None:
    result = evaluate(
        Cases([0] * 8, np.linspace(0.1, 0.9, 8), range(8)), 0.5, resampling=Resampling(100)
    )
    assert result.n_one_class == 100
    for name in ("auc", "sensitivity", "balanced_accuracy"):
        assert np.isnan(result[name].value)
        assert result[name].warning == "undefined: no case has the outcome"
    assert result["specificity"].value == pytest.approx(0.5)


def test_equal_probabilities_give_no_interval_for_the_auc() -> None:
    result = evaluate(Cases([0, 1] * 10, [0.5] * 20, range(20)), 0.4, resampling=Resampling(200))
    assert result["auc"].value == 0.5
    assert np.isnan(result["auc"].ci_low)
    assert result["auc"].warning


def test_two_resamples_are_no_bootstrap() -> None:
    with pytest.raises(StatisticsError, match="resamples"):
        evaluate(Cases([0, 1], [0.1, 0.9], [0, 1]), 0.5, resampling=Resampling(2))


@pytest.mark.slow
def test_the_interval_of_the_auc_covers_the_truth_about_as_often_as_it_says() -> None:
    truth, hits = 0.8555, 0  # Phi(1.5 / sqrt(2)): scores one and a half standard deviations apart
    for seed in range(150):
        rng = np.random.default_rng(seed)
        label = np.repeat([0, 1], 40)
        probability = 1 / (1 + np.exp(-rng.normal(1.5 * label, 1)))
        estimate = evaluate(
            Cases(label, probability, range(80)), 0.5, resampling=Resampling(200, seed=seed)
        )["auc"]
        hits += estimate.ci_low <= truth <= estimate.ci_high
    assert 0.87 <= hits / 150 <= 0.995


def test_two_thousand_resamples_of_the_papers_size_are_quick() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(613) < 0.5
    start = time.process_time()
    evaluate(
        Cases(label, rng.random(613), rng.integers(0, 474, 613)), 0.5, resampling=Resampling(2000)
    )
    assert time.process_time() - start < 1  # 0.1 s of processor time


HALF = np.full(3, 0.5)


def cohort_raters(n: int = 60, raters: int = 3, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    scores = 1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7, 1, (raters, n))))
    return label, np.round(scores, 1), rng.integers(0, n * 3 // 4, n)


@settings(max_examples=30)
@given(st.integers(0, 500))
def test_weights_of_one_are_the_data_themselves(seed: int) -> None:
    label, scores, patient = cohort_raters(seed=seed)
    cases = Cases(label, scores, patient)
    values = replicate(cases, HALF, [np.ones((1, cases.n_patients))])[:, :, 0]
    for row, score in zip(values, scores, strict=True):
        expected = classification_metrics(Cases(label, score), 0.5).values
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_leaving_out_a_patient_is_computing_without_its_scans() -> None:
    label, scores, patient = cohort_raters()
    keys = np.unique(patient)
    without = left_out(Cases(label, scores, patient), HALF)
    assert without.shape == (3, len(METRICS), keys.size)
    for place in (0, 7, keys.size - 1):
        rows = patient != keys[place]
        for k, score in enumerate(scores):
            expected = classification_metrics(Cases(label[rows], score[rows]), 0.5).values
            np.testing.assert_allclose(without[k, :, place], expected, atol=1e-12)


def test_pairs_and_cumulative_sums_rank_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    label, scores, patient = cohort_raters()
    cases, resampling = Cases(label, scores, patient), Resampling(200, seed=1)
    pairs = resampled(cases, HALF, resampling)
    monkeypatch.setattr(resample_module, "_PAIRWISE", 0)
    monkeypatch.setattr(resample_module, "EXACT_IN_FLOAT32", 0)
    sums = resampled(cases, HALF, resampling)
    np.testing.assert_allclose(sums, pairs, atol=1e-12)


def test_raters_together_are_raters_one_by_one() -> None:
    label, scores, patient = cohort_raters()
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
