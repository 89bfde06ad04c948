"""Peers tell how many images a study has: waited for, but never for ever, and lost never."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.pull.counting import Counter, Counting
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import JobsConfig, Peer
from hemocast.serve.hospital.settle import Settler
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.holdings import Holdings
from hemocast.serve.hospital.store.jobs import State

Study = Callable[..., list[Path]]


@dataclass
class FakePacs:
    """Tells what it is told to."""

    series: dict[str, int] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def count(self, study: str) -> Mapping[str, int]:
        self.asked.append(study)
        if self.away:
            raise PeerRefused("It is away", "it", "Wait")
        return self.series


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counter(office: Office, clock: Clock) -> Callable[..., Counter]:
    def _counter(*pacs: FakePacs, counts: str = "study") -> Counter:
        peer = Peer(name="pacs", ae_title="P", host="h", counts=counts)
        peers = [Counting(peer, one) for one in pacs]
        return Counter(office.jobs, Holdings(office.database), peers, 2, clock)

    return _counter


@pytest.mark.parametrize(("counts", "expected"), [("study", 9), ("series", 3)])
def test_the_number_is_of_the_study_or_of_the_series_that_are_here(
    office: Office,
    take: Callable[..., object],
    small_study: Study,
    tmp_path: Path,
    clock: Clock,
    counter: Callable[..., Counter],
    counts: str,
    expected: int,
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    take(images)
    here = dcmread(images[0])
    pacs = FakePacs({str(here.SeriesInstanceUID): 3, "1.2": 6})
    counting = counter(FakePacs(away=True), FakePacs(), pacs, counts=counts)
    counting.look()
    assert pacs.asked == [], "images are still coming"
    clock.seconds += 2
    counting.look()
    counting.look()
    assert pacs.asked == [str(here.StudyInstanceUID)]
    assert office.jobs.get(1).expected == expected


def test_it_is_asked_again_while_images_lack_and_when_more_come(
    office: Office,
    take: Callable[..., object],
    small_study: Study,
    tmp_path: Path,
    clock: Clock,
    counter: Callable[..., Counter],
) -> None:
    images = small_study(tmp_path / "s", "P1", 3)
    pacs = FakePacs({"1.2": 2})
    counting = counter(pacs)
    settler = Settler(office.jobs, JobsConfig(settle_s=60, told_s=2, lacking_s=90), clock)
    take(images[:1])
    for wait, asked, expected in ((0, 0, None), (2, 1, 2), (19, 1, 2), (1, 2, 3), (20, 3, 3)):
        clock.seconds += wait
        pacs.series = {"1.2": 2 if wait == 2 else 3}
        counting.look()
        assert (len(pacs.asked), office.jobs.get(1).expected) == (asked, expected)
        assert settler.look() == 0
    take(images[1:])
    counting.look()
    settler.look()
    clock.seconds += 2
    counting.look()
    assert len(pacs.asked) == 4
    assert settler.look() == 1, "all are here"


def test_nobody_who_answers_loses_or_holds_up_no_study(
    office: Office,
    take: Callable[..., object],
    small_study: Study,
    tmp_path: Path,
    clock: Clock,
    counter: Callable[..., Counter],
    caplog: pytest.LogCaptureFixture,
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    take(images)
    counting = counter(FakePacs(away=True), FakePacs())
    settler = Settler(office.jobs, JobsConfig(settle_s=60, told_s=2, lacking_s=90), clock)
    for wait in (0, 2, 57):
        clock.seconds += wait
        counting.look()
        assert settler.look() == 0
    clock.seconds += 1
    assert settler.look() == 1
    uid = str(dcmread(images[0]).StudyInstanceUID)
    assert "not counted" in caplog.text
    assert uid not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("counts", ["study", "series"])
def test_orthanc_tells_when_all_are_here(
    serve: Callable[..., AbstractContextManager[object]],
    pacs: object,
    small_study: Study,
    tmp_path: Path,
    counts: str,
) -> None:
    images = small_study(tmp_path / "s", f"C{counts}", 3)
    pacs.take(*images)
    jobs = {"settle_s": 3600, "told_s": 0.2, "lacking_s": 3600}
    with serve(delivery={"peers": [pacs.as_peer(counts=counts)]}, jobs=jobs) as service:
        pacs.know(service.port)
        inbox = Inbox(service.office.root, Arrivals(service.office.database))

        def send(*some: Path) -> None:
            for one in some:
                copy = service.office.root.incoming / one.name
                shutil.copy(one, copy)
                inbox.take(copy, "CT1")

        send(*images[:2])
        service.wait(lambda found: [one.expected for one in found] == [3])
        assert service.office.jobs.get(1).state is State.RECEIVED
        send(images[2])
        assert service.wait_done(1)[0].images == 3
