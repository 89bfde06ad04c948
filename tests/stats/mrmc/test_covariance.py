import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, auc, case_covariance, delong

cases = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)),
    min_size=6, max_size=16,
)  # fmt: skip


def split(rows: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    label = np.array([row[0] for row in rows])
    ratings = np.array([[row[1] for row in rows], [row[2] for row in rows]], dtype=float)
    assume(2 <= label.sum() <= label.size - 2)
    assume((ratings.min(axis=1) < ratings.max(axis=1)).all())
    return label, ratings, np.array([row[3] for row in rows])


@settings(deadline=None)
@given(cases)
def test_jackknife_leaves_out_one_patient_at_a_time(rows: list) -> None:
    label, ratings, patient = split(rows)
    keys = np.unique(patient)
    kept = [patient != key for key in keys]
    assume(all(0 < label[keep].sum() < keep.sum() for keep in kept))
    assume(min(np.unique(patient[label]).size, np.unique(patient[~label]).size) > 1)
    left = np.array([[auc(Cases(label[keep], row[keep])) for keep in kept] for row in ratings])
    expected = np.cov(left, ddof=0) * (keys.size - 1)
    area, covariance = case_covariance(Cases(label, ratings, patient))
    np.testing.assert_allclose(area, [auc(Cases(label, row)) for row in ratings])
    np.testing.assert_allclose(covariance, expected, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(cases)
def test_unbiased_is_that_of_the_definition(rows: list) -> None:
    label, ratings, _ = split(rows)
    difference = ratings[:, label][:, :, None] - ratings[:, ~label][:, None, :]
    psi = (difference > 0) + 0.5 * (difference == 0)
    n1, n0 = psi.shape[1:]
    area, covariance = case_covariance(Cases(label, ratings), method="unbiased")
    for a, b in itertools.product(range(2), repeat=2):
        apart = [
            psi[a, i, j] * psi[b, k, m]
            for i, k in itertools.permutations(range(n1), 2)
            for j, m in itertools.permutations(range(n0), 2)
        ]
        expected = psi[a].mean() * psi[b].mean() - np.mean(apart)
        assert covariance[a, b] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(area, psi.mean(axis=(1, 2)))


def test_unbiased_is_unbiased() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(16) % 2 == 0
    areas, covariances = [], []
    for _ in range(3000):
        shared = rng.normal(0, 1, 16)
        found = case_covariance(
            Cases(label, shared + rng.normal(label, 1, (2, 16))), method="unbiased"
        )
        areas.append(found[0])
        covariances.append(found[1])
    np.testing.assert_allclose(np.mean(covariances, axis=0), np.cov(np.array(areas).T), rtol=0.1)


@settings(deadline=None)
@given(cases)
def test_delong_is_delongs(rows: list) -> None:
    label, ratings, _ = split(rows)
    area, covariance = case_covariance(Cases(label, ratings), method="delong")
    expected = delong(Cases(label, ratings))
    np.testing.assert_allclose(area, expected.auc)
    np.testing.assert_allclose(covariance, expected.covariance)


@settings(deadline=None)
@given(cases, st.sampled_from(["sensitivity", "specificity", "accuracy"]))
def test_shares_of_decisions_have_the_covariance_of_means(rows: list, metric: str) -> None:
    label, ratings, patient = split(rows)
    decisions = (ratings > 2).astype(float)
    among = {"sensitivity": label, "specificity": ~label}.get(metric, np.ones_like(label))
    right = (decisions == label)[:, among].astype(float)
    for method in ("jackknife", "delong"):
        share, covariance = case_covariance(Cases(label, decisions), metric=metric, method=method)
        np.testing.assert_allclose(share, right.mean(axis=1))
        np.testing.assert_allclose(covariance, np.cov(right) / among.sum(), atol=1e-12)
    assume(np.unique(patient[among]).size > 1)
    for method in ("jackknife", "delong"):
        copies = case_covariance(
            Cases(np.tile(label, 2), np.tile(decisions, 2), np.tile(patient, 2)),
            metric=metric,
            method=method,
        )
        once = case_covariance(Cases(label, decisions, patient), metric=metric, method=method)
        np.testing.assert_allclose(copies[1], once[1], atol=1e-12)


@pytest.mark.parametrize("method", ["jackknife", "delong"])
def test_clusters_are_counted_as_patients(method: str) -> None:
    # Patients with three scans, some of which bleed: the truth is what repeated samples vary by.
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(50), 3)
    label = np.tile([0, 0, 1], 50)
    areas, variances = [], []
    for _ in range(500):
        shared = np.repeat(rng.normal(0, 1.5, 50), 3) + label
        area, covariance = case_covariance(
            Cases(label, shared + rng.normal(0, 1, (2, 150)), patient), metric="auc", method=method
        )
        areas.append(area)
        variances.append(covariance)
    np.testing.assert_allclose(np.mean(variances, axis=0), np.cov(np.array(areas).T), rtol=0.2)


def asked(label: list, ratings: list, patient: list | None = None, **how: str) -> object:
    return case_covariance(Cases(label, ratings, patient), **how)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"label": [1, 1, 1, 1]}, "both classes"),
        ({"label": [1, 0, 0, 0]}, "1 patient with the outcome"),
        ({"label": [1, 1, 1, 0]}, "1 patient without"),
        ({"ratings": [[1, 2, 3, 4], [2, 2, 2, 2]]}, "Row 2 rates every case the same"),
        ({"ratings": [[1, 2, 3, np.nan]]}, "1 of 4 scores are missing"),
        ({"ratings": [["a", 2, 3, 4]]}, "not numbers"),
        ({"metric": "f1"}, "metric is f1"),
        ({"method": "bootstrap"}, "covariance is bootstrap"),
        ({"metric": "accuracy", "method": "unbiased"}, "unbiased covariance of the accuracy"),
        ({"method": "unbiased", "patient": [1, 2, 2, 3]}, "several cases"),
        ({"metric": "sensitivity", "ratings": [[0, 1, 2, 1]]}, "neither 0 nor 1"),
    ],
)
def test_refusals(change: dict, seen: str) -> None:
    given = {"label": [1, 1, 0, 0], "ratings": [[1, 2, 3, 1], [2, 1, 4, 3]], **change}
    with pytest.raises(StatisticsError, match=seen):
        asked(**given)
