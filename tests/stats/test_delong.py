import time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import auc, auc_interval, delong, delong_test
from hemocast.stats.delong import disjoint_pairs, perfect_auc_bound

MARKERS = ("wfns", "s100b", "ndka")
cases = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=4, max_size=30)


def split(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    label = np.array([row[0] for row in rows])
    assume(2 <= label.sum() <= label.size - 2)
    return label, np.array([float(row[1]) for row in rows])


@pytest.mark.parametrize("marker", MARKERS)
def test_auc_and_variance_as_proc_gives_them(asah: dict, proc: dict, marker: str) -> None:
    result = delong(asah["outcome"], asah[marker])
    assert result.auc[0] == pytest.approx(proc[marker]["auc"], rel=1e-6)
    assert result.covariance[0, 0] == pytest.approx(proc[marker]["var_delong"], rel=1e-6)
    half = 1.959963984540054 * np.sqrt(result.covariance[0, 0])
    low, area, high = proc[marker]["ci_delong"]
    assert (area - half, area + half) == pytest.approx((low, high), rel=1e-6)


@pytest.mark.parametrize("pair", ["s100b_vs_ndka", "wfns_vs_s100b", "wfns_vs_ndka"])
def test_paired_test_as_proc_gives_it(asah: dict, proc: dict, pair: str) -> None:
    first, second = pair.split("_vs_")
    result = delong_test(asah["outcome"], asah[first], asah[second])
    assert result.z == pytest.approx(proc[pair]["z"], rel=1e-6)
    assert result.p == pytest.approx(proc[pair]["p"], rel=1e-6)
    assert (result.ci_low, result.ci_high) == pytest.approx(proc[pair]["ci"], rel=1e-6)


@given(cases)
def test_variance_is_that_of_the_definition(rows: list) -> None:
    label, score = split(rows)
    pairs = score[label][:, None] - score[~label][None, :]
    psi = (pairs > 0) + 0.5 * (pairs == 0)
    expected = psi.mean(1).var(ddof=1) / label.sum() + psi.mean(0).var(ddof=1) / (~label).sum()
    result = delong(label, score)
    assert result.covariance[0, 0] == pytest.approx(expected, abs=1e-12)
    assert result.auc[0] == pytest.approx(auc(label, score))


@given(cases)
def test_the_interval_lies_in_0_to_1_holds_the_auc_and_is_never_a_point(rows: list) -> None:
    label, score = split(rows)
    estimate = auc_interval(label, score)
    if np.isnan(estimate.ci_low):
        assert estimate.warning
        return
    assert 0 <= estimate.ci_low <= estimate.value <= estimate.ci_high <= 1
    assert estimate.ci_low < estimate.ci_high


@given(cases)
def test_one_scan_a_patient_makes_clustering_no_matter(rows: list) -> None:
    label, score = split(rows)
    plain = delong(label, score)
    clustered = delong(label, score, [f"p{row}" for row in range(label.size)])
    np.testing.assert_allclose(clustered.covariance, plain.covariance, atol=1e-12)


@given(cases)
def test_copying_every_scan_into_its_patient_changes_nothing(rows: list) -> None:
    label, score = split(rows)
    patient = np.arange(label.size)
    once = delong(label, score, patient)
    twice = delong(np.tile(label, 2), np.tile(score, 2), np.tile(patient, 2))
    np.testing.assert_allclose(twice.covariance, once.covariance, atol=1e-12)


def test_clustered_variance_with_mixed_patients_matches_simulation() -> None:
    # Patients with one scan of each class, whose scores share a patient effect.
    rng = np.random.default_rng(1)
    areas, variances = [], []
    label = np.tile([0, 1], 60)
    patient = np.repeat(np.arange(60), 2)
    for _ in range(400):
        score = np.repeat(rng.normal(0, 2, 60), 2) + rng.normal(0, 1, 120) + label
        result = delong(label, score, patient)
        areas.append(result.auc[0])
        variances.append(result.covariance[0, 0])
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.15)
    # Taking the scans for patients would be far off here.
    assert delong(label, score).covariance[0, 0] > 2 * np.mean(variances)


def test_perfect_separation_is_not_certainty() -> None:
    label = np.repeat([0, 1], 20)
    estimate = auc_interval(label, np.arange(40))
    assert (estimate.value, estimate.ci_high) == (1.0, 1.0)
    assert estimate.ci_low == pytest.approx(0.025 ** (1 / 20))
    assert "perfectly" in str(estimate.warning)
    worst = auc_interval(label, -np.arange(40))
    assert (worst.value, worst.ci_low) == (0.0, 0.0)
    assert worst.ci_high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_the_bound_for_perfect_separation_covers() -> None:
    # At the true AUC that the bound just excludes, perfect separation is rarer than 1 in 40.
    rng = np.random.default_rng(2)
    pairs = 8
    truth = perfect_auc_bound(pairs)
    shift = np.sqrt(2) * 0.9
    while True:  # find the shift whose AUC is the bound
        area = np.mean(rng.normal(shift, 1, 200_000) > rng.normal(0, 1, 200_000))
        if area >= truth:
            break
        shift += 0.05
    positive = rng.normal(shift, 1, (4000, pairs)).min(axis=1)
    negative = rng.normal(0, 1, (4000, pairs)).max(axis=1)
    assert np.mean(positive > negative) < 0.025 + 0.01


@pytest.mark.parametrize(
    ("patients", "pairs"), [([0, 1, 2, 3], 2), ([0, 1, 0, 1], 1), ([0, 0, 1, 2], 1)]
)
def test_pairs_share_no_patient(patients: list[int], pairs: int) -> None:
    assert disjoint_pairs(np.array([True, True, False, False]), np.array(patients)) == pairs


def test_without_pairs_nothing_is_known() -> None:
    assert perfect_auc_bound(0) == 0.0


def test_constant_scores_have_no_interval_and_say_so() -> None:
    estimate = auc_interval([0, 0, 1, 1], [0.4] * 4)
    assert estimate.value == 0.5
    assert np.isnan(estimate.ci_low)
    assert "equal" in str(estimate.warning)


def test_a_single_patient_of_a_class_gives_no_interval() -> None:
    estimate = auc_interval([0, 0, 0, 1], [1, 3, 2, 2.5])
    assert np.isnan(estimate.ci_high)
    assert "single patient" in str(estimate.warning)
    with pytest.raises(StatisticsError, match="two patients"):
        delong([0, 0, 0, 1], [1, 3, 2, 2.5])


def test_few_patients_are_warned_of() -> None:
    assert "2 patients" in str(auc_interval([0, 0, 0, 1, 1], [1, 3, 2, 2.5, 4]).warning)


def test_nothing_to_test_between_equals() -> None:
    with pytest.raises(StatisticsError, match="no variance"):
        delong_test([0, 1, 0, 1], [1, 2, 3, 4], [2, 4, 6, 8])


def test_a_million_cases_take_seconds() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(1_000_000) < 0.3
    score = rng.normal(label, 1)
    start = time.process_time()
    auc_interval(label, score)
    assert (
        time.process_time() - start < 6
    )  # processor time, so that neighbours do not count; about 1 s
