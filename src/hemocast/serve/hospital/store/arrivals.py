"""Images as they arrive: an image is known once its row is committed, and counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from hemocast.errors import StoreError
from hemocast.readers.store.together import Together
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.events import add_event
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.tables import DELIVERIES, INSTANCES, JOBS, STUDIES


@dataclass(frozen=True, repr=False)
class Arrival:
    """An image that lies on the disk. Protected health information, never shown.

    Parameters
    ----------
    name : str
        Of its study's folders.
    study_uid, series_uid, sop_uid, sop_class, syntax : str
        UIDs.
    patient_id, patient_name, accession : str
        As far as people search by them.
    digest : str
        SHA-256 of its dataset.
    n_bytes : int
        Of its file.
    file : str
        Its name.
    sender : str
        AE title, or how else it came.
    """

    name: str
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    syntax: str
    patient_id: str
    patient_name: str
    accession: str
    digest: str
    n_bytes: int
    file: str
    sender: str


class Outcome(StrEnum):
    """What became of an image."""

    STORED = "stored"
    KNOWN = "known"
    """Its like was there already: nothing changed."""
    DIFFERS = "differs"
    """Another image with its UID was there already, and stays."""


@dataclass
class _Row:
    arrival: Arrival
    outcome: Outcome = Outcome.STORED


class Arrivals:
    """Takes images from many associations, one transaction for all that wait.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = Together(self._write)

    def add(self, arrival: Arrival) -> Outcome:
        """Return once it is durable that the image is here.

        Raises
        ------
        StoreError
            The database refuses: the image is not known.
        """
        row = _Row(arrival)
        try:
            self._rows.add(row)
        except StoreError as error:
            # Another service, on PostgreSQL, took the same image at the same moment.
            if not isinstance(error.__cause__, IntegrityError):
                raise
            self._rows.add(row)
        return row.outcome

    def _write(self, rows: Sequence[_Row]) -> None:
        with self._database.writing() as connection:
            # In one order everywhere, so that two services do not wait for each other.
            for row in sorted(rows, key=lambda row: row.arrival.study_uid):
                row.outcome = _add(connection, row.arrival)


def _add(connection: Connection, arrival: Arrival) -> Outcome:
    """Know an image, and count it; behind one that comes late all begins anew, as a revision."""
    study = _study(connection, arrival)
    wanted = select(JOBS.c.state, JOBS.c.revision).where(JOBS.c.study == study)
    job = connection.execute(wanted.with_for_update()).one()
    same = INSTANCES.c.study == study, INSTANCES.c.sop_uid == arrival.sop_uid
    digest = connection.execute(select(INSTANCES.c.digest).where(*same)).scalar_one_or_none()
    if digest == arrival.digest:
        # Who sends a study again wants it: its images are not to go while the others come.
        connection.execute(update(JOBS).where(JOBS.c.study == study).values(changed_at=now()))
        return Outcome.KNOWN
    if digest is not None:
        add_event(connection, "differs", study, detail="another image with a known UID came")
        return Outcome.DIFFERS
    row = {k: v for k, v in asdict(arrival).items() if k in INSTANCES.c}
    connection.execute(insert(INSTANCES).values(**row, study=study, received_at=now()))
    if job.state != State.RECEIVED:
        begin_anew(connection, study, job.revision, "late images")
    more = {"images": JOBS.c.images + 1, "changed_at": now(), "pixels": 1}
    connection.execute(update(JOBS).where(JOBS.c.study == study).values(**more))
    return Outcome.STORED


def _study(connection: Connection, arrival: Arrival) -> int:
    wanted = select(STUDIES.c.id).where(STUDIES.c.study_uid == arrival.study_uid)
    known = connection.execute(wanted).scalar_one_or_none()
    if known is not None:
        return int(known)
    row = {k: v for k, v in asdict(arrival).items() if k in STUDIES.c}
    adding = insert(STUDIES).values(**row, created_at=now()).returning(STUDIES.c.id)
    study = int(connection.execute(adding).scalar_one())
    connection.execute(
        insert(JOBS).values(
            study=study, state=State.RECEIVED, revision=1, images=0, attempts=0, code="",
            message="", model="", pixels=1, changed_at=now(),
        )
    )  # fmt: skip
    add_event(connection, State.RECEIVED, study, 1)
    return study


def begin_anew(connection: Connection, study: int, revision: int, why: str, who: str = "") -> None:
    """Make the next revision of a study; what of the last one is not sent yet stays here."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.study == study)
        .values(
            state=State.RECEIVED, revision=revision + 1, attempts=0, code="", message="",
            changed_at=now(),
        )
    )  # fmt: skip
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.study == study, DELIVERIES.c.state == "waiting")
        .values(state="withheld", answer="replaced by a revision", changed_at=now())
    )
    add_event(connection, State.RECEIVED, study, revision + 1, who=who, detail=why)
