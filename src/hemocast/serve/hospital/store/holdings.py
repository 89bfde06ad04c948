"""Which images are here, and of how many a study is told to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.tables import INSTANCES, JOBS, STUDIES

_BATCH = 500


@dataclass(frozen=True, repr=False)
class Held:
    """What is here of a study.

    Parameters
    ----------
    pixels : bool
        False: its images have been deleted.
    series : dict of str to int
        Images by series UID.
    """

    pixels: bool
    series: dict[str, int]


class Holdings:
    """The images of a service.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def classes(self, uids: Collection[str]) -> dict[str, set[str]]:
        """SOP classes that images are here with, by SOP Instance UID; what is here is durable."""
        found: dict[str, set[str]] = defaultdict(set)
        wanted = select(INSTANCES.c.sop_uid, INSTANCES.c.sop_class)
        with self._database.reading() as connection:
            for row in _each(connection, wanted, uids):
                found[row.sop_uid].add(row.sop_class)
        return dict(found)

    def of(self, study_uid: str) -> Held | None:
        """Tell what is here of a study; None: it is not known."""
        i = INSTANCES.c
        job = select(JOBS.c.study, JOBS.c.pixels).join(STUDIES, STUDIES.c.id == JOBS.c.study)
        with self._database.reading() as connection:
            known = connection.execute(job.where(STUDIES.c.study_uid == study_uid)).one_or_none()
            if known is None:
                return None
            counts = select(i.series_uid, func.count()).where(i.study == known.study)
            series = connection.execute(counts.group_by(i.series_uid)).all()
        return Held(bool(known.pixels), {str(row[0]): int(row[1]) for row in series})

    def patients(self, since: str) -> list[str]:
        """Patient IDs of the studies that first came since a moment (as `now` gives it)."""
        wanted = select(STUDIES.c.patient_id).where(STUDIES.c.created_at >= since).distinct()
        with self._database.reading() as connection:
            found = connection.execute(wanted.where(STUDIES.c.patient_id != "")).scalars()
            return sorted(found)

    def uid_of(self, study: int) -> str:
        """UID of a study."""
        wanted = select(STUDIES.c.study_uid).where(STUDIES.c.id == study)
        with self._database.reading() as connection:
            return str(connection.execute(wanted).scalar_one())

    def patient_of(self, study: int) -> str:
        """Patient ID of a study."""
        wanted = select(STUDIES.c.patient_id).where(STUDIES.c.id == study)
        with self._database.reading() as connection:
            return str(connection.execute(wanted).scalar_one())

    def expect(self, study_uid: str, images: int) -> None:
        """Keep how many images a study that is here is to have."""
        mine = select(STUDIES.c.id).where(STUDIES.c.study_uid == study_uid).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(update(JOBS).where(JOBS.c.study == mine).values(expected=images))

    def expect_these(self, uids: Collection[str]) -> None:
        """Keep how many images studies are to have, by a list of them.

        The list counts for a study of which all images that are here stand in it; else it is of
        another part. What is not here belongs to the only study of the list, or to none.
        """
        with self._database.writing() as connection:
            wanted = select(INSTANCES.c.study, INSTANCES.c.sop_uid)
            rows = list(_each(connection, wanted, uids))
            unknown = len(set(uids) - {row.sop_uid for row in rows})
            listed = Counter(int(row.study) for row in rows)
            if len(listed) > 1 and unknown:
                return
            for study, number in listed.items():
                mine = JOBS.c.study == study, JOBS.c.images == number
                change = update(JOBS).where(*mine).values(expected=number + unknown)
                connection.execute(change)


def _each(connection: Connection, wanted: Select[Any], uids: Collection[str]) -> Iterator[Any]:
    """Give the rows of images by their UIDs, so many at a time as every database takes."""
    ordered: Sequence[str] = sorted(set(uids))
    for at in range(0, len(ordered), _BATCH):
        some = INSTANCES.c.sop_uid.in_(ordered[at : at + _BATCH])
        yield from connection.execute(wanted.where(some))
