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
    bootstrap_metrics,
    classification_metrics,
)
from hemocast.stats.metrics import RANGES

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
    first = bootstrap_metrics(
        Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=4)
    )
    again = bootstrap_metrics(
        Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=4)
    )
    other = bootstrap_metrics(
        Cases(label, probability, patient), 0.5, resampling=Resampling(500, seed=5)
    )
    assert first == again
    assert (limits(first) != limits(other)).any()


def test_order_of_rows_and_names_of_patients_do_not_matter() -> None:
    label, probability, patient = cohort()
    order = np.random.default_rng(1).permutation(label.size)
    names = np.array([f"sub-{number:04d}" for number in patient])
    first = bootstrap_metrics(Cases(label, probability, patient), 0.5, resampling=Resampling(300))
    mixed = bootstrap_metrics(
        Cases(label[order], probability[order], names[order]), 0.5, resampling=Resampling(300)
    )
    np.testing.assert_allclose(limits(mixed), limits(first), atol=1e-12)


def test_copies_of_a_patients_scans_add_no_information() -> None:
    label, probability, patient = cohort()
    once = bootstrap_metrics(Cases(label, probability, patient), 0.5, resampling=Resampling(300))
    thrice = bootstrap_metrics(
        Cases(np.tile(label, 3), np.tile(probability, 3), np.tile(patient, 3)),
        0.5,
        resampling=Resampling(300),
    )
    np.testing.assert_allclose(limits(thrice), limits(once), atol=1e-12)
    # Had scans been resampled, the limits would have closed in by the square root of 3.
    scans = bootstrap_metrics(
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
    result = bootstrap_metrics(
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
    result = bootstrap_metrics(
        Cases(label, probability, patient), 0.5, resampling=Resampling(200, seed=3)
    )
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
    result = bootstrap_metrics(
        Cases([0, 0, 0, 0, 1, 1], [0.1, 0.4, 0.3, 0.6, 0.5, 0.8], range(6)), 0.5
    )
    share = result.n_one_class / result.n_resamples
    assert share == pytest.approx((4 / 6) ** 6 + (2 / 6) ** 6, abs=0.03)
    assert f"undefined in {result.n_one_class} of 2000 resamples" in str(result["auc"].warning)
    assert "2 patients" in str(result["auc"].warning)


def test_one_class_gives_reasons_instead_of_numbers() -> None:
    result = bootstrap_metrics(
        Cases([0] * 8, np.linspace(0.1, 0.9, 8), range(8)), 0.5, resampling=Resampling(100)
    )
    assert result.n_one_class == 100
    for name in ("auc", "sensitivity", "balanced_accuracy"):
        assert np.isnan(result[name].value)
        assert result[name].warning == "undefined: no case has the outcome"
    assert result["specificity"].value == pytest.approx(0.5)


def test_equal_probabilities_give_no_interval_for_the_auc() -> None:
    result = bootstrap_metrics(
        Cases([0, 1] * 10, [0.5] * 20, range(20)), 0.4, resampling=Resampling(200)
    )
    assert result["auc"].value == 0.5
    assert np.isnan(result["auc"].ci_low)
    assert result["auc"].warning


def test_two_resamples_are_no_bootstrap() -> None:
    with pytest.raises(StatisticsError, match="resamples"):
        bootstrap_metrics(Cases([0, 1], [0.1, 0.9], [0, 1]), 0.5, resampling=Resampling(2))


def test_the_interval_of_the_auc_covers_the_truth_about_as_often_as_it_says() -> None:
    truth, hits = 0.8555, 0  # Phi(1.5 / sqrt(2)): scores one and a half standard deviations apart
    for seed in range(150):
        rng = np.random.default_rng(seed)
        label = np.repeat([0, 1], 40)
        probability = 1 / (1 + np.exp(-rng.normal(1.5 * label, 1)))
        estimate = bootstrap_metrics(
            Cases(label, probability, range(80)), 0.5, resampling=Resampling(200, seed=seed)
        )["auc"]
        hits += estimate.ci_low <= truth <= estimate.ci_high
    assert 0.87 <= hits / 150 <= 0.995


def test_two_thousand_resamples_of_the_papers_size_are_quick() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(613) < 0.5
    start = time.process_time()
    bootstrap_metrics(
        Cases(label, rng.random(613), rng.integers(0, 474, 613)), 0.5, resampling=Resampling(2000)
    )
    assert time.process_time() - start < 1  # 0.1 s of processor time
