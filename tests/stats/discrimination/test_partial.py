"""Partial AUC: against scikit-learn, against a fine grid, and at its ends."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Resampling, auc, roc_curve
from hemocast.stats.discrimination.partial import PartialRange, partial_auc

scores = st.integers(0, 12).map(lambda value: value / 12)
rows = st.lists(st.tuples(st.booleans(), scores), min_size=2, max_size=40)
FEW = Resampling(100)


@settings(max_examples=30)
@given(rows, st.floats(0.05, 1))
def test_a_range_of_specificity_is_scikit_learns(own: list, most: float) -> None:
    label, score = np.array([row[0] for row in own]), np.array([row[1] for row in own])
    assume(label.any() and not label.all())
    curve = roc_curve(Cases(label, score))
    within = PartialRange("specificity", 1 - most, 1)
    found = within.standardized(within.area(curve.fpr, curve.tpr))
    theirs = (
        sk.roc_auc_score(label, score, max_fpr=most) if most < 1 else sk.roc_auc_score(label, score)
    )
    assert found == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=30)
@given(rows, scores, scores)
def test_a_range_of_sensitivity_is_the_mean_specificity_there(
    own: list, a: float, b: float
) -> None:
    label, score = np.array([row[0] for row in own]), np.array([row[1] for row in own])
    assume(label.any() and not label.all() and a != b)
    curve = roc_curve(Cases(label, score))
    within = PartialRange("sensitivity", min(a, b), max(a, b))
    # The ROC curve mirrored at its other diagonal is that of the classes exchanged.
    turned = roc_curve(Cases(~label, -score))
    mirror = PartialRange("specificity", within.low, within.high)
    assert within.area(curve.fpr, curve.tpr) == pytest.approx(mirror.area(turned.fpr, turned.tpr))
    grid = np.linspace(within.low, within.high, 20_001)[:-1] + (within.high - within.low) / 40_000
    specificity = np.interp(grid, curve.tpr + np.arange(curve.tpr.size) * 1e-12, 1 - curve.fpr)
    area = specificity.mean() * (within.high - within.low)
    assert within.area(curve.fpr, curve.tpr) == pytest.approx(area, abs=1e-4)


def test_whole_range_is_the_auc_and_a_useless_score_has_one_half() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 80)
    cases = Cases(truth, 0.7 * truth + rng.random(80))
    for axis in ("specificity", "sensitivity"):
        found = partial_auc(cases, PartialRange(axis, 0, 1), FEW)
        assert found.area == found.standardized.value == pytest.approx(auc(cases))
        flat = partial_auc(Cases(truth, np.zeros(80)), PartialRange(axis, 0.6, 0.9), FEW)
        assert flat.standardized.value == pytest.approx(0.5)
        assert "no interval: all resamples agree" in str(flat.standardized.warning)


def test_limits_are_those_of_resampled_patients() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 120)
    score = 0.8 * truth + rng.random(120)
    patient = np.arange(120) // 2
    within = PartialRange("specificity", 0.8, 1)
    found = partial_auc(Cases(truth, score, patient), within, Resampling(100)).standardized
    drawn = []
    for _ in range(100):
        at = (2 * rng.integers(0, 60, 60)[:, None] + [0, 1]).ravel()
        drawn.append(sk.roc_auc_score(truth[at], score[at], max_fpr=0.2))
    assert [found.ci_low, found.ci_high] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.05
    )
    assert found.ci_method == "bootstrap of patients, percentile"


@pytest.mark.parametrize("ends", [(0.9, 0.8), (80, 100), (0.5, 0.5)])
def test_ranges_that_are_none_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(StatisticsError, match="the lower one first"):
        PartialRange("specificity", *ends)
