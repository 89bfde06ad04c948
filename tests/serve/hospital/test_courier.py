"""The courier: sent until each peer has said that it has it, and no longer than allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.courier import Courier
from hemocast.serve.hospital.peers import Sent
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import HospitalConfig, Peer
from hemocast.serve.hospital.store.deliveries import Deliveries, add_deliveries
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import State

FILES = ["scan-1/dicom/capture.dcm", "scan-1/dicom/report.dcm"]


@dataclass
class FakePacs:
    """Answers what it is told to."""

    answers: list[bool | Exception] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    during: Callable[[], object] = int

    def store(self, _peer: Peer, files: Sequence[Path]) -> Iterator[Sent]:
        for file in files:
            answer = self.answers.pop(0) if self.answers else True
            if isinstance(answer, Exception):
                raise answer
            self.got.append(file.name)
            self.during()
            yield Sent(file, answer, "status 0000" if answer else "status A700")


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def pacs() -> FakePacs:
    return FakePacs()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliveries(office: Office, take: object, small_study: object, tmp_path: Path) -> Deliveries:
    take(small_study(tmp_path / "s", "P1"))
    found = Deliveries(office.database)
    found.switch(True, "A. Person")
    job = office.jobs.get(1)
    also = partial(add_deliveries, job=job, peers=["pacs"], files=FILES)
    office.jobs.move(job, State.PREDICTED, also=[also])
    return found


@pytest.fixture
def courier(
    office: Office,
    deliveries: Deliveries,
    pacs: FakePacs,
    clock: Clock,
    settings: Callable[..., HospitalConfig],
) -> Courier:
    peers = [{"name": "pacs", "ae_title": "P", "host": "h", "results": True}]
    given = settings(jobs={"attempts": 3, "backoff_s": 10}, delivery={"peers": peers})
    return Courier(office.jobs, deliveries, office.root, given, pacs, clock=clock)


def test_what_every_peer_has_is_delivered(
    courier: Courier, office: Office, pacs: FakePacs, deliveries: Deliveries
) -> None:
    assert courier.work()
    assert not courier.work()
    assert pacs.got == ["capture.dcm", "report.dcm"]
    assert office.jobs.get(1).state is State.DELIVERED
    details = [event.detail for event in events(office.database, 1, "sent")]
    assert details == [f"pacs {name}: status 0000" for name in FILES]


def test_what_is_refused_is_sent_again_later_and_at_last_waits_for_a_person(
    courier: Courier, office: Office, pacs: FakePacs, deliveries: Deliveries, clock: Clock
) -> None:
    pacs.answers = [True, False, PeerRefused("It is away", "it", "Wait"), False]
    courier.work()
    assert [one.state for one in deliveries.all(1)] == ["sent", "waiting"]
    for wait in (10, 20):
        assert not courier.work()
        clock.seconds += wait
        courier.work()
    assert [(one.state, one.attempts) for one in deliveries.all(1)] == [("sent", 0), ("failed", 3)]
    assert office.jobs.get(1).state is State.PREDICTED
    assert deliveries.resend([1], "A") == 2
    courier.work()
    assert office.jobs.get(1).state is State.DELIVERED


def test_nothing_goes_once_delivery_is_off(
    courier: Courier, office: Office, pacs: FakePacs, deliveries: Deliveries
) -> None:
    pacs.during = lambda: deliveries.switch(False, "B. Person")
    courier.work()
    assert pacs.got == ["capture.dcm"]
    assert [one.state for one in deliveries.all(1)] == ["sent", "withheld"]
    assert not courier.work()
    assert office.jobs.get(1).state is State.PREDICTED
