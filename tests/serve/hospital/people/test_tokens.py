"""Tokens: each opens what it was made for, as long as its account may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hemocast.errors import UsageError
from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.people.roles import Role, Scope
from hemocast.serve.hospital.people.tokens import Tokens
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.people import TOKENS

from .conftest import BOSS, PASSWORD

NOW = 1_800_000_000


@pytest.fixture
def tokens(database: Database, accounts: Accounts, audit: Audit) -> Tokens:
    for name, role in (("ann", Role.READER), ("eve", Role.ENGINEER)):
        accounts.add(name, role, PASSWORD, BOSS)
    return Tokens(database, audit, lambda: NOW)


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        (Scope.RESULTS, {Scope.RESULTS}),
        (Scope.STUDIES, {Scope.STUDIES, Scope.RESULTS}),
        (Scope.METRICS, {Scope.METRICS}),
    ],
)
def test_a_token_opens_its_scope_alone(
    tokens: Tokens, accounts: Accounts, scope: Scope, opens: set[Scope]
) -> None:
    token = tokens.add(accounts.get("eve"), scope, "PACS", 1, BOSS)
    assert {one for one in Scope if tokens.find(token, one)} == opens


def test_a_token_opens_no_more_than_its_account(tokens: Tokens, accounts: Accounts) -> None:
    for scope in (Scope.STUDIES, Scope.METRICS):
        with pytest.raises(UsageError, match="role"):
            tokens.add(accounts.get("ann"), scope, "x", 1, BOSS)
    token = tokens.add(accounts.get("eve"), Scope.STUDIES, "x", 1, BOSS)
    accounts.change_role("eve", Role.READER, BOSS)
    assert tokens.find(token, Scope.STUDIES) is None
    assert tokens.find(token, Scope.RESULTS) is not None
    accounts.enable("eve", BOSS, on=False)
    assert tokens.find(token, Scope.RESULTS) is None


def test_a_token_ends_by_its_time_or_when_revoked(
    tokens: Tokens, accounts: Accounts, audit: Audit, database: Database
) -> None:
    token = tokens.add(accounts.get("ann"), Scope.RESULTS, "PACS", 1, BOSS)
    later = Tokens(database, audit, lambda: NOW + 86_400)
    assert later.find(token, Scope.RESULTS) is None
    assert tokens.find(token, Scope.RESULTS) is not None
    tokens.revoke(tokens.all()[0].number, BOSS)
    assert tokens.find(token, Scope.RESULTS) is None
    assert tokens.all() == []
    with pytest.raises(UsageError):
        tokens.revoke(1, BOSS)
    assert [one.act.kind for one in audit.entries(most=2)] == [Kind.TOKEN] * 2


def test_the_store_has_a_hash_alone(tokens: Tokens, accounts: Accounts, database: Database) -> None:
    token = tokens.add(accounts.get("ann"), Scope.RESULTS, "PACS", 1, BOSS)
    with database.reading() as connection:
        kept = connection.execute(select(TOKENS.c.digest)).scalar_one()
    assert token.removeprefix("hemocast_") not in kept
    assert tokens.find(kept, Scope.RESULTS) is None
