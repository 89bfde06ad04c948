"""Retention: images go when their time is over, not when somebody sets a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import UsageError
from hemocast.serve.hospital.retention import Retention, retire
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.jobs import State

DAY = 86400.0


@pytest.fixture
def done(
    office: Office,
    take: Callable[..., object],
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
) -> Path:
    """Give the folder of a study that is done."""
    take(small_study(tmp_path / "s", "P1"))
    job = office.jobs.move(office.jobs.get(1), State.REFUSED)
    return office.root.study(job.name)


class Clock:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def test_images_are_deleted_when_their_time_is_over(office: Office, done: Path) -> None:
    clock, steady = Clock(time.time()), Clock(0.0)
    retention = Retention(office.database, office.root, 30, clock=clock, steady=steady)
    for days, left in ((29, 3), (2, 0)):
        clock.seconds += days * DAY
        steady.seconds += days * DAY
        assert not retention.look()
        assert len(list(done.iterdir())) == left
    assert not office.jobs.get(1).pixels


def test_a_clock_that_is_set_deletes_nothing(office: Office, done: Path) -> None:
    clock = Clock(time.time())
    retention = Retention(office.database, office.root, 30, clock=clock, steady=Clock(0.0))
    clock.seconds += 400 * DAY
    retention.look()
    assert len(list(done.iterdir())) == 3


def test_without_a_rule_all_stay_and_what_is_under_way_stays(
    office: Office, done: Path, take: Callable[..., object], small_study: object, tmp_path: Path
) -> None:
    Retention(office.database, office.root, None, clock=Clock(1e12), steady=Clock(0.0)).look()
    assert len(list(done.iterdir())) == 3
    take(small_study(tmp_path / "s", "P2"))
    with pytest.raises(UsageError, match="under way"):
        retire(office.database, office.root, office.jobs.get(2), "x")
