"""The settle timer: no image for some time, by a clock that nobody sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import JobsConfig
from hemocast.serve.hospital.settle import Settler
from hemocast.serve.hospital.store import database
from hemocast.serve.hospital.store.holdings import Holdings
from hemocast.serve.hospital.store.jobs import State

WAITS = JobsConfig(settle_s=60, told_s=2, lacking_s=90)
Take = Callable[[list[Path]], list[str]]


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_study_settles_when_no_image_has_come_for_some_time(
    office: Office, take: Take, small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    clock = Clock()
    settler = Settler(office.jobs, WAITS, clock)
    images = small_study(tmp_path / "s", "P1")
    take(images[:1])
    assert settler.look() == 0
    clock.seconds += 59
    take(images[1:])
    assert settler.look() == 0
    clock.seconds += 59
    take(images)  # repeated: nothing new
    assert settler.look() == 0
    clock.seconds += 1
    assert settler.look() == 1
    assert [job.state for job in office.jobs.all()] == [State.SETTLED]


def test_a_restart_waits_again_and_a_clock_that_is_set_changes_nothing(
    office: Office,
    take: Take,
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    take(small_study(tmp_path / "s", "P1"))
    Settler(office.jobs, WAITS, clock).look()
    clock.seconds = 5.0  # the machine was started anew
    settler = Settler(office.jobs, WAITS, clock)
    for at in ("1970-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"):
        monkeypatch.setattr(database, "now", lambda at=at: at)
        assert settler.look() == 0
    clock.seconds += 60
    assert settler.look() == 1


def test_a_study_of_which_the_number_is_known_settles_soon_after_its_last_image(
    office: Office, take: Take, small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    clock = Clock()
    settler = Settler(office.jobs, WAITS, clock)
    images = small_study(tmp_path / "s", "P1", 4)
    take(images[:2])
    Holdings(office.database).expect(str(dcmread(images[0]).StudyInstanceUID), 3)
    settler.look()
    clock.seconds += 89  # one lacks
    assert settler.look() == 0
    take(images[2:3])
    assert settler.look() == 0
    clock.seconds += 2
    assert settler.look() == 1
    # One more than were told of: the number was not the whole, and tells nothing any more.
    take(images[3:])
    settler.look()
    clock.seconds += 59
    assert settler.look() == 0


def test_a_study_that_never_becomes_whole_is_taken_as_it_is(
    office: Office,
    take: Take,
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    settler = Settler(office.jobs, WAITS, clock)
    images = small_study(tmp_path / "s", "P1", 2)
    take(images)
    Holdings(office.database).expect(str(dcmread(images[0]).StudyInstanceUID), 3)
    settler.look()
    clock.seconds += 90
    assert settler.look() == 1
    assert "2 of 3 images" in caplog.text
