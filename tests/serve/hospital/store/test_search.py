"""Studies by what people know of them, and what they may ask of them."""

from __future__ import annotations

import pytest

from hemocast.errors import UsageError
from hemocast.serve.hospital.store.arrivals import Arrivals, Outcome
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import Jobs, State
from hemocast.serve.hospital.store.search import find, forget_images, reprocess

from .conftest import arrival


@pytest.fixture
def jobs(database: Database) -> Jobs:
    arrivals = Arrivals(database)
    for study in (1, 2):
        arrivals.add(arrival(study))
    return Jobs(database)


def test_a_study_is_found_by_accession_uid_or_name(database: Database, jobs: Jobs) -> None:
    for which in ("A2", "1.2", f"{2:032d}"):
        assert [job.study for job in find(database, which)] == [2]
    for which in ("", "P2", "A"):
        with pytest.raises(UsageError, match="No study"):
            find(database, which)


def test_a_study_begins_anew_when_somebody_asks(database: Database, jobs: Jobs) -> None:
    with pytest.raises(UsageError, match="being received"):
        reprocess(database, jobs.get(1), "A")
    job = jobs.move(jobs.get(1), State.FAILED, error=("HC008", "ended"))
    reprocess(database, job, "A. Person")
    again = jobs.get(1)
    assert (again.state, again.revision, again.code) == (State.RECEIVED, 2, "")
    assert events(database, 1)[-1].who == "A. Person"


def test_images_are_forgotten_and_may_come_again(database: Database, jobs: Jobs) -> None:
    received = jobs.get(1)
    assert not forget_images(database, received, "x")
    job = jobs.move(received, State.REFUSED)
    assert forget_images(database, job, "their time is over")
    gone = jobs.get(1)
    assert (gone.images, gone.pixels, gone.state) == (0, False, State.REFUSED)
    with pytest.raises(UsageError, match="deleted"):
        reprocess(database, gone, "A")
    assert Arrivals(database).add(arrival(1)) is Outcome.STORED
    assert (jobs.get(1).revision, jobs.get(1).images, jobs.get(1).pixels) == (2, 1, True)
    assert not forget_images(database, job, "a study that has changed")
