import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import logit

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, auc, auc_interval, delong, delong_test
from hemocast.stats.discrimination.delong import (
    disjoint_pairs,
    newcombe_limits,
    perfect_auc_bound,
)

cases = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=4, max_size=30)


def split(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    label = np.array([row[0] for row in rows])
    assume(2 <= label.sum() <= label.size - 2)
    return label, np.array([float(row[1]) for row in rows])


@given(cases)
def test_variance_is_that_of_the_definition(rows: list) -> None:
    label, score = split(rows)
    pairs = score[label][:, None] - score[~label][None, :]
    psi = (pairs > 0) + 0.5 * (pairs == 0)
    expected = psi.mean(1).var(ddof=1) / label.sum() + psi.mean(0).var(ddof=1) / (~label).sum()
    result = delong(Cases(label, score))
    assert result.covariance[0, 0] == pytest.approx(expected, abs=1e-12)
    assert result.auc[0] == pytest.approx(auc(Cases(label, score)))


@given(cases)
def test_one_scan_a_patient_makes_clustering_no_matter(rows: list) -> None:
    label, score = split(rows)
    plain = delong(Cases(label, score))
    clustered = delong(Cases(label, score, [f"p{row}" for row in range(label.size)]))
    np.testing.assert_allclose(clustered.covariance, plain.covariance, atol=1e-12)


@given(cases)
def test_copying_every_scan_into_its_patient_changes_nothing(rows: list) -> None:
    label, score = split(rows)
    patient = np.arange(label.size)
    once = delong(Cases(label, score, patient))
    twice = delong(Cases(np.tile(label, 2), np.tile(score, 2), np.tile(patient, 2)))
    np.testing.assert_allclose(twice.covariance, once.covariance, atol=1e-12)


def test_clustered_variance_with_mixed_patients_matches_simulation() -> None:
    # Patients with one scan of each class, whose scores share a patient effect.
    rng = np.random.default_rng(1)
    areas, variances = [], []
    label = np.tile([0, 1], 60)
    patient = np.repeat(np.arange(60), 2)
    for _ in range(400):
        score = np.repeat(rng.normal(0, 2, 60), 2) + rng.normal(0, 1, 120) + label
        result = delong(Cases(label, score, patient))
        areas.append(result.auc[0])
        variances.append(result.covariance[0, 0])
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.15)
    # Taking the scans for patients would be far off here.
    assert delong(Cases(label, score)).covariance[0, 0] > 2 * np.mean(variances)


def test_a_comparison_of_few_patients_is_warned_of() -> None:
    label, first, second = [0, 0, 0, 1, 1], [1, 3, 2, 2.5, 4], [1, 2, 3, 2.5, 2.2]
    assert "2 patients" in str(delong_test(Cases(label, [first, second])).warning)


def test_nothing_to_test_between_equals() -> None:
    with pytest.raises(StatisticsError, match="no variance"):
        delong_test(Cases([0, 1, 0, 1], [[1, 2, 3, 4], [2, 4, 6, 8]]))


def slow_obuchowski(label: np.ndarray, scores: np.ndarray, patient: np.ndarray) -> np.ndarray:
    """Obuchowski 1997, equations as printed: loops over patients and pairs of scans."""
    names = sorted(set(patient))
    total = len(names)
    m = {one: int((label & (patient == one)).sum()) for one in names}
    n = {one: int((~label & (patient == one)).sum()) for one in names}
    with_events = sum(1 for one in names if m[one])
    with_others = sum(1 for one in names if n[one])
    events, others = sum(m.values()), sum(n.values())

    def psi(x: float, y: float) -> float:
        return 1.0 if x > y else 0.5 if x == y else 0.0

    sums = []
    for score in scores:
        xs = [(patient[k], score[k]) for k in np.flatnonzero(label)]
        ys = [(patient[k], score[k]) for k in np.flatnonzero(~label)]
        area = sum(psi(x, y) for _, x in xs for _, y in ys) / (events * others)
        v10 = dict.fromkeys(names, 0.0)
        v01 = dict.fromkeys(names, 0.0)
        for one, x in xs:
            v10[one] += sum(psi(x, y) for _, y in ys) / others
        for one, y in ys:
            v01[one] += sum(psi(x, y) for _, x in xs) / events
        sums.append(
            ([v10[one] - m[one] * area for one in names],
             [v01[one] - n[one] * area for one in names])
        )  # fmt: skip
    k = len(sums)
    covariance = np.empty((k, k))
    for r in range(k):
        for s in range(k):
            s10 = sum(a * b for a, b in zip(sums[r][0], sums[s][0], strict=True))
            s01 = sum(a * b for a, b in zip(sums[r][1], sums[s][1], strict=True))
            s11 = sum(a * b for a, b in zip(sums[r][0], sums[s][1], strict=True))
            s11 += sum(a * b for a, b in zip(sums[s][0], sums[r][1], strict=True))
            covariance[r, s] = (
                s10 * with_events / ((with_events - 1) * events) / events
                + s01 * with_others / ((with_others - 1) * others) / others
                + s11 * total / (total - 1) / (events * others)
            )
    return covariance


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(6, 14))
def test_clustered_covariance_as_obuchowskis_formula_gives_it(seed: int, patients: int) -> None:
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, patients, 26)
    label = rng.random(26) < 0.45
    assume(min(np.unique(patient[label]).size, np.unique(patient[~label]).size) >= 2)
    scores = rng.integers(0, 8, (2, 26)).astype(float)
    result = delong(Cases(label, scores, patient))
    np.testing.assert_allclose(
        result.covariance, slow_obuchowski(label, scores, patient), atol=1e-12
    )


@given(cases, st.integers(0, 99))
def test_order_monotone_transforms_and_swapping_classes_do_not_matter(
    rows: list, seed: int
) -> None:
    label, score = split(rows)
    plain = delong(Cases(label, score))
    order = np.random.default_rng(seed).permutation(label.size)
    for other in (
        delong(Cases(label[order], score[order])),
        delong(Cases(label, np.exp(score))),
        delong(Cases(~label, -score)),
    ):
        assert other.auc == pytest.approx(plain.auc)
        np.testing.assert_allclose(other.covariance, plain.covariance, atol=1e-12)


@given(cases)
def test_the_interval_lies_in_0_to_1_holds_the_auc_and_is_never_a_point(rows: list) -> None:
    label, score = split(rows)
    estimate = auc_interval(Cases(label, score))
    if np.isnan(estimate.ci_low):
        assert estimate.warning
        return
    assert 0 <= estimate.ci_low <= estimate.value <= estimate.ci_high <= 1
    assert estimate.ci_low < estimate.ci_high


def test_perfect_separation_is_not_certainty() -> None:
    label = np.repeat([0, 1], 20)
    estimate = auc_interval(Cases(label, np.arange(40)))
    assert (estimate.value, estimate.ci_high) == (1.0, 1.0)
    assert estimate.ci_low == pytest.approx(0.025 ** (1 / 20))
    assert "perfectly" in str(estimate.warning)
    worst = auc_interval(Cases(label, -np.arange(40)))
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
    assert disjoint_pairs(Cases([1, 1, 0, 0], [1, 2, 3, 4], patients)) == pairs


def test_without_pairs_nothing_is_known() -> None:
    assert perfect_auc_bound(0) == 0.0


def test_constant_scores_have_no_interval_and_say_so() -> None:
    estimate = auc_interval(Cases([0, 0, 1, 1], [0.4] * 4))
    assert estimate.value == 0.5
    assert np.isnan(estimate.ci_low)
    assert "equal" in str(estimate.warning)


def test_a_single_patient_of_a_class_gives_no_interval() -> None:
    estimate = auc_interval(Cases([0, 0, 0, 1], [1, 3, 2, 2.5]))
    assert np.isnan(estimate.ci_high)
    assert "single patient" in str(estimate.warning)
    with pytest.raises(StatisticsError, match="two patients"):
        delong(Cases([0, 0, 0, 1], [1, 3, 2, 2.5]))


def test_few_patients_are_warned_of() -> None:
    assert "2 patients" in str(auc_interval(Cases([0, 0, 0, 1, 1], [1, 3, 2, 2.5, 4])).warning)


def test_a_million_cases_take_seconds() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(1_000_000) < 0.3
    score = rng.normal(label, 1)
    start = time.process_time()
    auc_interval(Cases(label, score))
    assert (
        time.process_time() - start < 6
    )  # processor time, so that neighbours do not count; about 1 s


@given(st.floats(0.02, 0.98), st.integers(2, 200), st.integers(2, 200))
def test_newcombes_limits_solve_their_equation_and_mirror(area: float, m: int, n: int) -> None:
    limits = newcombe_limits(area, m, n)
    assert 0 < limits.low < area < limits.high < 1
    for at in limits:
        q1, q2 = at / (2 - at), 2 * at**2 / (1 + at)
        others = (m + n) / 2 - 1  # Hanley and McNeil's variance with both numbers averaged
        variance = at * (1 - at) + others * (q1 - at**2) + others * (q2 - at**2)
        z = abs(area - at) / np.sqrt(variance / (m * n))
        assert z == pytest.approx(1.959963984540054, rel=1e-5)
    back = newcombe_limits(1 - area, m, n)
    assert (1 - back.high, 1 - back.low) == pytest.approx(tuple(limits), abs=1e-9)


@given(cases)
def test_swapping_the_classes_and_monotone_transforms_keep_the_limits(rows: list) -> None:
    label, score = split(rows)
    plain = auc_interval(Cases(label, score))
    for other in (auc_interval(Cases(~label, -score)), auc_interval(Cases(label, np.exp(score)))):
        assert [other.value, other.ci_low, other.ci_high] == pytest.approx(
            [plain.value, plain.ci_low, plain.ci_high], nan_ok=True
        )


def test_near_1_the_limits_are_averaged_with_the_score_limits() -> None:
    label = np.repeat([1, 0], [20, 60])
    score = np.r_[np.arange(41, 61), np.arange(60) - 20.5].astype(float)
    score[0] = 20.2
    estimate = auc_interval(Cases(label, score))
    assert estimate.ci_method == "DeLong, logit, averaged with Newcombe"
    assert estimate.value == pytest.approx(1 - 19 / 1200)
    model = newcombe_limits(estimate.value, 20, 60)
    plain = delong(Cases(label, score))
    half = 1.959963984540054 * np.sqrt(plain.covariance[0, 0])
    half /= estimate.value * (1 - estimate.value)
    for limit, from_model, sign in (
        (estimate.ci_low, model.low, -1),
        (estimate.ci_high, model.high, 1),
    ):
        from_delong = logit(estimate.value) + sign * half
        assert logit(limit) == pytest.approx((2 * from_delong + logit(from_model)) / 3)
    many = auc_interval(Cases(np.tile(label, 6), np.tile(score, 6)))
    assert many.ci_method == "DeLong, logit"
