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
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import DONE, Job, Jobs
from hemocast.serve.hospital.store.search import forget_images
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

    def look(self) -> bool:
        """Delete what is to be deleted; False, for there is nothing more to do."""
        if self._days is None:
            return False
        if abs(self._clock() - self._steady() - self._apart) > _DRIFT_S:
            _LOG.error("the clock was set: no images are deleted until the service is restarted")
            return False
        last = datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=self._days)
        old = select(JOBS.c.study).where(
            JOBS.c.state.in_(DONE),
            JOBS.c.pixels == 1,
            JOBS.c.changed_at < last.isoformat(timespec="milliseconds"),
        )
        with self._database.reading() as connection:
            found = set(connection.execute(old).scalars())
        for job in Jobs(self._database).all(*DONE, studies=found) if found else ():
            retire(self._database, self._root, job, "their time is over")
        return False


def retire(database: Database, root: Root, job: Job, why: str, who: str = "") -> bool:
    """Delete the images of a study that nobody works on.

    Files go first: what ends the service in between leaves a study that is retired again.

    Returns
    -------
    bool
        False where the study has changed meanwhile; it keeps what has come since.

    Raises
    ------
    UsageError
        The study is under way.
    """
    if job.state not in DONE:
        raise UsageError(
            "The study is under way", "one that is done, refused or has failed", "Wait for it"
        )
    folder = root.study(job.name)
    for name in Jobs(database).files(job.study):
        (folder / name).unlink(missing_ok=True)
    return forget_images(database, job, why, who)
