"""Splits by patient: nobody in two parts, both classes in each, one draw for one seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dataset import Split, split_patients
from hemocast.errors import LeakageError, TooFewPatients


def _labels(n_ht: int, n_non: int) -> dict[str, int]:
    return {f"sub-{i:04d}": int(i < n_ht) for i in range(n_ht + n_non)}


@given(
    n_ht=st.integers(10, 200),
    n_non=st.integers(10, 200),
    fraction=st.floats(0.1, 0.5),
    seed=st.integers(0, 2**32),
)
def test_a_split_is_a_partition_that_keeps_the_classes(
    n_ht: int, n_non: int, fraction: float, seed: int
) -> None:
    labels = _labels(n_ht, n_non)
    split = split_patients(labels, fraction, seed)
    train, test = set(split.parts["train"]), set(split.parts["test"])
    assert train | test == set(labels)
    assert not train & test
    assert sum(labels[patient] for patient in test) == round(n_ht * fraction)
    assert len(test) == round(n_ht * fraction) + round(n_non * fraction)


def test_the_order_of_the_patients_does_not_matter() -> None:
    labels = _labels(30, 30)
    backwards = dict(reversed(labels.items()))
    assert split_patients(labels, 0.2, 7) == split_patients(backwards, 0.2, 7)
    assert split_patients(labels, 0.2, 7) != split_patients(labels, 0.2, 8)


def test_the_papers_overlap_is_refused_and_its_patients_named() -> None:
    """437 + 61 patients out of 474: 24 in both sets (Zhang 2026, Table 1)."""
    patients = [f"sub-{i:04d}" for i in range(474)]
    with pytest.raises(LeakageError) as refusal:
        Split("paper", {"train": tuple(patients[:437]), "test": tuple(patients[-61:])}, 0)
    assert "24 patient(s)" in str(refusal.value)
    assert all(patient in str(refusal.value) for patient in patients[413:437])


def test_too_few_patients_of_a_class_are_refused() -> None:
    with pytest.raises(TooFewPatients, match="label 1"):
        split_patients(_labels(1, 50), 0.1, 0)
