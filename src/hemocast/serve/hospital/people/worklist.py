"""The worklist: one row a study, and what is to be known of one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from hemocast.serve.hospital.people.outcomes import KeptOutcome, Outcomes
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.tables import DELIVERIES, JOBS, RESULTS, STUDIES


@dataclass(frozen=True)
class Sent:
    """What of a study's last revision went, or is to go, to a peer.

    Parameters
    ----------
    peer : str
    state : str
        ``waiting``, ``sent``, ``withheld`` or ``failed``.
    answer : str
        The peer's status.
    objects : int
    """

    peer: str
    state: str
    answer: str
    objects: int


@dataclass(frozen=True)
class ScanResult:
    """What was found in one scan of a study's last revision.

    Parameters
    ----------
    scan : str
        Its pseudonym.
    code : str
        Of a refusal.
    probability : float or None
    model : str
        Hash of the model.
    """

    scan: str
    code: str
    probability: float | None
    model: str


@dataclass(frozen=True, repr=False)
class Row:
    """A study. Its accession number identifies a patient.

    Parameters
    ----------
    study : int
    name : str
        Of its folders.
    study_uid, accession : str
    arrived : datetime
        UTC.
    state : State
    code, message : str
        Why it was refused, or failed.
    revision, images : int
    results : tuple of ScanResult
    sent : tuple of Sent
    outcome : KeptOutcome or None
        The last one.
    """

    study: int
    name: str
    study_uid: str
    accession: str
    arrived: datetime
    state: State
    code: str
    message: str
    revision: int
    images: int
    results: tuple[ScanResult, ...]
    sent: tuple[Sent, ...]
    outcome: KeptOutcome | None

    @property
    def risk(self) -> float | None:
        """The highest risk of its scans."""
        return max((r.probability for r in self.results if r.probability is not None), default=None)


@dataclass(frozen=True)
class Found:
    """One page of the worklist.

    Parameters
    ----------
    rows : tuple of Row
        The study that came last first.
    page, pages, total : int
        Which page it is, from 1, how many there are, and of how many studies.
    """

    rows: tuple[Row, ...]
    page: int
    pages: int
    total: int


class Worklist:
    """Looks at a service's studies.

    Parameters
    ----------
    database : Database
    outcomes : Outcomes
    """

    def __init__(self, database: Database, outcomes: Outcomes) -> None:
        self._database = database
        self._outcomes = outcomes

    def page(
        self, number: int = 1, *, accession: str = "", state: State | None = None, size: int = 50
    ) -> Found:
        """Give a page of all studies, or of those with an accession number, or in a state.

        Parameters
        ----------
        number : int
            From 1; beyond the last page the last one is given.
        accession : str
            The whole number; "" all.
        state : State, optional
        size : int
            Studies a page.
        """
        wanted: list[ColumnElement[bool]] = []
        if accession:
            wanted.append(STUDIES.c.accession == accession)
        if state is not None:
            wanted.append(JOBS.c.state == state)
        counted = select(func.count()).select_from(STUDIES.join(JOBS)).where(*wanted)
        with self._database.reading() as connection:
            total = int(connection.execute(counted).scalar_one())
            pages = max(1, -(-total // size))
            number = min(max(1, number), pages)
            chosen = _STUDIES.where(*wanted).order_by(STUDIES.c.id.desc())
            found = connection.execute(chosen.limit(size).offset((number - 1) * size)).all()
            rows = self._rows(connection, found)
        return Found(rows, number, pages, total)

    def get(self, study: int) -> Row | None:
        """Give a study by its number."""
        return self._one(STUDIES.c.id == study)

    def by_uid(self, study_uid: str) -> Row | None:
        """Give a study by its UID."""
        return self._one(STUDIES.c.study_uid == study_uid)

    def _one(self, wanted: ColumnElement[bool]) -> Row | None:
        with self._database.reading() as connection:
            found = self._rows(connection, connection.execute(_STUDIES.where(wanted)).all())
        return found[0] if found else None

    def _rows(self, connection: Connection, found: Sequence[Any]) -> tuple[Row, ...]:
        revisions = {row.id: row.revision for row in found}
        results = _results(connection, revisions)
        sent = _sent(connection, revisions)
        outcomes = self._outcomes.of([*revisions])
        return tuple(
            Row(
                study=row.id,
                name=row.name,
                study_uid=row.study_uid,
                accession=row.accession,
                arrived=datetime.fromisoformat(row.created_at),
                state=State(row.state),
                code=row.code,
                message=row.message,
                revision=row.revision,
                images=row.images,
                results=tuple(results.get(row.id, ())),
                sent=tuple(sent.get(row.id, ())),
                outcome=next(iter(outcomes.get(row.id, ())), None),
            )
            for row in found
        )


_STUDIES = select(
    STUDIES.c.id, STUDIES.c.name, STUDIES.c.study_uid, STUDIES.c.accession, STUDIES.c.created_at,
    JOBS.c.state, JOBS.c.code, JOBS.c.message, JOBS.c.revision, JOBS.c.images,
).join(JOBS, JOBS.c.study == STUDIES.c.id)  # fmt: skip


def _results(connection: Connection, revisions: dict[int, int]) -> dict[int, list[ScanResult]]:
    wanted = select(RESULTS).where(RESULTS.c.study.in_(revisions)).order_by(RESULTS.c.id)
    found: dict[int, list[ScanResult]] = {}
    for row in connection.execute(wanted):
        if row.revision == revisions[row.study]:
            one = ScanResult(row.scan, row.code, row.probability, row.model)
            found.setdefault(row.study, []).append(one)
    return found


def _sent(connection: Connection, revisions: dict[int, int]) -> dict[int, list[Sent]]:
    columns = (
        DELIVERIES.c.study, DELIVERIES.c.revision, DELIVERIES.c.peer, DELIVERIES.c.state,
        DELIVERIES.c.answer,
    )  # fmt: skip
    wanted = (
        select(*columns, func.count().label("objects"))
        .where(DELIVERIES.c.study.in_(revisions))
        .group_by(*columns)
        .order_by(DELIVERIES.c.peer, DELIVERIES.c.state)
    )
    found: dict[int, list[Sent]] = {}
    for row in connection.execute(wanted):
        if row.revision == revisions[row.study]:
            one = Sent(row.peer, row.state, row.answer, row.objects)
            found.setdefault(row.study, []).append(one)
    return found
