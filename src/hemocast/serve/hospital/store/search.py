"""Studies by what people know of them: accession, study UID, or the name of their folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, or_, select, update

from hemocast.errors import UsageError
from hemocast.serve.hospital.store.arrivals import begin_anew
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import add_event
from hemocast.serve.hospital.store.jobs import DONE, Job, Jobs, State
from hemocast.serve.hospital.store.tables import INSTANCES, JOBS, STUDIES


def find(database: Database, which: str) -> list[Job]:
    """Find studies.

    Parameters
    ----------
    database : Database
    which : str
        Accession number, study UID or name.

    Raises
    ------
    UsageError
        There is none.
    """
    given = or_(STUDIES.c.accession == which, STUDIES.c.study_uid == which, STUDIES.c.name == which)
    with database.reading() as connection:
        found = set(connection.execute(select(STUDIES.c.id).where(given)).scalars())
    if not found or not which:
        raise UsageError(
            "No study is known by that",
            "an accession number, a study UID or a study's name as 'hemocast serve jobs' tells it",
            "Check what was given",
        )
    return Jobs(database).all(studies=found)


def reprocess(database: Database, job: Job, who: str) -> None:
    """Begin a study anew, as its next revision.

    Raises
    ------
    UsageError
        Its images have been deleted, or have not all come yet.
    """
    with database.writing() as connection:
        wanted = select(JOBS.c.state, JOBS.c.revision, JOBS.c.pixels)
        now_is = connection.execute(wanted.where(JOBS.c.study == job.study).with_for_update()).one()
        if not now_is.pixels:
            raise UsageError(
                "The study's images have been deleted",
                "a study whose images are here",
                "Send them again: that begins anew by itself",
            )
        if now_is.state == State.RECEIVED:
            raise UsageError(
                "The study is still being received", "a study that has settled", "Wait for it"
            )
        begin_anew(connection, job.study, now_is.revision, "asked for", who)


def forget_images(
    database: Database, job: Job, why: str, who: str = "", *, before: str | None = None
) -> bool:
    """Forget the images of a study, whose files go next; False where it has changed meanwhile.

    What was found stays. Images that come later begin the study anew.

    Parameters
    ----------
    database : Database
    job : Job
        As it was when it was looked at.
    why, who : str
        For the event.
    before : str, optional
        A time as it is kept: a study that was touched since then has changed.
    """
    with database.writing() as connection:
        same = [
            JOBS.c.study == job.study,
            JOBS.c.revision == job.revision,
            JOBS.c.images == job.images,
            JOBS.c.state.in_(DONE),
        ]
        if before is not None:
            same.append(JOBS.c.changed_at < before)
        changed = connection.execute(
            update(JOBS).where(*same).values(images=0, pixels=0, expected=None)
        )
        if changed.rowcount != 1:
            return False
        connection.execute(delete(INSTANCES).where(INSTANCES.c.study == job.study))
        add_event(connection, "images-deleted", job.study, job.revision, who=who, detail=why)
    return True


@contextmanager
def known_files(database: Database, study: int) -> Iterator[set[str]]:
    """Give the names of a study's files; no image of it becomes known until the block ends."""
    with database.writing() as connection:
        connection.execute(select(JOBS.c.study).where(JOBS.c.study == study).with_for_update())
        files = select(INSTANCES.c.file).where(INSTANCES.c.study == study)
        yield set(connection.execute(files).scalars())
