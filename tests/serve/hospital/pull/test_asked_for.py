"""A person asks for one study or patient; what is fetched: `test_dimse.py` and `test_web.py`."""

from __future__ import annotations

import pytest

from hemocast.errors import ConfigError, PeerRefused, UsageError
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.pull.asked_for import pull_now
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.service import Office

BOSS = Person("cli:boss")


@pytest.mark.parametrize("key", ["*", "P?", "A\\B"])
def test_a_wildcard_is_no_patient_and_no_accession_number(office: Office, key: str) -> None:
    query = Query(name="q", web="http://127.0.0.1:1")
    for more in ({"accession": key}, {"patients": ["P1", key]}):
        with pytest.raises(UsageError, match="wildcard"):
            pull_now(office, query, BOSS, **more)


def test_a_peer_that_the_settings_do_not_know_is_refused(office: Office) -> None:
    with pytest.raises(ConfigError, match="no peer"):
        pull_now(office, Query(name="q", peer="nobody"), BOSS)


def test_the_audit_log_tells_who_asked_whom_in_vain_and_names_no_patient(office: Office) -> None:
    query = Query(name="heads", web="http://127.0.0.1:1/SECRET")
    for more in ({}, {"accession": "ACC-7"}, {"patients": ["MRN-1", "MRN-2"]}):
        with pytest.raises(PeerRefused):
            pull_now(office, query, BOSS, **more)
    found = [entry.act for entry in Audit(office.database, office.root.key).entries()][::-1]
    asked = "heads of 127.0.0.1"
    said = [asked, f"{asked}, one accession number", f"{asked}, 2 patient(s)"]
    assert found == [Act(Kind.PULL, BOSS, detail=f"{one}: HC010", success=False) for one in said]
