"""A whole trial: quiet while nothing changes, and loud about what did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.history import Feature, History
from hemocast.evaluate.monitor.result import MonitorOptions
from hemocast.evaluate.monitor.run import monitor

Trial = Callable[..., History]


def test_a_year_in_which_nothing_changes(trial: Trial) -> None:
    found = monitor(trial(1))
    assert not found.alarmed
    assert found.simulated
    traffic = found.traffic
    assert traffic.whole.n == traffic.n_patients == 600
    assert sum(period.n for period in traffic.periods) == 600
    assert traffic.refusals == (("HC303", traffic.whole.refused),)
    assert traffic.delay is not None
    assert traffic.delay.since == "last_slice_at"
    assert 1 < traffic.delay.median < traffic.delay.longest < 5
    # 52 weeks, of which 12 are the reference.
    assert len({look.start for look in found.looks}) == 9
    assert {look.feature for look in found.looks} == {
        "probability", "status", "scanner", "sign0", "sign1", "sign2", "sign3",
    }  # fmt: skip
    assert found.followed is not None
    assert found.followed.whole.n == traffic.whole.done
    assert found.followed.unknown == 0
    assert found.followed.whole.auc is not None
    assert found.followed.whole.auc.value == pytest.approx(0.75, abs=0.08)
    assert sum(part.n for part in found.followed.periods) == found.followed.whole.n
    ((name, groups),) = found.followed.groups
    assert name == "scanner"
    assert [one.name for one in groups] == ["Canon", "GE", "Siemens"]


def test_false_alarms_are_as_rare_as_is_told(trial: Trial) -> None:
    """In 16 years, at 5 % a year, 4 false alarms would be a chance of 1 in 100."""
    found = [monitor(trial(seed, features=2)) for seed in range(16)]
    assert sum(bool(one.drifted) for one in found) < 4
    assert sum(bool(one.followed and one.followed.alarms) for one in found) < 4


def test_a_new_scanner_and_a_changed_sign_are_named(trial: Trial) -> None:
    history = trial(2)
    late = history.arrived >= np.datetime64("2026-09-01")
    scanner, sign, *others = history.scans.features
    changed = (
        Feature("scanner", np.where(late, "New", scanner.values).astype(object)),
        Feature(sign.name, np.where(late, sign.values + 1.5, sign.values)),
    )
    scans = replace(history.scans, features=(*changed, *others))
    found = monitor(replace(history, scans=scans))
    assert {look.feature for look in found.drifted} == {"scanner", "sign0"}
    assert min(look.start for look in found.drifted) >= np.datetime64("2026-08-01")


def test_more_refusals_are_drift(trial: Trial) -> None:
    history = trial(3)
    late = history.arrived >= np.datetime64("2026-09-01")
    status = np.where(late & (np.arange(600) % 2 == 0), "refused", history.status).astype(object)
    probability = np.where(status == "done", history.scans.probability, np.nan)
    scans = replace(history.scans, probability=probability)
    found = monitor(replace(history, scans=scans, status=status))
    assert {look.feature for look in found.drifted} == {"status"}


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


def test_a_reference_table_leaves_all_weeks_to_be_looked_at(trial: Trial, tmp_path: Path) -> None:
    history = trial(5)
    known = history.scans.probability[history.status == "done"]
    path = tmp_path / "test_predictions.csv"
    path.write_text("probability\n" + "\n".join(f"{one:.5f}" for one in known))
    found = monitor(history, path)
    assert found.reference.name == "test_predictions.csv"
    assert found.reference.until is None
    assert len(found.looks) == 12
    path.write_text("probability\n" + "\n".join(f"{one / 3:.5f}" for one in known))
    assert len(monitor(history, path).drifted) > 6


def test_several_scans_of_a_patient_are_no_more_evidence(trial: Trial) -> None:
    """Everybody scanned twice over: counted as scans, not as patients."""
    history = trial(6, n=300)
    twice = np.repeat(np.arange(300), 2)
    assert history.outcomes is not None
    outcomes = replace(
        history.outcomes,
        label=history.outcomes.label[twice], grade=history.outcomes.grade[twice],
        known_at=history.outcomes.known_at[twice],
    )  # fmt: skip
    doubled = History(
        history.scans.part(twice), history.arrived[twice], history.last_slice[twice],
        history.predicted[twice], history.status[twice], history.code[twice], outcomes,
    )  # fmt: skip
    once, found = monitor(history), monitor(doubled)
    assert found.traffic.whole.n == 2 * once.traffic.whole.n
    assert [look.p for look in found.looks] == [look.p for look in once.looks]
    assert found.followed is not None
    assert once.followed is not None
    assert found.followed.whole == once.followed.whole


def test_too_little_to_compare_with_is_refused(trial: Trial) -> None:
    with pytest.raises(StatisticsError, match="reference holds"):
        monitor(trial(7, n=60), options=MonitorOptions(first_weeks=2))
    few = monitor(trial(8, n=120), options=MonitorOptions(first_weeks=24, weeks=1))
    assert all(look.drift is None and not look.alarm for look in few.looks)
