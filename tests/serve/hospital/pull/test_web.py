"""Orthanc's DICOMweb is asked, and gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.people.audit import Audit, Person
from hemocast.serve.hospital.pull.asked_for import pull_now
from hemocast.serve.hospital.pull.puller import Pulled
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.service import Office

BOSS = Person("cli:boss")
Study = Callable[..., list[Path]]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def test_a_study_is_fetched_once(
    office: Office, pacs: object, small_study: Study, tmp_path: Path
) -> None:
    pacs.take(*small_study(tmp_path / "s", "W1", 2), *small_study(tmp_path / "s", "W2", 1))
    query = Query(name="web", web=f"{pacs.address}/dicom-web", hours=None)
    assert pull_now(office, query, BOSS, accession="AW1") == Pulled(1, 1, 0)
    job = office.jobs.get(1)
    assert (job.images, job.expected) == (2, 2)
    assert pull_now(office, query, BOSS, patients=["W2"]) == Pulled(1, 1, 0)
    assert pull_now(office, query, BOSS, patients=["W1", "W2", "W3"]) == Pulled(2, 0, 0)
    assert list(office.root.incoming.iterdir()) == []
    told = [one.act.detail for one in Audit(office.database, office.root.key).entries()]
    assert told[1:] == [
        "web of 127.0.0.1, 1 patient(s): 1 there, 1 fetched, 0 failed",
        "web of 127.0.0.1, one accession number: 1 there, 1 fetched, 0 failed",
    ]


def test_a_server_that_is_none_is_refused(office: Office, pacs: object) -> None:
    for address in ("http://127.0.0.1:1/dicom-web", f"{pacs.address}/nonsuch"):
        with pytest.raises(PeerRefused):
            pull_now(office, Query(name="web", web=address), BOSS)
