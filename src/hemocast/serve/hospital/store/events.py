"""Every move, as a row that nothing changes any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.tables import EVENTS


@dataclass(frozen=True)
class Event:
    """What happened at one moment. Nothing in it identifies a patient.

    Parameters
    ----------
    number : int
        Rises with every event.
    at : datetime
        The system's clock, UTC.
    kind : str
        A state that was reached, or ``differs``, ``attempt``, ``sent``, ``delivery-on`` ...
    study : int or None
        Number of the study.
    revision : int
        Of the study; 0 where it is of none.
    who : str
        The person, where one asked for it.
    detail : str
    """

    number: int
    at: datetime
    kind: str
    study: int | None
    revision: int
    who: str
    detail: str


def add_event(
    connection: Connection,
    kind: str,
    study: int | None = None,
    revision: int = 0,
    *,
    who: str = "",
    detail: str = "",
) -> None:
    """Add an event within the transaction of the move that it tells of."""
    row = {"study": study, "at": now(), "kind": kind, "revision": revision}
    connection.execute(insert(EVENTS).values(**row, who=who[:80], detail=detail))


def events(database: Database, study: int | None = None, *kinds: str) -> list[Event]:
    """All events, or those of a study or some kinds, as they happened."""
    wanted = select(EVENTS)
    if study is not None:
        wanted = wanted.where(EVENTS.c.study == study)
    if kinds:
        wanted = wanted.where(EVENTS.c.kind.in_(kinds))
    with database.reading() as connection:
        return [
            Event(
                row.id, datetime.fromisoformat(row.at), row.kind, row.study, row.revision, row.who,
                row.detail,
            )
            for row in connection.execute(wanted.order_by(EVENTS.c.id))
        ]  # fmt: skip
