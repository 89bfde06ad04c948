"""Images are deleted when their time is over; what was found in them stays.

The time is the system's clock, the only thing here that is decided by it. Where that clock has been
set while the service ran, nothing is deleted until the service is started anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from hemocast.errors import UsageError
from hemocast.files import writing
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import DONE, Job, Jobs
from hemocast.serve.hospital.store.search import forget_images, known_files
from hemocast.serve.hospital.store.tables import JOBS

_LOG = logging.getLogger(__name__)
_DRIFT_S = 300.0


class Retention:
    """Deletes images.

    Parameters
    ----------
    database : Database
    root : Root
    days : float or None
        How long images stay after a study's last move; None: for ever.
    clock, steady : callable
        Seconds of the system's clock, and of one that nobody sets.
    """

    def __init__(
        self,
        database: Database,
        root: Root,
        days: float | None,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._root = root
        self._days = days
        self._clock = clock
        self._steady = steady
        self._apart = clock() - steady()
        self._swept = False

    def look(self) -> bool:
        """Delete what is to be deleted; False, for there is nothing more to do."""
        if not self._swept:
            self._sweep()
        if self._days is None:
            return False
        if abs(self._clock() - self._steady() - self._apart) > _DRIFT_S:
            _LOG.error("the clock was set: no images are deleted until the service is restarted")
            return False
        time_over = datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=self._days)
        last = time_over.isoformat(timespec="milliseconds")
        old = select(JOBS.c.study).where(
            JOBS.c.state.in_(DONE),
            JOBS.c.pixels == 1,
            JOBS.c.changed_at < last,
        )
        with self._database.reading() as connection:
            found = set(connection.execute(old).scalars())
        for job in Jobs(self._database).all(*DONE, studies=found) if found else ():
            retire(self._database, self._root, job, "their time is over", before=last)
        return False

    def _sweep(self) -> None:
        """Delete what a service that was ended has forgotten and not deleted."""
        gone = select(JOBS.c.study).where(JOBS.c.pixels == 0)
        with self._database.reading() as connection:
            found = set(connection.execute(gone).scalars())
        for job in Jobs(self._database).all(studies=found) if found else ():
            _delete_unknown(self._database, self._root, job)
        self._swept = True


def retire(
    database: Database,
    root: Root,
    job: Job,
    why: str,
    who: str = "",
    *,
    before: str | None = None,
) -> bool:
    """Delete the images of a study that nobody works on.

    They are forgotten first, and then what nothing tells of is deleted: an image that comes
    meanwhile is known, and stays.

    Parameters
    ----------
    database, root
    job : Job
        As it was when it was looked at.
    why, who, before
        As for `forget_images`.

    Returns
    -------
    bool
        False where the study has changed meanwhile; it keeps its images.

    Raises
    ------
    UsageError
        The study is under way.
    """
    if job.state not in DONE:
        raise UsageError(
            "The study is under way", "one that is done, refused or has failed", "Wait for it"
        )
    if not forget_images(database, job, why, who, before=before):
        return False
    _delete_unknown(database, root, job)
    return True


def _delete_unknown(database: Database, root: Root, job: Job) -> None:
    folder = root.study(job.name)
    with known_files(database, job.study) as known, writing():
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name not in known:
                file.unlink(missing_ok=True)
