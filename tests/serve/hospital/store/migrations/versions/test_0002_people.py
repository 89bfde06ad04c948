"""The tables of people: what the databases refuse by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import text

pytest.importorskip("argon2", reason="the extra 'serve' is not installed")
from hemocast.errors import StoreError
from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Audit, Person
from hemocast.serve.hospital.people.outcomes import Outcome, Outcomes
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals
from hemocast.serve.hospital.store.database import Database

BOSS = Person("cli:boss")


def test_what_was_written_stays(database: Database, make_arrival: Callable[..., Arrival]) -> None:
    Arrivals(database).add(make_arrival())
    audit = Audit(database, b"key")
    Accounts(database, audit).add("ann", Role.READER, "correct horse battery", BOSS)
    Outcomes(database, audit).add({1: Outcome(True, "PH1", date(2026, 1, 31))}, BOSS)
    for change in (
        "UPDATE hospital_audit SET who = 'bob'",
        "DELETE FROM hospital_audit",
        "UPDATE hospital_outcomes SET blood = 0",
        "DELETE FROM hospital_outcomes",
        "UPDATE hospital_accounts SET role = 'root'",
        "UPDATE hospital_accounts SET enabled = 7",
    ):
        with pytest.raises(StoreError), database.writing() as connection:
            connection.execute(text(change))
    assert audit.check() is None
    assert len(audit.entries()) == 2
