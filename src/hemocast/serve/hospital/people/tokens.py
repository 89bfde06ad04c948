"""Tokens of the REST API: for programs, made by an account, of which the store has only a hash."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from hemocast.errors import UsageError
from hemocast.serve.hospital.people.accounts import Account, account_of, unix_time
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.people.roles import Scope
from hemocast.serve.hospital.people.sessions import token_digest
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.people import ACCOUNTS, TOKENS

_BEGINS = "hemocast_"
"""By which programs that look for secrets in files know one."""

_DAY_S = 86_400


@dataclass(frozen=True)
class Token:
    """A token, without what would let somebody use it.

    Parameters
    ----------
    number : int
    account : Account
        Who made it: it opens no more than he may see.
    label : str
        What it is for.
    scope : Scope
    ends : int
        Unix time.
    """

    number: int
    account: Account
    label: str
    scope: Scope
    ends: int


class Tokens:
    """The tokens of a service.

    Parameters
    ----------
    database : Database
    audit : Audit
    clock : callable
        Unix time.
    """

    def __init__(
        self, database: Database, audit: Audit, clock: Callable[[], int] = unix_time
    ) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    def add(self, account: Account, scope: Scope, label: str, days: int, by: Person) -> str:
        """Make a token, and give it: it is never shown again.

        Raises
        ------
        UsageError
            The account's role is not enough for the scope, or the account is the provider's,
            which could not end the token.
        """
        if not account.local:
            raise UsageError(
                "A token would outlive what the provider says of that account",
                "a local account of the program's own",
                "Add one: 'hemocast serve account add'",
            )
        if not account.role.may(scope.role):
            raise UsageError(
                f"An account with the role {account.role} cannot have such a token",
                f"the role {scope.role} for the scope {scope}",
                "Choose another scope or account",
            )
        token = _BEGINS + secrets.token_urlsafe(32)
        row = {
            "digest": token_digest(token), "account": account.number, "label": label[:40],
            "scope": scope.value, "ends": self._clock() + days * _DAY_S, "made_at": now(),
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(insert(TOKENS).values(**row))
            detail = f"added for {account.name}: {scope}, {days} days"
            self._audit.add(connection, Act(Kind.TOKEN, by, detail=detail))
        return token

    def find(self, token: str, scope: Scope) -> Token | None:
        """Give a token, if it holds and opens what is asked for."""
        wanted = _TOKENS.where(
            TOKENS.c.digest == token_digest(token),
            TOKENS.c.ends > self._clock(),
            ACCOUNTS.c.enabled == 1,
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        found = None if row is None else _token(row)
        if found is None or not found.account.role.may(scope.role):
            return None
        # Who may send studies may ask what became of them.
        opens = {found.scope, *([Scope.RESULTS] if found.scope is Scope.STUDIES else [])}
        return found if scope in opens else None

    def all(self) -> list[Token]:
        """All tokens that were not revoked, in the order they were made."""
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(_TOKENS.order_by(TOKENS.c.id))]

    def revoke(self, number: int, by: Person) -> None:
        """End a token.

        Raises
        ------
        UsageError
            There is none of that number.
        """
        with self._database.writing() as connection:
            gone = connection.execute(delete(TOKENS).where(TOKENS.c.id == number)).rowcount
            if not gone:
                raise UsageError(
                    "There is no token of that number",
                    "one of 'hemocast serve account tokens'",
                    "Check the number",
                )
            self._audit.add(connection, Act(Kind.TOKEN, by, detail=f"revoked number {number}"))


_TOKENS = select(
    ACCOUNTS,
    TOKENS.c.id.label("token"),
    TOKENS.c.label.label("purpose"),
    TOKENS.c.scope,
    TOKENS.c.ends,
).join(TOKENS, TOKENS.c.account == ACCOUNTS.c.id)


def _token(row: Any) -> Token:
    return Token(row.token, account_of(row), row.purpose, Scope(row.scope), row.ends)
