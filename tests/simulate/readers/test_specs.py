"""What simulated readers are asked to be, and what is refused before anybody reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import UsageError
from hemocast.simulate.readers.specs import (
    PAPER_READERS,
    Correlation,
    ModelAid,
    ReaderSpec,
    ReadingPlan,
    ScansToRead,
)
from hemocast.stats import Cases


@given(st.floats(0.51, 0.98), st.floats(0.51, 0.98), st.floats(0.5, 2.0))
def test_threshold_and_mean_give_sensitivity_and_specificity(sensitivity, specificity, spread):
    from scipy.stats import norm

    spec = ReaderSpec("A", sensitivity, specificity, spread=spread)
    assert norm.cdf(spec.threshold) == pytest.approx(specificity)
    assert norm.sf((spec.threshold - spec.mean) / spread) == pytest.approx(sensitivity)
    assert 0.5 < spec.auc < 1


def test_the_auc_is_that_of_a_binormal_curve():
    """Sensitivity and specificity of 0.8413 stand two standard deviations apart."""
    assert ReaderSpec("A", 0.841345, 0.841345).auc == pytest.approx(0.92135, abs=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [{"sensitivity": 1.0}, {"sensitivity": 0.1}, {"specificity": 0.0}, {"spread": 0.0},
     {"boldness": -1.0}, {"seconds": 0.0}, {"trust": 2.0}],
)  # fmt: skip
def test_an_impossible_reader_is_refused(wrong):
    with pytest.raises(UsageError, match="outside their range"):
        ReaderSpec("A", **{"sensitivity": 0.6, "specificity": 0.8} | wrong)


@pytest.mark.parametrize("wrong", [{"score": 0.6}, {"within": 0.4}, {"within": 1.1}])
def test_correlations_lie_within_each_other(wrong):
    with pytest.raises(UsageError, match="within each other"):
        Correlation(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"arms": ()}, {"arms": ("helped",)}, {"arms": ("aided", "aided")}, {"repeats": 1.5},
     {"repeats": -0.1}, {"readers": []}, {"readers": [PAPER_READERS[0], PAPER_READERS[0]]}],
)  # fmt: skip
def test_a_plan_that_does_not_fit_is_refused(wrong):
    with pytest.raises(UsageError, match="do not fit"):
        ReadingPlan(**wrong)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(UsageError, match="threshold"):
        ModelAid([0.5], threshold)


def test_scans_need_a_participant_each_and_come_once():
    cases = Cases([0, 1], [0.1, 0.2])
    assert ScansToRead(["a", "a"], ["b", "c"], cases).cases.n == 2
    for people, scans in ((["a"], ["b", "c"]), (["a", "b"], ["c", "c"]), (["a", "b"], ["c"])):
        with pytest.raises(UsageError, match="every scan once"):
            ScansToRead(people, scans, cases)
