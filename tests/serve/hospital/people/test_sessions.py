"""Sessions: they end by themselves, and guessing is slow."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.people.sessions import Sessions, TooMany
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.people import SESSIONS

from .conftest import BOSS, PASSWORD


class Clock:
    """Unix time that the test moves."""

    now = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(database: Database, accounts: Accounts, audit: Audit, clock: Clock) -> Sessions:
    accounts.add("ann", Role.READER, PASSWORD, BOSS)
    return Sessions(database, accounts, audit, clock=clock)


def test_a_session_ends_when_idle_and_anyhow_after_its_time(
    sessions: Sessions, clock: Clock
) -> None:
    first = sessions.log_in("ann", PASSWORD, "::1")
    assert first is not None
    clock.now += 1799
    assert sessions.find(first.token) is not None
    clock.now += 1799
    assert sessions.find(first.token) is not None  # it was used meanwhile
    clock.now += 1801
    assert sessions.find(first.token) is None
    second = sessions.log_in("ann", PASSWORD, "::1")
    assert second is not None
    for _ in range(30):
        clock.now += 1500
        alive = sessions.find(second.token)
    assert alive is None, "12 hours after it began"


def test_a_session_ends_by_logging_out_and_its_token_is_not_in_the_store(
    sessions: Sessions, database: Database, audit: Audit
) -> None:
    session = sessions.log_in("ann", PASSWORD, "10.0.0.7")
    assert session is not None
    with database.reading() as connection:
        kept = connection.execute(select(SESSIONS.c.digest)).scalar_one()
    assert session.token not in kept
    assert session.csrf not in {kept, session.token}
    assert sessions.find(kept) is None
    sessions.log_out(session, "10.0.0.7")
    assert sessions.find(session.token) is None
    assert [one.act.kind for one in audit.entries(most=2)] == [Kind.LOG_OUT, Kind.LOG_IN]


def test_an_account_that_failed_ten_times_waits_even_with_its_password(
    sessions: Sessions, accounts: Accounts
) -> None:
    accounts.add("bob", Role.READER, PASSWORD, BOSS)
    for number in range(10):
        assert sessions.log_in("ann", "wrong", f"10.0.0.{number}") is None
    with pytest.raises(TooMany):
        sessions.log_in("ann", PASSWORD, "10.0.1.1")
    assert sessions.log_in("bob", PASSWORD, "10.0.1.1") is not None


def test_an_unknown_name_waits_in_the_same_way(sessions: Sessions) -> None:
    for _ in range(10):
        assert sessions.log_in("nobody", "wrong", "::1") is None
    with pytest.raises(TooMany):
        sessions.log_in("nobody", "wrong", "::1")


def test_a_failure_names_only_who_is_known(sessions: Sessions, audit: Audit) -> None:
    """A password typed into the field of the name must not stand in the log."""
    sessions.log_in(PASSWORD, "ann", "10.0.0.7")
    sessions.log_in("ann", "wrong", "10.0.0.7")
    acts = [one.act for one in audit.entries(most=2)]
    assert [(act.by.name, act.success) for act in acts] == [("ann", False), ("", False)]
