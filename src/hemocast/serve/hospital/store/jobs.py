"""Studies on their way: every move is committed before it is acted on.

::

    received -> settled -> read -> predicted -> delivered
        |          `--------+--> refused, failed
        `<-- late images, or 'reprocess': the next revision

A move names the state, the revision, the number of images and the attempt it starts from: who works
on something that has changed meanwhile, or that another service has taken over, finds that the move
is not to be made, and drops what he has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select, update

from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.events import add_event
from hemocast.serve.hospital.store.tables import INSTANCES, JOBS, STUDIES


class State(StrEnum):
    """Where a study stands."""

    RECEIVED = "received"
    SETTLED = "settled"
    READ = "read"
    PREDICTED = "predicted"
    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"


DONE = (State.PREDICTED, State.DELIVERED, State.REFUSED, State.FAILED)
"""Nobody works on a study in these, but to send what was made of it."""


@dataclass(frozen=True)
class Job:
    """A study on its way. Nothing in it identifies a patient.

    Parameters
    ----------
    study : int
        Its number.
    name : str
        Of its folders.
    state : State
    revision : int
        From 1; one more whenever it began anew.
    images : int
        How many are here.
    expected : int or None
        How many there are to be, where somebody told.
    attempts : int
        Begun in this state.
    code, message : str
        Why it was refused, failed, or has to be tried again.
    model : str
        What a rule chose; empty: the usual one.
    pixels : bool
        Its images are here; else retention has deleted them.
    """

    study: int
    name: str
    state: State
    revision: int
    images: int
    expected: int | None
    attempts: int
    code: str
    message: str
    model: str
    pixels: bool


Also = Callable[[Connection], None]
_COLUMNS = (
    JOBS.c.study, STUDIES.c.name, JOBS.c.state, JOBS.c.revision, JOBS.c.images, JOBS.c.expected,
    JOBS.c.attempts, JOBS.c.code, JOBS.c.message, JOBS.c.model, JOBS.c.pixels,
)  # fmt: skip
_JOBS = select(*_COLUMNS).join(STUDIES, STUDIES.c.id == JOBS.c.study)


class Jobs:
    """The jobs of a service.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: set[int] = set()
        self._turn = Lock()

    def all(self, *states: State, studies: Collection[int] | None = None) -> list[Job]:
        """Jobs, or those in some states and of some studies, the oldest study first."""
        wanted = _JOBS.where(JOBS.c.state.in_(states)) if states else _JOBS
        if studies is not None:
            wanted = wanted.where(JOBS.c.study.in_(studies))
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(wanted.order_by(JOBS.c.study))]

    def get(self, study: int) -> Job:
        """Give the job of a study that is there."""
        with self._database.reading() as connection:
            return _job(connection.execute(_JOBS.where(JOBS.c.study == study)).one())

    def stands(self, job: Job) -> bool:
        """Tell whether a job is as it was when the work began: a move would be made."""
        return _mark(self.get(job.study)) == _mark(job)

    def files(self, study: int) -> list[str]:
        """Names of a study's files."""
        wanted = select(INSTANCES.c.file).where(INSTANCES.c.study == study)
        with self._database.reading() as connection:
            return list(connection.execute(wanted.order_by(INSTANCES.c.id)).scalars())

    def senders(self, study: int) -> list[str]:
        """AE titles that a study's images came from."""
        wanted = select(INSTANCES.c.sender).where(INSTANCES.c.study == study).distinct()
        with self._database.reading() as connection:
            return sorted(connection.execute(wanted).scalars())

    def move(
        self,
        job: Job,
        to: State,
        *,
        error: tuple[str, str] = ("", ""),
        model: str | None = None,
        also: Sequence[Also] = (),
    ) -> Job | None:
        """Move a job, and commit that before anything is done about it.

        Parameters
        ----------
        job : Job
            As it was when the work began.
        to : State
        error : (str, str)
            Code and message of a refusal or failure.
        model : str, optional
            What a rule chose.
        also : sequence of callable
            What belongs into the same transaction.

        Returns
        -------
        Job or None
            As it is now. None: it has changed meanwhile, and nothing was done.
        """
        moved = replace(
            job, state=to, attempts=0, code=error[0], message=error[1],
            model=job.model if model is None else model,
        )  # fmt: skip
        with self._database.writing() as connection:
            if not _change(connection, job, moved):
                return None
            add_event(connection, to, job.study, job.revision, detail=" ".join(error).strip())
            for step in also:
                step(connection)
        return moved

    def attempt(self, job: Job) -> Job | None:
        """Count an attempt before it is made; None as for `move`."""
        begun = replace(job, attempts=job.attempts + 1)
        with self._database.writing() as connection:
            return begun if _change(connection, job, begun) else None

    def note(self, job: Job, code: str, message: str) -> None:
        """Keep why an attempt failed."""
        with self._database.writing() as connection:
            if _change(connection, job, replace(job, code=code, message=message)):
                add_event(connection, "attempt", job.study, job.revision, detail=message)

    @contextmanager
    def claim(self, ready: Callable[[Job], bool], *states: State) -> Iterator[Job | None]:
        """Hold the first job in one of some states that is ready and that nobody else holds.

        However its holder ends, the job is free again: in PostgreSQL a lock that ends with the
        connection, with SQLite a set in the memory of the only process.

        Parameters
        ----------
        ready : callable
            Tells of a job whether its time has come.
        *states : State

        Yields
        ------
        Job or None
            None: there is none.
        """
        for job in self.all(*states):
            if not ready(job):
                continue
            with self._hold(job.study) as held:
                # It may have been done between the look and the hold.
                now_is = self.get(job.study) if held else None
                if now_is is not None and now_is.state in states:
                    yield now_is
                    return
        yield None

    @contextmanager
    def _hold(self, study: int) -> Iterator[bool]:
        with self._turn:
            free = study not in self._held
            self._held |= {study}
        if not free:
            yield False
            return
        try:
            if self._database.is_sqlite:
                yield True
            else:
                with self._database.writing() as connection:
                    lock = select(STUDIES.c.id).where(STUDIES.c.id == study)
                    # Images that arrive refer to this row: they must not wait for the worker.
                    lock = lock.with_for_update(skip_locked=True, key_share=True)
                    yield connection.execute(lock).one_or_none() is not None
        finally:
            with self._turn:
                self._held -= {study}


def _mark(job: Job) -> tuple[State, int, int, int]:
    return job.state, job.revision, job.images, job.attempts


def _change(connection: Connection, before: Job, after: Job) -> bool:
    """Change a job if it is still as it was; tell whether it was."""
    j = JOBS.c
    columns = (j.state, j.revision, j.images, j.attempts)
    same = [column == was for column, was in zip(columns, _mark(before), strict=True)]
    values: dict[str, Any] = {
        "state": after.state,
        "attempts": after.attempts,
        "code": after.code,
        "message": after.message,
        "model": after.model,
        "changed_at": now(),
    }
    return (
        connection.execute(
            update(JOBS).where(j.study == before.study, *same).values(values)
        ).rowcount
        == 1
    )


def _job(row: Any) -> Job:
    values = row._asdict()
    return Job(**values | {"state": State(values["state"]), "pixels": bool(values["pixels"])})
