"""The courier: sent until each peer has said that it has it, and no longer than allowed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.commitment.asked import Asked
from hemocast.serve.hospital.commitment.references import Reference, Report, report_of
from hemocast.serve.hospital.courier import Courier
from hemocast.serve.hospital.peers import Sent
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import HospitalConfig, Peer
from hemocast.serve.hospital.store.commitments import Commitments
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
    requests: list[tuple[str, Reference]] = field(default_factory=list)
    keeps: bool | None = None
    refusal: str = ""

    def store(self, _peer: Peer, files: Sequence[Path]) -> Iterator[Sent]:
        for file in files:
            answer = self.answers.pop(0) if self.answers else True
            if isinstance(answer, Exception):
                raise answer
            self.got.append(file.name)
            self.during()
            yield Sent(file, answer, "status 0000" if answer else "status A700")

    @contextmanager
    def asking(
        self, _peer: Peer, heard: Callable[[object], object]
    ) -> Iterator[Callable[[str, Reference], str]]:
        def ask(transaction: str, reference: Reference) -> str:
            self.requests.append((transaction, reference))
            if self.keeps is not None:
                heard(report(transaction, reference, self.keeps))
            return self.refusal

        yield ask


def report(transaction: str, reference: Reference, kept: bool) -> SimpleNamespace:
    """What a peer reports of commitment, as pynetdicom hands it over."""
    told = frozenset({reference}) if kept else frozenset()
    lacking = {} if kept else {reference: 0x0112}
    return SimpleNamespace(event_information=report_of(Report(transaction, told, lacking))[1])


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
def asked(office: Office, clock: Clock) -> Asked:
    return Asked(Commitments(office.database), 100, clock)


@pytest.fixture
def make_courier(
    office: Office,
    deliveries: Deliveries,
    pacs: FakePacs,
    asked: Asked,
    clock: Clock,
    settings: Callable[..., HospitalConfig],
) -> Callable[..., Courier]:
    def _make(asked: Asked = asked, **more: object) -> Courier:
        peers = [{"name": "pacs", "ae_title": "P", "host": "h", "results": True, **more}]
        given = settings(jobs={"attempts": 3, "backoff_s": 10}, delivery={"peers": peers})
        return Courier(office.jobs, deliveries, office.root, given, pacs, asked, clock=clock)

    return _make


@pytest.fixture
def courier(make_courier: Callable[..., Courier]) -> Courier:
    return make_courier()


@pytest.fixture
def committing(
    make_courier: Callable[..., Courier],
    monkeypatch: pytest.MonkeyPatch,
    office: Office,
    small_study: Callable[..., list[Path]],
    tmp_path: Path,
) -> Courier:
    """A courier whose peer is asked to commit, and the files that it sends."""
    monkeypatch.setattr("hemocast.serve.hospital.courier._LINGER_S", 0)
    folder = office.root.result(office.jobs.get(1).name, 1)
    for file, image in zip(FILES, small_study(tmp_path / "o", "P1", 2), strict=True):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, folder / file)
    return make_courier(commitment=True)


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


def states(deliveries: Deliveries) -> list[tuple[str, str, int]]:
    return [(one.state, one.answer, one.attempts) for one in deliveries.all(1)]


def test_where_commitment_is_asked_for_that_alone_counts(
    committing: Courier, office: Office, pacs: FakePacs, deliveries: Deliveries, asked: Asked
) -> None:
    assert committing.work()
    assert not committing.work()  # it waits, and sends nothing again
    assert pacs.got == ["capture.dcm", "report.dcm"]
    assert states(deliveries) == [("waiting", "", 0)] * 2
    asked.heard(report("1.2.3", pacs.requests[0][1], True))  # nobody asked for that
    asked.heard(report(*pacs.requests[0], True))
    committing.work()
    assert states(deliveries)[0] == ("sent", "committed", 0)
    assert office.jobs.get(1).state is State.PREDICTED
    asked.heard(report(*pacs.requests[1], True))
    committing.work()
    assert office.jobs.get(1).state is State.DELIVERED
    details = [event.detail for event in events(office.database, 1, "sent")]
    assert details == [f"pacs {name}: committed" for name in FILES]


def test_what_is_not_committed_is_sent_and_asked_for_again(
    committing: Courier, office: Office, pacs: FakePacs, deliveries: Deliveries, clock: Clock
) -> None:
    committing.work()
    clock.seconds += 100  # no report
    committing.work()
    assert states(deliveries) == [("waiting", "no commitment came", 1)] * 2
    pacs.keeps = False  # over the same association, at once
    clock.seconds += 10
    committing.work()
    committing.work()
    assert states(deliveries) == [("waiting", "not committed (0112)", 2)] * 2
    pacs.keeps, pacs.refusal = None, "commitment: status 0110"
    clock.seconds += 20
    committing.work()
    committing.work()
    assert states(deliveries) == [("failed", "commitment: status 0110", 3)] * 2
    deliveries.resend([1], "A")
    pacs.keeps, pacs.refusal = True, ""
    committing.work()
    committing.work()
    assert office.jobs.get(1).state is State.DELIVERED
    assert len({transaction for transaction, _ in pacs.requests}) == 8


def test_what_was_stored_before_delivery_went_off_is_known_as_sent(
    committing: Courier, pacs: FakePacs, deliveries: Deliveries, asked: Asked
) -> None:
    committing.work()
    deliveries.switch(False, "B. Person")
    for request in pacs.requests:
        asked.heard(report(*request, True))
    assert not committing.work()
    assert [state for state, *_ in states(deliveries)] == ["sent", "sent"]


@pytest.fixture
def restart(
    make_courier: Callable[..., Courier], office: Office, clock: Clock
) -> Callable[[], tuple[Courier, Asked]]:
    def _restart() -> tuple[Courier, Asked]:
        clock.seconds = 7.0  # its own clock begins anew
        anew = Asked(Commitments(office.database), 100, clock)
        return make_courier(anew, commitment=True), anew

    return _restart


def test_a_restart_sends_nothing_again_that_peers_were_asked_to_keep(
    committing: Courier,
    restart: Callable[[], tuple[Courier, Asked]],
    office: Office,
    pacs: FakePacs,
    deliveries: Deliveries,
    clock: Clock,
) -> None:
    clock.seconds = 5000.0
    committing.work()
    courier, anew = restart()
    assert not courier.work()
    clock.seconds += 99
    assert not courier.work()
    anew.heard(report(*pacs.requests[0], True))
    clock.seconds += 1  # for the other object the time is up, since the restart
    courier.work()
    assert states(deliveries) == [("sent", "committed", 0), ("waiting", "no commitment came", 1)]
    assert pacs.got == ["capture.dcm", "report.dcm"]
    clock.seconds += 10
    courier.work()
    assert pacs.got == ["capture.dcm", "report.dcm", "report.dcm"]


def test_a_report_that_was_heard_before_a_kill_counts_after_it_and_once(
    committing: Courier,
    restart: Callable[[], tuple[Courier, Asked]],
    office: Office,
    pacs: FakePacs,
    deliveries: Deliveries,
    asked: Asked,
) -> None:
    committing.work()
    for request in pacs.requests:
        asked.heard(report(*request, True))
    courier, anew = restart()
    answers = anew.answers()
    courier.work()
    assert office.jobs.get(1).state is State.DELIVERED
    assert anew.open() == set()
    for one in answers:  # another service looked at the same moment
        deliveries.mark(one.delivery, "sent", one.answer, request=one.request)
    assert len(events(office.database, 1, "sent")) == 2
