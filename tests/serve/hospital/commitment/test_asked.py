"""A peer is asked to keep what it took, and says so; Orthanc does so over a new association."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

from pydicom import Dataset
from pynetdicom import AE, evt
from sqlalchemy import text

from hemocast.serve.hospital.commitment.asked import Asked
from hemocast.serve.hospital.commitment.references import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    Reference,
    Report,
    read_request,
    report_of,
)
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import NodeConfig, Peer
from hemocast.serve.hospital.store.commitments import Commitments
from hemocast.serve.hospital.store.deliveries import Deliveries, add_deliveries
from hemocast.serve.hospital.store.jobs import State

Serve = Callable[..., AbstractContextManager[object]]


def test_orthanc_commits_to_what_it_was_sent(
    serve: Serve, pacs: object, small_study: Callable[..., list[Path]], tmp_path: Path, take: object
) -> None:
    take(small_study(tmp_path / "s", "P1", 1))
    peer = pacs.as_peer(results=True, commitment=True)
    with serve(jobs={"settle_s": 3600}, delivery={"peers": [peer]}) as service:
        office = service.office
        pacs.know(service.port)
        Deliveries(office.database).switch(True, "A. Person")
        job = office.jobs.get(1)
        folder = office.root.result(job.name, 1)
        folder.mkdir(parents=True)
        files = [path.name for path in small_study(folder, "P1", 2)]
        also = partial(add_deliveries, job=job, peers=["pacs"], files=files)
        assert office.jobs.move(job, State.PREDICTED, also=[also])
        service.wait(lambda jobs: jobs[0].state is State.DELIVERED)
        found = Deliveries(office.database).all(1)
        assert [(one.state, one.answer) for one in found] == [("sent", "committed")] * 2
    assert len(pacs.ask("/instances")) == 2


def test_a_report_that_is_broken_or_that_nobody_waits_for_changes_nothing(office: Office) -> None:
    asked = Asked(Commitments(office.database), 10, lambda: 0.0)

    class Broken:
        @property
        def event_information(self) -> Dataset:
            raise KeyError

    assert asked.heard(Broken()) == (0x0110, None)
    assert asked.heard(SimpleNamespace(event_information=Dataset())) == (0, None)
    assert asked.answers() == []


def test_a_database_that_is_away_has_the_peer_tell_it_again(office: Office) -> None:
    asked = Asked(Commitments(office.database), 10)
    with office.database.writing() as connection:
        connection.execute(text("DROP TABLE hospital_commitments"))
    assert asked.heard(SimpleNamespace(event_information=Dataset())) == (0x0110, None)


def test_a_peer_may_report_over_the_same_association(
    office: Office, take: object, small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    take(small_study(tmp_path / "s", "P1", 1))
    also = partial(add_deliveries, job=office.jobs.get(1), peers=["pacs"], files=["f"])
    office.jobs.move(office.jobs.get(1), State.PREDICTED, also=[also])
    delivery = Deliveries(office.database).all()[0]
    asked, reference = Asked(Commitments(office.database), 10), Reference("1.2", "1.2.1")
    entity = AE("PACS")
    entity.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    waiting: list[tuple[int, Dataset]] = []

    def take(event: evt.Event) -> tuple[int, None]:
        transaction, wanted = read_request(event.action_information)
        waiting.append(report_of(Report(transaction, frozenset(wanted), {})))
        return 0, None

    def tell(event: evt.Event) -> None:
        for kind, information in [waiting.pop()] if waiting else ():
            tell_it = partial(event.assoc.send_n_event_report, information, kind)
            Thread(target=tell_it, args=(COMMITMENT, COMMITMENT_INSTANCE), daemon=True).start()

    handlers = [(evt.EVT_N_ACTION, take), (evt.EVT_DIMSE_SENT, tell)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    port = server.server_address[1]
    peer = Peer(name="pacs", ae_title="PACS", host="127.0.0.1", port=port)
    try:
        with Caller(NodeConfig(), 10).asking(peer, asked.heard) as ask:
            asked.add("1.9", delivery, reference)
            assert ask("1.9", reference) == ""
            asked.await_reports({"1.9"}, 10)
    finally:
        server.shutdown()
    found = [(one.delivery, one.kept, one.answer) for one in asked.answers()]
    assert found == [(delivery, True, "committed")]
