"""Folds keep groups whole, and nobody is predicted by a model that saw the group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hemocast.classical.learning import Cohort, deviance, folds, leave_groups_out
from hemocast.classical.measurements import Float64Array, Measurements
from hemocast.errors import TooFewPatients


@dataclass(frozen=True)
class MeanRisk:
    """Give everybody the share of events among those learned from."""

    share: float
    groups: frozenset[int]

    def risk(self, patients: Measurements) -> Float64Array:
        """Return it for each."""
        return np.full(patients.n, self.share)


def learn_mean(cohort: Cohort) -> MeanRisk:
    """Learn it."""
    return MeanRisk(float(cohort.outcome.mean()), frozenset(cohort.group.tolist()))


def test_folds_keep_groups_whole_and_use_everybody_once(cohort: Cohort) -> None:
    seen = []
    for learned, tried in folds(cohort):
        assert not set(cohort.group[learned]) & set(cohort.group[tried])
        seen += tried.tolist()
    assert sorted(seen) == list(range(len(cohort.outcome)))


def test_few_groups_are_shared_out_by_patients(cohort: Cohort) -> None:
    two = Cohort(cohort.patients, cohort.outcome, cohort.group % 2)
    shares = [two.outcome[tried].mean() for _, tried in folds(two)]
    assert len(shares) == 5
    assert np.ptp(shares) < 0.02


def test_every_group_is_predicted_by_the_others(cohort: Cohort) -> None:
    risk, fitted = leave_groups_out({"mean": learn_mean}, cohort)["mean"]
    for group, model in fitted.items():
        assert isinstance(model, MeanRisk)
        assert group not in model.groups
        own = cohort.group == group
        assert risk[own] == pytest.approx(cohort.outcome[~own].mean())


def test_small_groups_are_left_out_together(cohort: Cohort) -> None:
    risk, fitted = leave_groups_out({"mean": learn_mean}, cohort, together=200)["mean"]
    models = {id(model): model for model in fitted.values()}
    assert sorted(fitted) == list(range(12))
    assert 4 <= len(models) <= 8
    for group, model in fitted.items():
        assert isinstance(model, MeanRisk)
        assert group not in model.groups
        assert len(model.groups) >= 8
        assert (risk[cohort.group == group] == model.share).all()


def test_events_and_risks_are_summed_by_group(cohort: Cohort) -> None:
    some = cohort.part(cohort.group >= 9)
    observed, expected = some.by_group(np.full(len(some.outcome), 0.5))
    assert observed.shape == (3,)
    assert observed.sum() == some.events
    assert expected[0] == (cohort.group == 9).sum() / 2


def test_one_group_or_no_events_is_refused(cohort: Cohort) -> None:
    with pytest.raises(TooFewPatients, match="one group"):
        leave_groups_out({"mean": learn_mean}, cohort.part(cohort.group == 3))
    healthy = Cohort(cohort.patients, np.zeros_like(cohort.outcome), cohort.group)
    with pytest.raises(TooFewPatients, match="0 of"):
        leave_groups_out({"mean": learn_mean}, healthy)


def test_deviance_by_hand_and_at_the_edges() -> None:
    assert deviance(np.array([1.0, 0.0]), np.array([0.5, 0.25])) == pytest.approx(
        -(np.log(0.5) + np.log(0.75))
    )
    assert np.isfinite(deviance(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
