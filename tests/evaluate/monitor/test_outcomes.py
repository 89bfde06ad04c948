"""Outcomes: alarms with their dates, and what is not known told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.evaluate.inputs.history import History
from hemocast.evaluate.monitor.run import monitor

Trial = Callable[..., History]


def test_more_bleeding_than_predicted_is_dated(trial: Trial, bleeding_more: Trial) -> None:
    found = monitor(bleeding_more(trial(4), 3.0, "2026-06-01"))
    assert not found.drifted
    assert found.followed is not None
    (chart,) = found.followed.alarms
    assert chart.looks_for == "more"
    assert chart.alarmed_at is not None
    assert chart.since is not None
    assert (
        np.datetime64("2026-05-01") < chart.since < chart.alarmed_at < np.datetime64("2026-09-01")
    )


def test_outcomes_that_are_not_known_are_counted_and_grades_told(trial: Trial) -> None:
    history = trial(11)
    assert history.outcomes is not None
    label = history.outcomes.label.copy()
    label[:100] = np.nan
    grade = np.where(label == 1, "PH1", "").astype(object)
    outcomes = replace(history.outcomes, label=label, grade=grade, unmatched=3)
    found = monitor(replace(history, outcomes=outcomes)).followed
    assert found is not None
    assert found.unknown == (history.status[:100] == "done").sum()
    assert found.grades == (("PH1", found.whole.n_events),)
    assert found.unmatched == 3
    nothing = replace(history.outcomes, label=np.full(600, np.nan))
    assert monitor(replace(history, outcomes=nothing)).followed is None
