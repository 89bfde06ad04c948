"""A whole trial: quiet while nothing changes, and loud about what did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.history import History
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


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_is_told(trial: Trial) -> None:
    """In 16 years, at 5 % a year, 4 false alarms would be a chance of 1 in 100."""
    found = [monitor(trial(seed, features=2)) for seed in range(16)]
    assert sum(bool(one.drifted) for one in found) < 4
    assert sum(bool(one.followed and one.followed.alarms) for one in found) < 4


def test_a_reference_table_leaves_all_weeks_to_be_looked_at(trial: Trial, tmp_path: Path) -> None:
    history = trial(5)
    known = history.scans.probability[history.status == "done"]
    path = tmp_path / "test_predictions.csv"
    path.write_text("probability,fold\n" + "\n".join(f"{one:.5f},1" for one in known))
    found = monitor(history, path)
    assert {look.feature for look in found.looks} == {"probability"}
    assert found.reference.name == "test_predictions.csv"
    assert found.reference.until is None
    assert len(found.looks) == 12
    path.write_text("probability\n" + "\n".join(f"{one / 3:.5f}" for one in known))
    assert len(monitor(history, path).drifted) > 6


def test_too_little_to_compare_with_is_refused(trial: Trial) -> None:
    with pytest.raises(StatisticsError, match="reference holds"):
        monitor(trial(7, n=60), options=MonitorOptions(first_weeks=2))
    few = monitor(trial(8, n=120), options=MonitorOptions(first_weeks=24, weeks=1))
    assert all(look.drift is None and not look.alarm for look in few.looks)
