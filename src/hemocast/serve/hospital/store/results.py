"""What was found in each revision of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.tables import RESULTS


@dataclass(frozen=True)
class Result:
    """What was found in one scan. Nothing in it identifies a patient.

    Parameters
    ----------
    study, revision : int
    scan : str
        The scan's pseudonym; ``-`` and a number where no scan was found.
    status : str
        ``done`` or ``refused``.
    code : str
        Of a refusal.
    probability : float or None
    model : str
        Hash of the model that predicted.
    made_at : datetime
        The system's clock, UTC.
    """

    study: int
    revision: int
    scan: str
    status: str
    code: str
    probability: float | None
    model: str
    made_at: datetime | None = None


def add_results(connection: Connection, results: Sequence[Result]) -> None:
    """Add the results of a revision within the transaction of its move."""
    for one in results:
        connection.execute(
            insert(RESULTS).values(
                study=one.study, revision=one.revision, scan=one.scan, status=one.status,
                code=one.code, probability=one.probability, model=one.model, made_at=now(),
            )
        )  # fmt: skip


def results(database: Database, study: int) -> list[Result]:
    """All results of a study, the oldest revision first."""
    wanted = select(RESULTS).where(RESULTS.c.study == study)
    with database.reading() as connection:
        return [
            Result(
                row.study, row.revision, row.scan, row.status, row.code, row.probability,
                row.model, datetime.fromisoformat(row.made_at),
            )
            for row in connection.execute(wanted.order_by(RESULTS.c.revision, RESULTS.c.id))
        ]  # fmt: skip
