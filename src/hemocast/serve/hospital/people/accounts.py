"""Accounts: a name, a role, and a password that only its hash is kept of (Argon2id).

Those of the hospital's provider of sign-ins have none: it vouches for them, and says their role
every time.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from hemocast.errors import NotAdmitted, UsageError
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.people import ACCOUNTS, SESSIONS

LEAST_LETTERS = 12
MOST_LETTERS = 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,39}")
_AT_ONCE = 2
"""Passwords that are hashed at once: each takes 64 MiB and most of a tenth of a second."""

_HASHER = PasswordHasher()  # RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes


@dataclass(frozen=True)
class Account:
    """Somebody who may log in.

    Parameters
    ----------
    number : int
    name : str
    role : Role
    enabled : bool
    local : bool
        False: the provider vouches for it.
    """

    number: int
    name: str
    role: Role
    enabled: bool
    local: bool = True


@dataclass(frozen=True)
class Identity:
    """Somebody for whom the provider vouches.

    Parameters
    ----------
    key : str
        SHA-256 of issuer and subject: what never changes.
    name : str
    role : Role or None
        None: in no group that has one.
    """

    key: str
    name: str
    role: Role | None


class Accounts:
    """The accounts of a service; every change is in the audit log.

    Parameters
    ----------
    database : Database
    audit : Audit
    """

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        self._turn = BoundedSemaphore(_AT_ONCE)
        # An unknown name costs as long as a known one: how long it takes tells nothing.
        self._nobody = _HASHER.hash(secrets.token_urlsafe())

    def add(self, name: str, role: Role, password: str, by: Person) -> None:
        """Add an account.

        Raises
        ------
        UsageError
            The name is taken or no name, or the password is too short or too long.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                "The account's name is none",
                "at most 40 of a-z 0-9 . _ @ -, the first a letter or digit",
                "Choose another name",
            )
        kept = self._hash(password)
        with self._database.writing() as connection:
            if _find(connection, name) is not None:
                raise UsageError("There is such an account", "a new name", "Choose another name")
            row = {"name": name, "password": kept, "role": role.value, "enabled": 1}
            connection.execute(insert(ACCOUNTS).values(**row, changed_at=now()))
            self._audit.add(connection, Act(Kind.ACCOUNT, by, detail=f"added {name} as {role}"))

    def change_role(self, name: str, role: Role, by: Person) -> None:
        """Give an account another role; its sessions end. Raises as `set_password` does."""
        self._change(name, Act(Kind.ROLE, by, detail=f"{name} is {role}"), role=role.value)

    def enable(self, name: str, by: Person, *, on: bool) -> None:
        """Let an account in, or no more; its sessions end. Raises as `set_password` does."""
        detail = f"{'enabled' if on else 'disabled'} {name}"
        self._change(name, Act(Kind.ACCOUNT, by, detail=detail), enabled=int(on))

    def set_password(self, name: str, password: str, by: Person) -> None:
        """Give an account another password; its sessions end.

        Raises
        ------
        UsageError
            There is no such account, or the password is too short or too long.
        """
        detail = f"new password of {name}"
        self._change(name, Act(Kind.ACCOUNT, by, detail=detail), password=self._hash(password))

    def admit(self, who: Identity, address: str) -> Account:
        """Give the account of somebody for whom the provider vouches; at first, make it.

        Its role becomes what the provider says. Whoever has none any more is logged out
        everywhere.

        Raises
        ------
        NotAdmitted
            Without a role, disabled here, or with a name that cannot be or is another's.
        """
        by = Person(who.name if _NAME.fullmatch(who.name) else "", address)
        with self._database.writing() as connection:
            wanted = select(ACCOUNTS).where(ACCOUNTS.c.identity == who.key)
            row = connection.execute(wanted).one_or_none()
            if who.role is None:
                if row is not None:
                    connection.execute(delete(SESSIONS).where(SESSIONS.c.account == row.id))
            elif row is None:
                self._add_provided(connection, who, by)
            elif row.role != who.role.value:
                act = Act(Kind.ROLE, by, detail=f"{row.name} is {who.role}, says the provider")
                self._set(connection, row.id, act, role=who.role.value)
            row = connection.execute(wanted).one_or_none()
        if row is None or who.role is None:
            raise _not_admitted("is in no group that has a role here", "Add the person to a group")
        if not row.enabled:
            raise _not_admitted("is disabled here", "Ask for 'hemocast serve account enable'")
        return account_of(row)

    def _add_provided(self, connection: Connection, who: Identity, by: Person) -> None:
        if not _NAME.fullmatch(who.name):
            raise _not_admitted("has a name that cannot be here", "Choose sign_in.name_claim")
        if _find(connection, who.name) is not None:
            raise _not_admitted("has the name of another account", "Rename one of the two")
        row = {"name": who.name, "password": "", "role": who.role, "enabled": 1}
        change = insert(ACCOUNTS).values(**row, identity=who.key, changed_at=now())
        connection.execute(change)
        detail = f"added {who.name} as {who.role}, says the provider"
        self._audit.add(connection, Act(Kind.ACCOUNT, by, detail=detail))

    def name_of(self, who: Identity) -> str:
        """Name of the account of somebody for whom the provider vouches; "" where none is."""
        with self._database.reading() as connection:
            wanted = select(ACCOUNTS.c.name).where(ACCOUNTS.c.identity == who.key)
            return str(connection.execute(wanted).scalar_one_or_none() or "")

    def all(self) -> list[Account]:
        """All accounts, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))
            return [account_of(row) for row in rows]

    def get(self, name: str) -> Account:
        """Give an account by its name; raises `UsageError` where there is none."""
        with self._database.reading() as connection:
            return account_of(_need(connection, name))

    def check(self, name: str, password: str) -> Account | None:
        """Give the account whose name and password these are, if it is enabled."""
        with self._database.reading() as connection:
            row = _find(connection, name)
        kept = (row.password if row is not None else "") or self._nobody
        with self._turn:
            matches = len(password) <= MOST_LETTERS and _matches(kept, password)
        if row is None or not matches or not row.enabled:
            return None
        if _HASHER.check_needs_rehash(kept):
            renewed = update(ACCOUNTS).where(ACCOUNTS.c.id == row.id, ACCOUNTS.c.password == kept)
            with self._database.writing() as connection:
                connection.execute(renewed.values(password=self._hash(password)))
        return account_of(row)

    def _hash(self, password: str) -> str:
        if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
            raise UsageError(
                "The password is too short or too long",
                f"{LEAST_LETTERS} to {MOST_LETTERS} letters",
                "Choose a longer one: several words are easy to keep",
            )
        with self._turn:
            return _HASHER.hash(password)

    def _change(self, name: str, act: Act, **values: object) -> None:
        with self._database.writing() as connection:
            row = _need(connection, name)
            if row.identity is not None and not values.keys() <= {"enabled"}:
                raise UsageError(
                    "That account is the provider's, which says its role and proves who it is",
                    "a local account, or to enable or disable one",
                    "Change it at the provider",
                )
            self._set(connection, row.id, act, **values)

    def _set(self, connection: Connection, number: int, act: Act, **values: object) -> None:
        mine = ACCOUNTS.c.id == number
        connection.execute(update(ACCOUNTS).where(mine).values(**values, changed_at=now()))
        connection.execute(delete(SESSIONS).where(SESSIONS.c.account == number))
        self._audit.add(connection, act)


def unix_time() -> int:
    """Give the system's time in seconds."""
    return int(time.time())


def account_of(row: Any) -> Account:
    """Make an account of its row."""
    local = row.identity is None
    return Account(row.id, row.name, Role(row.role), bool(row.enabled), local)


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _find(connection: Connection, name: str) -> Any:
    return connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one_or_none()


def _need(connection: Connection, name: str) -> Any:
    row = _find(connection, name)
    if row is None:
        raise UsageError(
            "There is no account of that name",
            "one of 'hemocast serve account list'",
            "Check the name",
        )
    return row


def _not_admitted(how: str, action: str) -> NotAdmitted:
    return NotAdmitted(
        f"Somebody for whom the provider vouches {how}",
        "a person in a group of sign_in with a role",
        action,
    )
