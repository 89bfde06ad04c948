"""Orthanc is asked, and gives: by C-MOVE to the node, by C-GET over the same association."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, evt

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.people.audit import Person
from hemocast.serve.hospital.pull.asked_for import pull_now
from hemocast.serve.hospital.pull.dimse import FIND, DimsePeer
from hemocast.serve.hospital.pull.puller import Pulled
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.settings import NodeConfig, Peer
from hemocast.serve.hospital.store.jobs import State

BOSS = Person("cli:boss")
Serve = Callable[..., AbstractContextManager[object]]
Study = Callable[..., list[Path]]


@pytest.mark.parametrize(
    ("by", "syntax"), [("move", "1.2.840.10008.1.2.1"), ("get", "1.2.840.10008.1.2.5")]
)
def test_what_is_fetched_is_a_study_like_any_other_and_complete_at_once(
    serve: Serve,
    pacs: object,
    small_study: Study,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    by: str,
    syntax: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    patient = f"{by}{syntax[-1]}"
    images = small_study(tmp_path / "s", patient, 3, transfer_syntax=syntax)
    pacs.take(*images, *small_study(tmp_path / "s", f"{patient}B", 1))
    query = Query(name="heads", peer="pacs", by=by, hours=None)
    jobs = {"settle_s": 3600, "told_s": 0}
    with serve(delivery={"peers": [pacs.as_peer()]}, jobs=jobs) as service:
        pacs.know(service.port)
        accession = f"A{patient}"
        assert pull_now(service.office, query, BOSS, accession=accession) == Pulled(1, 1, 0)
        job = service.wait_done(1)[0]
        assert (job.images, job.expected, job.state) == (3, 3, State.REFUSED)
        assert service.office.jobs.senders(1) == ["PACS"]
        folder = service.office.root.study(job.name)
        sent = {image.read_bytes()[-512:] for image in images}
        assert {file.read_bytes()[-512:] for file in folder.iterdir()} == sent
        uid = str(dcmread(images[0]).StudyInstanceUID)
        assert not any(word in caplog.text for word in (accession, uid))
        # All is here: nothing is fetched again.
        assert pull_now(service.office, query, BOSS, accession=accession) == Pulled(1, 0, 0)


def test_a_peer_that_is_away_refuses_or_cannot_send_is_told(
    serve: Serve, pacs: object, small_study: Study, tmp_path: Path
) -> None:
    pacs.take(*small_study(tmp_path / "s", "LOST", 1))
    peers = [pacs.as_peer(), {"name": "away", "ae_title": "A", "host": "127.0.0.1", "port": 1}]
    delivery = {"peers": peers, "timeout_s": 5}
    query = Query(name="q", peer="pacs", hours=None)
    with serve(delivery=delivery) as service:
        pacs.know(1)  # it sends where nobody listens
        assert pull_now(service.office, query, BOSS, accession="ALOST") == Pulled(1, 0, 1)
        with pytest.raises(PeerRefused, match="does not answer"):
            pull_now(service.office, Query(name="q", peer="away"), BOSS)
    with serve(node={"ae_title": "STRANGER"}, delivery=delivery) as service:
        with pytest.raises(PeerRefused, match="no status"):
            pull_now(service.office, query, BOSS)
        assert service.office.jobs.all() == []


def test_images_are_counted_one_by_one_where_the_peer_tells_no_number() -> None:
    entity = AE("PACS")
    entity.add_supported_context(FIND)

    def find(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        if asked.QueryRetrieveLevel == "SERIES":
            for uid, modality, number in (("1.1", "CT", 7), ("1.2", "CT", None), ("1.3", "MR", 9)):
                answer = Dataset()
                answer.SeriesInstanceUID, answer.Modality = uid, modality
                answer.NumberOfSeriesRelatedInstances = number
                yield 0xFF00, answer
            return
        assert (asked.QueryRetrieveLevel, asked.SeriesInstanceUID) == ("IMAGE", "1.2")
        for uid in ("1.2.1", "1.2.2", "1.2.2"):
            answer = Dataset()
            answer.SOPInstanceUID = uid
            yield 0xFF00, answer

    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find)]
    )
    peer = Peer(name="p", ae_title="PACS", host="127.0.0.1", port=server.server_address[1])
    try:
        asked = DimsePeer(peer, Caller(NodeConfig(), 10), "HEMOCAST", "move", None)
        assert asked.count("1") == {"1.1": 7, "1.2": 2}
    finally:
        server.shutdown()
