"""Retention: images go when their time is over, not when somebody sets a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import UsageError
from hemocast.serve.hospital import retention
from hemocast.serve.hospital.retention import Retention, retire
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals, Outcome
from hemocast.serve.hospital.store.database import now
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.search import forget_images

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
    rule = Retention(office.database, office.root, 30, clock=clock, steady=steady)
    for days, left in ((29, 3), (2, 0)):
        clock.seconds += days * DAY
        steady.seconds += days * DAY
        assert not rule.look()
        assert len(list(done.iterdir())) == left
    assert not office.jobs.get(1).pixels


def test_a_clock_that_is_set_deletes_nothing(office: Office, done: Path) -> None:
    clock = Clock(time.time())
    rule = Retention(office.database, office.root, 30, clock=clock, steady=Clock(0.0))
    clock.seconds += 400 * DAY
    rule.look()
    assert len(list(done.iterdir())) == 3


def test_without_a_rule_all_stay_and_what_is_under_way_stays(
    office: Office, done: Path, take: Callable[..., object], small_study: object, tmp_path: Path
) -> None:
    Retention(office.database, office.root, None, clock=Clock(1e12), steady=Clock(0.0)).look()
    assert len(list(done.iterdir())) == 3
    take(small_study(tmp_path / "s", "P2"))
    with pytest.raises(UsageError, match="under way"):
        retire(office.database, office.root, office.jobs.get(2), "x")


def test_an_image_that_comes_while_the_others_go_stays(
    office: Office,
    done: Path,
    take: Callable[..., list[str]],
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = small_study(tmp_path / "s", "P1")

    def forget(*given: object, **more: object) -> bool:
        forgotten = forget_images(*given, **more)
        assert take(again[:2]) == ["stored", "stored"]
        return forgotten

    monkeypatch.setattr(retention, "forget_images", forget)
    assert retire(office.database, office.root, office.jobs.get(1), "x")
    job = office.jobs.get(1)
    assert (job.state, job.revision, job.images, job.pixels) == (State.RECEIVED, 2, 2, True)
    assert {path.name for path in done.iterdir()} == set(office.jobs.files(1))


def test_an_image_deleted_before_it_was_known_is_there_once_it_is(
    office: Office,
    done: Path,
    take: Callable[..., list[str]],
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, add = office.jobs.get(1), Arrivals.add

    def late(arrivals: Arrivals, arrival: Arrival) -> Outcome:
        assert retire(office.database, office.root, job, "x")
        assert list(done.iterdir()) == []
        return add(arrivals, arrival)

    monkeypatch.setattr(Arrivals, "add", late)
    assert take(small_study(tmp_path / "s", "P1")[:1]) == ["stored"]
    assert {path.name for path in done.iterdir()} == set(office.jobs.files(1))
    assert len(office.jobs.files(1)) == 1


def test_a_study_that_is_sent_again_keeps_its_images(
    office: Office,
    done: Path,
    take: Callable[..., list[str]],
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
) -> None:
    job, before = office.jobs.get(1), now()
    until = time.monotonic() + 1
    while now() <= before and time.monotonic() < until:
        pass
    assert take(small_study(tmp_path / "s", "P1")[:1]) == ["known"]
    assert not retire(office.database, office.root, job, "x", before=before)
    assert len(list(done.iterdir())) == 3


def test_what_a_killed_service_did_not_delete_goes_at_the_next_start(
    office: Office, done: Path
) -> None:
    assert forget_images(office.database, office.jobs.get(1), "x")
    assert len(list(done.iterdir())) == 3
    Retention(office.database, office.root, None).look()
    assert list(done.iterdir()) == []
