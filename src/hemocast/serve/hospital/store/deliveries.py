"""What is to be sent to whom, and whether anything may be sent at all.

Delivery is off until a named person turns it on. Off is at once: what waits is withheld, and goes
only when somebody asks for it by ``resend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.events import add_event
from hemocast.serve.hospital.store.jobs import Also, Job
from hemocast.serve.hospital.store.tables import COMMITMENTS, DELIVERIES, EVENTS, STUDIES

ON, OFF = "delivery-on", "delivery-off"
DELIVERY = (
    DELIVERIES.c.id, DELIVERIES.c.study, STUDIES.c.name, DELIVERIES.c.revision, DELIVERIES.c.peer,
    DELIVERIES.c.file, DELIVERIES.c.state, DELIVERIES.c.attempts, DELIVERIES.c.answer,
)  # fmt: skip
"""Columns of a `Delivery`, in its order."""


@dataclass(frozen=True)
class Delivery:
    """One object for one peer.

    Parameters
    ----------
    number : int
    study, revision : int
    name : str
        Of the study's folders.
    peer : str
    file : str
        Below the revision's folder of results.
    state : str
        ``waiting``, ``sent``, ``withheld`` or ``failed``.
    attempts : int
        Failed so far.
    answer : str
        The peer's last status, or why it was not sent.
    """

    number: int
    study: int
    name: str
    revision: int
    peer: str
    file: str
    state: str
    attempts: int
    answer: str


class Deliveries:
    """The deliveries of a service.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_on(self) -> bool:
        """Tell whether results may leave."""
        with self._database.reading() as connection:
            return is_on(connection)

    def switch(self, on: bool, who: str, also: Sequence[Also] = ()) -> int:
        """Let results leave, or stop them at once.

        Parameters
        ----------
        on : bool
        who : str
            The person who decided it.
        also : sequence of callable
            What belongs into the same transaction.

        Returns
        -------
        int
            How many are withheld.
        """
        with self._database.writing() as connection:
            add_event(connection, ON if on else OFF, who=who)
            if not on:
                _set(connection, "withheld", "delivery was turned off", state="waiting")
            for step in also:
                step(connection)
            withheld = select(func.count()).where(DELIVERIES.c.state == "withheld")
            return int(connection.execute(withheld).scalar_one())

    def all(self, study: int | None = None, *states: str) -> list[Delivery]:
        """Deliveries, of a study or in some states, in their order."""
        d = DELIVERIES.c
        wanted = select(*DELIVERY).join(STUDIES, STUDIES.c.id == d.study)
        if study is not None:
            wanted = wanted.where(d.study == study)
        if states:
            wanted = wanted.where(d.state.in_(states))
        with self._database.reading() as connection:
            return [Delivery(*row) for row in connection.execute(wanted.order_by(d.id))]

    def mark(self, delivery: Delivery, state: str, answer: str, *, request: str = "") -> None:
        """Keep what a peer answered, unless the delivery was stopped meanwhile and not sent.

        The answer to a request for commitment is acted on once, whichever service does.
        """
        more = 0 if state == "sent" else 1
        with self._database.writing() as connection:
            if request:
                mine = delete(COMMITMENTS).where(COMMITMENTS.c.request == request)
                if not connection.execute(mine).rowcount:
                    return
            before = "waiting" if state != "sent" else None
            _set(connection, state, answer, number=delivery.number, state=before, more=more)
            detail = f"{delivery.peer} {delivery.file}: {answer}"
            kind = state if state in ("sent", "failed") else "attempt"
            add_event(connection, kind, delivery.study, delivery.revision, detail=detail)

    def resend(self, studies: Sequence[int], who: str) -> int:
        """Send again what was made last of some studies; return how many objects that are."""
        sent = 0
        with self._database.writing() as connection:
            for study in studies:
                last = select(func.max(DELIVERIES.c.revision)).where(DELIVERIES.c.study == study)
                revision = connection.execute(last).scalar()
                if revision is not None:
                    sent += _set(connection, "waiting", "", study=study, revision=revision)
                    add_event(connection, "resend", study, revision, who=who)
        return sent


def is_on(connection: Connection) -> bool:
    """Tell whether results may leave, within a transaction."""
    last = select(EVENTS.c.kind).where(EVENTS.c.kind.in_((ON, OFF)))
    found = connection.execute(last.order_by(EVENTS.c.id.desc()).limit(1)).scalar_one_or_none()
    return bool(found == ON)


def add_deliveries(
    connection: Connection, job: Job, *, peers: Sequence[str], files: Sequence[str]
) -> None:
    """Plan what a revision's objects are sent to, within the transaction of its move.

    While delivery is off they are withheld: nothing of a silent time leaves when it is turned on.
    """
    state, answer = ("waiting", "") if is_on(connection) else ("withheld", "delivery was off")
    for peer in peers:
        for file in files:
            connection.execute(
                insert(DELIVERIES).values(
                    study=job.study, revision=job.revision, peer=peer, file=file, state=state,
                    attempts=0, answer=answer, changed_at=now(),
                )
            )  # fmt: skip


def _set(
    connection: Connection,
    to: str,
    answer: str,
    *,
    number: int | None = None,
    study: int | None = None,
    revision: int | None = None,
    state: str | None = None,
    more: int | None = None,
) -> int:
    """Change deliveries; `more` attempts are counted, none: they begin anew."""
    d = DELIVERIES.c
    given = ((d.id, number), (d.study, study), (d.revision, revision), (d.state, state))
    attempts = 0 if more is None else d.attempts + more
    changed = connection.execute(
        update(DELIVERIES)
        .where(*(column == value for column, value in given if value is not None))
        .values(state=to, answer=answer[:80], attempts=attempts, changed_at=now())
    )
    return int(changed.rowcount)
