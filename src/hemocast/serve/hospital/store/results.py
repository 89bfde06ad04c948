"""What was found in each revision of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.tables import INSTANCES, RESULTS


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
    participant : str
        The patient's pseudonym; "" where no scan was found.
    scanner : str
        Make and model, as far as they are words that name scanners.
    simulated : bool
    signs : mapping of str to float
        What was measured in the scan.
    site : str
        Who sent its last slice; kept by `add_results`.
    last_slice_at, made_at : datetime or None
        The system's clock, UTC; kept by `add_results`. No last slice: a version before kept none.
    """

    study: int
    revision: int
    scan: str
    status: str
    code: str
    probability: float | None
    model: str
    participant: str = ""
    scanner: str = ""
    simulated: bool = False
    signs: Mapping[str, float] = field(default_factory=dict)
    site: str = ""
    last_slice_at: datetime | None = None
    made_at: datetime | None = None


def add_results(connection: Connection, results: Sequence[Result]) -> None:
    """Add the results of a revision within the transaction of its move."""
    for one in results:
        # Kept beside the result: images and their rows go when their time is over.
        last = (
            select(INSTANCES.c.sender, INSTANCES.c.received_at)
            .where(INSTANCES.c.study == one.study)
            .order_by(INSTANCES.c.id.desc())
            .limit(1)
        )
        came = connection.execute(last).one_or_none()
        connection.execute(
            insert(RESULTS).values(
                study=one.study, revision=one.revision, scan=one.scan, status=one.status,
                code=one.code, probability=one.probability, model=one.model, made_at=now(),
                participant=one.participant, scanner=one.scanner, simulated=int(one.simulated),
                signs=json.dumps(dict(one.signs)),
                site="" if came is None else came.sender,
                last_slice_at="" if came is None else came.received_at,
            )
        )  # fmt: skip


def results(database: Database, study: int | None = None) -> list[Result]:
    """All results, or those of a study, the oldest revision first."""
    wanted = select(RESULTS)
    if study is not None:
        wanted = wanted.where(RESULTS.c.study == study)
    with database.reading() as connection:
        found = connection.execute(wanted.order_by(RESULTS.c.revision, RESULTS.c.id))
        return [_result(row) for row in found]


def _result(row: Any) -> Result:
    values = row._asdict()
    del values["id"]
    came = values["last_slice_at"]
    return Result(
        **values
        | {
            "simulated": bool(values["simulated"]),
            "signs": json.loads(values["signs"]),
            "last_slice_at": datetime.fromisoformat(came) if came else None,
            "made_at": datetime.fromisoformat(values["made_at"]),
        }
    )
