import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, auc, delong, delong_test

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
