"""Who is logged in: a random token in a cookie, of which the store has only a hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from hemocast.errors import HemocastError, NotAdmitted
from hemocast.serve.hospital.people.accounts import (
    Account,
    Accounts,
    Identity,
    account_of,
    unix_time,
)
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.people.limits import Attempts
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.people import ACCOUNTS, SESSIONS

_EVERY_S = 60
"""Seconds between two notes of when a session was last seen: not every look at a page writes."""

_BY_ACCOUNT = 10
_BY_ADDRESS = 50


class TooMany(Exception):
    """Log-in was tried in vain so often that it has to wait."""


@dataclass(frozen=True, repr=False)
class Session:
    """Somebody logged in.

    Parameters
    ----------
    account : Account
    token : str
        What the cookie holds.
    """

    account: Account
    token: str

    @property
    def csrf(self) -> str:
        """What a form of this session's own pages sends along: other sites cannot know it."""
        return token_digest(f"form:{self.token}")


class Sessions:
    """The sessions of a service.

    Parameters
    ----------
    database : Database
    accounts : Accounts
    audit : Audit
    idle_s, most_s : int
        A session ends so long after it was last seen, and so long after it began.
    clock : callable
        Unix time.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        audit: Audit,
        *,
        idle_s: int = 1800,
        most_s: int = 43_200,
        clock: Callable[[], int] = unix_time,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._audit = audit
        self._idle_s = idle_s
        self._most_s = most_s
        self._clock = clock
        self._by_account = Attempts(_BY_ACCOUNT)
        self._by_address = Attempts(_BY_ADDRESS)

    def log_in(self, name: str, password: str, address: str) -> Session | None:
        """Begin a session; None: name or password are wrong, which of them is not said.

        Raises
        ------
        TooMany
            This account, or address, has failed too often.
        """
        if not (self._by_address.begin(address) and self._by_account.begin(name)):
            raise TooMany
        account = self._accounts.check(name, password)
        if account is None:
            # A name that is no account's may be a password that was typed in the wrong place.
            known = name if any(name == one.name for one in self._accounts.all()) else ""
            self._audit.record(Act(Kind.LOG_IN, Person(known, address), success=False))
            return None
        self._by_account.succeeded(name, forget=True)
        self._by_address.succeeded(address, forget=False)
        return self._begin(account, address)

    def admit(self, prove: Callable[[], Identity], address: str) -> Session:
        """Begin a session of somebody for whom the provider vouches.

        Parameters
        ----------
        prove : callable
            Asks the provider who it is.
        address : str
            Where from.

        Raises
        ------
        TooMany
            This address has failed too often.
        NotAdmitted
            As `prove` and `Accounts.admit` do.
        PeerRefused, UsageError
            As `prove` does: it is not the person's fault, and no attempt of his.
        """
        if not self._by_address.begin(address):
            raise TooMany
        known = ""
        try:
            who = prove()
            known = self._accounts.name_of(who)
            account = self._accounts.admit(who, address)
        except HemocastError as error:
            failed = Act(Kind.LOG_IN, Person(known, address), detail=error.code, success=False)
            self._audit.record(failed)
            if not isinstance(error, NotAdmitted):
                self._by_address.succeeded(address, forget=False)
            raise
        self._by_address.succeeded(address, forget=False)
        return self._begin(account, address)

    def _begin(self, account: Account, address: str) -> Session:
        session = Session(account, secrets.token_urlsafe(32))
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.began < now - self._most_s))
            row = {"digest": token_digest(session.token), "account": account.number}
            connection.execute(insert(SESSIONS).values(**row, began=now, seen=now))
            self._audit.add(connection, Act(Kind.LOG_IN, Person(account.name, address)))
        return session

    def find(self, token: str) -> Session | None:
        """Give the session of a cookie, if it has not ended and its account is enabled."""
        now = self._clock()
        mine = SESSIONS.c.digest == token_digest(token)
        wanted = (
            select(ACCOUNTS, SESSIONS.c.seen)
            .join(SESSIONS, SESSIONS.c.account == ACCOUNTS.c.id)
            .where(mine, ACCOUNTS.c.enabled == 1)
            .where(SESSIONS.c.began > now - self._most_s, SESSIONS.c.seen > now - self._idle_s)
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        if now - row.seen >= min(_EVERY_S, self._idle_s // 2):
            with self._database.writing() as connection:
                connection.execute(update(SESSIONS).where(mine).values(seen=now))
        return Session(account_of(row), token)

    def log_out(self, session: Session, address: str) -> None:
        """End a session."""
        mine = SESSIONS.c.digest == token_digest(session.token)
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(mine))
            by = Person(session.account.name, address)
            self._audit.add(connection, Act(Kind.LOG_OUT, by))


def token_digest(token: str) -> str:
    """Give what the store keeps of a token: of 256 random bits a plain hash tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
