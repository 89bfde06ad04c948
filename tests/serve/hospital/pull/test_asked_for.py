"""A person asks for one study or patient; what is fetched: `test_dimse.py` and `test_web.py`."""

from __future__ import annotations

import pytest

from hemocast.errors import ConfigError, UsageError
from hemocast.serve.hospital.pull.asked_for import pull_now
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.service import Office


@pytest.mark.parametrize("key", ["*", "P?", "A\\B"])
def test_a_wildcard_is_no_patient_and_no_accession_number(office: Office, key: str) -> None:
    query = Query(name="q", web="http://127.0.0.1:1")
    for more in ({"accession": key}, {"patients": ["P1", key]}):
        with pytest.raises(UsageError, match="wildcard"):
            pull_now(office, query, **more)


def test_a_peer_that_the_settings_do_not_know_is_refused(office: Office) -> None:
    with pytest.raises(ConfigError, match="no peer"):
        pull_now(office, Query(name="q", peer="nobody"))
