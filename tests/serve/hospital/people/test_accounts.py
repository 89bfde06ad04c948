"""Accounts: who may log in, and that nobody learns from the outside who may."""

from __future__ import annotations

import statistics
import time

import pytest
from sqlalchemy import select

from hemocast.errors import UsageError
from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.people.sessions import Sessions
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.people import ACCOUNTS

from .conftest import BOSS, PASSWORD


@pytest.fixture(autouse=True)
def cheap_passwords() -> None:
    """Leave passwords as dear as they are."""


def test_the_right_password_opens_and_nothing_else(accounts: Accounts) -> None:
    accounts.add("ann", Role.READER, PASSWORD, BOSS)
    found = accounts.check("ann", PASSWORD)
    assert found is not None
    assert (found.name, found.role) == ("ann", Role.READER)
    for name, password in (
        ("ann", PASSWORD + " "), ("ann", ""), ("Ann", PASSWORD), ("bob", PASSWORD), ("", ""),
        ("ann", "x" * 100_000), ("ann' OR '1'='1", PASSWORD),
    ):  # fmt: skip
        assert accounts.check(name, password) is None, name


def test_only_a_slow_salted_hash_is_kept(accounts: Accounts, database: Database) -> None:
    accounts.add("ann", Role.READER, PASSWORD, BOSS)
    accounts.add("bob", Role.READER, PASSWORD, BOSS)
    with database.reading() as connection:
        kept = connection.execute(select(ACCOUNTS.c.password)).scalars().all()
    assert all(one.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for one in kept)
    assert kept[0] != kept[1]


def test_an_unknown_name_takes_as_long_as_a_wrong_password(accounts: Accounts) -> None:
    """Within a factor of three: without the hash of nobody it is one of hundreds."""
    accounts.add("ann", Role.READER, PASSWORD, BOSS)

    def seconds(name: str) -> float:
        took = []
        for _ in range(3):
            began = time.perf_counter()
            accounts.check(name, "some wrong password")
            took.append(time.perf_counter() - began)
        return statistics.median(took)

    known, unknown = seconds("ann"), seconds("nobody")
    assert unknown > known / 3


def test_changes_end_sessions_and_are_in_the_audit_log(
    accounts: Accounts, audit: Audit, database: Database
) -> None:
    accounts.add("ann", Role.READER, PASSWORD, BOSS)
    sessions = Sessions(database, accounts, audit)
    changes = (
        lambda: accounts.change_role("ann", Role.ADMIN, BOSS),
        lambda: accounts.set_password("ann", PASSWORD, BOSS),
        lambda: accounts.enable("ann", BOSS, on=False),
    )
    for change in changes:
        session = sessions.log_in("ann", PASSWORD, "::1")
        assert session is not None
        assert sessions.find(session.token) is not None
        change()
        assert sessions.find(session.token) is None
    assert accounts.check("ann", PASSWORD) is None  # disabled
    accounts.enable("ann", BOSS, on=True)
    assert accounts.check("ann", PASSWORD) is not None
    told = [one.act for one in audit.entries() if one.act.by == BOSS]
    assert [(act.kind, act.detail) for act in reversed(told)] == [
        (Kind.ACCOUNT, "added ann as reader"),
        (Kind.ROLE, "ann is admin"),
        (Kind.ACCOUNT, "new password of ann"),
        (Kind.ACCOUNT, "disabled ann"),
        (Kind.ACCOUNT, "enabled ann"),
    ]


@pytest.mark.parametrize("name", ["", "Ann", "a b", "<b>", "-a", "a" * 41, "a\n", "å"])
def test_a_name_is_plain(accounts: Accounts, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        accounts.add(name, Role.READER, PASSWORD, BOSS)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1025])
def test_a_password_is_long_enough(accounts: Accounts, password: str) -> None:
    with pytest.raises(UsageError, match="password"):
        accounts.add("ann", Role.READER, password, BOSS)
    assert accounts.all() == []


def test_nobody_is_added_twice_or_changed_who_is_not_there(accounts: Accounts) -> None:
    accounts.add("ann", Role.READER, PASSWORD, BOSS)
    with pytest.raises(UsageError):
        accounts.add("ann", Role.ADMIN, PASSWORD, BOSS)
    with pytest.raises(UsageError):
        accounts.change_role("bob", Role.ADMIN, BOSS)
    assert [(one.name, one.role) for one in accounts.all()] == [("ann", Role.READER)]
