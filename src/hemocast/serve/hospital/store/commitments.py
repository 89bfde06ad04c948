"""What peers were asked to keep for good, and what they answered: a restart forgets none of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select, update

from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.deliveries import DELIVERY, Delivery
from hemocast.serve.hospital.store.tables import COMMITMENTS, DELIVERIES, STUDIES

_OWN = ("request", "sop_class", "sop_uid", "kept", "answer")
_ALL: Select[Any] = (
    select(*DELIVERY, *(COMMITMENTS.c[name] for name in _OWN))
    .join(COMMITMENTS, COMMITMENTS.c.delivery == DELIVERIES.c.id)
    .join(STUDIES, STUDIES.c.id == DELIVERIES.c.study)
)


@dataclass(frozen=True, repr=False)
class Commitment:
    """A request to keep one object.

    Parameters
    ----------
    delivery : Delivery
        What was sent.
    request : str
        Its transaction UID.
    sop_class, sop_uid : str
        Of the object.
    kept : bool or None
        What the peer said; None: nothing yet.
    answer : str
        The same in words.
    """

    delivery: Delivery
    request: str
    sop_class: str
    sop_uid: str
    kept: bool | None
    answer: str


class Commitments:
    """The requests of a service that are open, or answered and not yet acted on.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request: str, delivery: Delivery, sop_class: str, sop_uid: str) -> None:
        """Note a request."""
        row = {"request": request, "delivery": delivery.number, "answer": ""}
        with self._database.writing() as connection:
            connection.execute(
                insert(COMMITMENTS).values(**row, sop_class=sop_class, sop_uid=sop_uid)
            )

    def all(self) -> list[Commitment]:
        """Give all, in the order of their deliveries."""
        return self._found(_ALL.order_by(DELIVERIES.c.id))

    def get(self, request: str) -> Commitment | None:
        """Give one that is open; None: there is none."""
        wanted = _ALL.where(COMMITMENTS.c.request == request, COMMITMENTS.c.kept.is_(None))
        return next(iter(self._found(wanted)), None)

    def answer(self, request: str, kept: bool, said: str) -> None:
        """Keep the answer to one that is open; `Deliveries.mark` acts on it and forgets it."""
        mine = COMMITMENTS.c.request == request, COMMITMENTS.c.kept.is_(None)
        with self._database.writing() as connection:
            change = update(COMMITMENTS).where(*mine)
            connection.execute(change.values(kept=int(kept), answer=said[:80]))

    def _found(self, wanted: Select[Any]) -> list[Commitment]:
        with self._database.reading() as connection:
            return [_commitment(row) for row in connection.execute(wanted)]


def _commitment(row: Any) -> Commitment:
    own = dict(zip(_OWN, row[len(DELIVERY) :], strict=True))
    own["kept"] = None if own["kept"] is None else bool(own["kept"])
    return Commitment(delivery=Delivery(*row[: len(DELIVERY)]), **own)
