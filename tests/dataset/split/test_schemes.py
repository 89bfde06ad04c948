"""Folds, sites, dates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.dataset.split.schemes import (
    split_by_date,
    split_by_site,
    split_folds,
)
from hemocast.errors import TooFewPatients


def _labels(n_ht: int, n_non: int) -> dict[str, int]:
    return {f"sub-{i:04d}": int(i < n_ht) for i in range(n_ht + n_non)}


@settings(deadline=None)
@given(
    n_ht=st.integers(10, 60),
    n_non=st.integers(10, 60),
    folds=st.integers(2, 10),
    seed=st.integers(0, 2**32),
)
def test_folds_test_everybody_once_with_the_classes_spread(
    n_ht: int, n_non: int, folds: int, seed: int
) -> None:
    labels = _labels(n_ht, n_non)
    splits = split_folds(labels, folds, seed)
    tested = [patient for split in splits for patient in split.parts["test"]]
    assert sorted(tested) == sorted(labels)
    sizes = [len(split.parts["test"]) for split in splits]
    positives = [sum(labels[p] for p in split.parts["test"]) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    assert max(positives) - min(positives) <= 1
    for split in splits:
        assert set(split.parts["train"]) == set(labels) - set(split.parts["test"])


def test_folds_do_not_depend_on_the_order_of_the_patients() -> None:
    labels = _labels(20, 30)
    backwards = dict(reversed(labels.items()))
    assert split_folds(labels, 5, 1) == split_folds(backwards, 5, 1)
    assert split_folds(labels, 5, 1) != split_folds(labels, 5, 2)


def test_a_fold_short_of_positives_is_refused() -> None:
    with pytest.raises(TooFewPatients, match=r"9 patient\(s\) with label 1 for 5 folds"):
        split_folds(_labels(9, 90), 5, 0, min_per_class=2)
    with pytest.raises(TooFewPatients):
        split_folds(_labels(9, 90), 1, 0)


def test_each_site_is_left_out_in_turn_if_it_is_large_enough() -> None:
    labels = _labels(20, 20)
    site = {patient: "ABA"[i % 3] for i, patient in enumerate(labels)}
    site["sub-0000"] = "small one"
    splits = split_by_site(labels, site)
    assert [split.name for split in splits] == ["site-01-A", "site-02-B"]
    for split, name in zip(splits, "AB", strict=True):
        assert {site[patient] for patient in split.parts["test"]} == {name}
        assert name not in {site[patient] for patient in split.parts["train"]}


def test_one_site_or_a_missing_one_is_refused() -> None:
    labels = _labels(5, 5)
    with pytest.raises(TooFewPatients, match="can be left out"):
        split_by_site(labels, dict.fromkeys(labels, "A"))
    with pytest.raises(TooFewPatients, match="1 of 10"):
        split_by_site(labels, dict.fromkeys(list(labels)[1:], "A"))


def test_training_comes_before_testing() -> None:
    labels = _labels(20, 20)
    year = {patient: 2015.0 + i % 6 for i, patient in enumerate(labels)}
    split = split_by_date(labels, year, 2019)
    assert max(year[patient] for patient in split.parts["train"]) == 2018
    assert min(year[patient] for patient in split.parts["test"]) == 2019
    with pytest.raises(TooFewPatients, match="before 2030"):
        split_by_date(labels, year, 2030)
    with pytest.raises(TooFewPatients, match="no date"):
        split_by_date(labels, year | {"sub-0000": float("nan")}, 2019)
