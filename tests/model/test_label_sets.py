from __future__ import annotations

import numpy as np
import pytest

from hemocast.model import LabelSets, fit_label_sets


def drawn(n: int, rng: np.random.Generator, prevalence: float = 0.5):
    label = (rng.random(n) < prevalence).astype(int)
    return label, rng.normal(1.5 * label - 0.75, 1.0)


def test_a_rank_is_taken_in_each_class() -> None:
    label = np.repeat([0, 1], 19)
    logit = np.r_[np.arange(19.0), np.arange(10.0, 29.0)]
    sets = fit_label_sets(label, logit, np.ones(38))
    # k = floor(.1 * 20) = 2: the second strangest of each class is still inside.
    assert (sets.zero_to, sets.one_from) == (17.0, 11.0)
    assert (sets.n_without, sets.n_with) == (19, 19)
    assert [sets.of(logit) for logit in (10.9, 11.0, 17.0, 17.1)] == [(0,), (0, 1), (0, 1), (1,)]


def test_coverage_in_each_class_is_as_promised_whatever_the_prevalence() -> None:
    rng = np.random.default_rng(0)
    covered = {0: [], 1: []}
    for _ in range(200):
        sets = fit_label_sets(*drawn(80, rng), np.ones(80))
        label, logit = drawn(100, rng, prevalence=0.2)
        held = np.array([one in sets.of(x) for one, x in zip(label, logit, strict=True)])
        for one in (0, 1):
            covered[one].append(held[label == one].mean())
    assert 0.9 <= np.mean(covered[0]) < 0.94
    assert 0.89 <= np.mean(covered[1]) < 0.94


def test_copies_of_a_patient_s_scan_change_nothing() -> None:
    label, logit = drawn(60, np.random.default_rng(1))
    once = fit_label_sets(label, logit, np.ones(60))
    twice = fit_label_sets(np.repeat(label, 2), np.repeat(logit, 2), np.full(120, 0.5))
    assert twice == once


def test_with_too_few_patients_nothing_is_ruled_out() -> None:
    sets = fit_label_sets([0] * 8 + [1] * 20, np.arange(28.0), np.ones(28))
    assert sets.zero_to is None
    assert sets.of(1e6) == (0, 1)
    assert sets.of(-1e6) == (0,)


def test_a_logit_unusual_for_both_classes_decides_nothing() -> None:
    sets = LabelSets(0.9, zero_to=-1.0, one_from=1.0, n_without=20, n_with=20)
    assert sets.of(0.0) == (0, 1)


@pytest.mark.parametrize("logit", [-2.0, 2.0])
def test_far_from_the_middle_one_answer_is_left(logit: float) -> None:
    sets = LabelSets(0.9, zero_to=-1.0, one_from=1.0, n_without=20, n_with=20)
    assert sets.of(logit) == (int(logit > 0),)
