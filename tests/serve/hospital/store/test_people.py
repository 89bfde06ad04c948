"""The tables of people: what they leave out."""

from __future__ import annotations

from hemocast.serve.hospital.store.people import ACCOUNTS, AUDIT, OUTCOMES, SESSIONS, TOKENS


def test_no_table_of_people_names_a_patient_or_keeps_a_secret() -> None:
    columns = {
        column.name for table in (ACCOUNTS, AUDIT, OUTCOMES, SESSIONS, TOKENS) for column in table.c
    }
    assert not columns & {"patient_id", "patient_name", "accession", "study_uid", "token"}
    assert "digest" in SESSIONS.c
    assert "digest" in TOKENS.c
