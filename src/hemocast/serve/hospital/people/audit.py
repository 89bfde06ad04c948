"""The audit log: who did what to which study, added to and never changed.

Every row carries a keyed hash (HMAC-SHA256) of itself and of the row before; where the log ends is
kept apart. Who changes, removes or inserts rows in the database without the key of the data root
is found by `Audit.check`, and the database itself refuses changes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.people import AUDIT, AUDIT_END

_LENGTHS = {"who": 80, "address": 64, "detail": 400}


class Kind(StrEnum):
    """What was done."""

    START = "start"
    STOP = "stop"
    LOG_IN = "log-in"
    LOG_OUT = "log-out"
    DENIED = "denied"
    """Somebody known asked for what is not his to see or do."""
    WORKLIST = "worklist"
    CASE = "case"
    RESULT = "result"
    """Asked for by another program."""
    IMAGES = "images"
    OUTCOME = "outcome"
    ACCOUNT = "account"
    ROLE = "role"
    TOKEN = "token"  # noqa: S105 - no password
    DELIVERY = "delivery"
    """Somebody let results leave, or stopped them."""
    PULL = "pull"
    """Somebody had studies fetched."""
    EXPORT = "export"
    """The history of the trial was written out, under pseudonyms."""
    AUDIT = "audit"
    """The audit log was looked at."""


@dataclass(frozen=True)
class Person:
    """Who acts.

    Parameters
    ----------
    name : str
        Of the account, or ``cli:`` and the name of the system's user; "" nobody known.
    address : str
        Where from, as far as known.
    """

    name: str
    address: str = ""


@dataclass(frozen=True)
class Act:
    """What somebody did.

    Parameters
    ----------
    kind : Kind
    by : Person
    studies : tuple of int
        Numbers of the studies that were seen or changed.
    detail : str
        Nothing that identifies a patient.
    success : bool
    """

    kind: Kind
    by: Person
    studies: tuple[int, ...] = ()
    detail: str = ""
    success: bool = True


@dataclass(frozen=True)
class Entry:
    """A row of the log.

    Parameters
    ----------
    number : int
        From 1, without a gap.
    at : datetime
        The system's clock, UTC.
    act : Act
    """

    number: int
    at: datetime
    act: Act


class Audit:
    """The audit log of a service.

    Parameters
    ----------
    database : Database
    key : bytes
        Secret of the data root.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    def record(self, act: Act) -> None:
        """Add an act; it is durable when this returns."""
        with self._database.writing() as connection:
            self.add(connection, act)

    def add(self, connection: Connection, act: Act) -> None:
        """Add an act within the transaction of the change that it tells of."""
        # One row is locked, so that two services write one chain.
        end = connection.execute(select(AUDIT_END).with_for_update()).one()
        row: dict[str, Any] = {
            "id": end.last + 1, "at": now(), "kind": act.kind.value, "who": act.by.name,
            "address": act.by.address, "studies": ",".join(map(str, act.studies)),
            "detail": act.detail, "success": int(act.success),
        }  # fmt: skip
        row |= {name: row[name][:length] for name, length in _LENGTHS.items()}
        digest = self._digest(row, end.digest)
        connection.execute(insert(AUDIT).values(**row, digest=digest))
        connection.execute(update(AUDIT_END).values(last=row["id"], digest=digest))

    def entries(self, *, before: int | None = None, most: int = 100) -> list[Entry]:
        """Give the last entries, or those before one, the latest first."""
        wanted = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(most)
        if before is not None:
            wanted = wanted.where(AUDIT.c.id < before)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(wanted)]

    def unsent(self, most: int = 100) -> list[Entry]:
        """Give the first entries that the collector does not have yet."""
        sent = select(AUDIT_END.c.sent).scalar_subquery()
        wanted = select(AUDIT).where(AUDIT.c.id > sent).order_by(AUDIT.c.id).limit(most)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(wanted)]

    def sent(self, number: int) -> None:
        """Keep that the collector has all entries up to one."""
        with self._database.writing() as connection:
            connection.execute(
                update(AUDIT_END).where(AUDIT_END.c.sent < number).values(sent=number)
            )

    def check(self) -> int | None:
        """Find where the log is no longer what was written.

        Returns
        -------
        int or None
            Number of the first entry that is wrong or missing; None: all is as it was.
        """
        last, digest = 0, ""
        with self._database.reading() as connection:
            for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)):
                values = dict(row._mapping)
                kept = values.pop("digest")
                digest = self._digest(values, digest)
                if row.id != last + 1 or not hmac.compare_digest(kept, digest):
                    return last + 1
                last = row.id
            end = connection.execute(select(AUDIT_END)).one()
        return None if (end.last, end.digest) == (last, digest) else last + 1

    def _digest(self, row: dict[str, Any], before: str) -> str:
        text = json.dumps(["audit", before, sorted(row.items())], ensure_ascii=True)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _entry(row: Any) -> Entry:
    studies = tuple(int(number) for number in row.studies.split(",") if number)
    act = Act(Kind(row.kind), Person(row.who, row.address), studies, row.detail, bool(row.success))
    return Entry(row.id, datetime.fromisoformat(row.at), act)
