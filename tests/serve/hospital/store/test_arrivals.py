"""Images as they arrive: each known once, whatever comes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from hemocast.serve.hospital.store.arrivals import Arrivals, Outcome
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import Jobs, State

from .conftest import arrival


def test_many_at_once_are_each_counted_once(database: Database) -> None:
    arrivals = Arrivals(database)
    given = [arrival(study, image) for study in range(4) for image in range(20)] * 2
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(arrivals.add, given))
    assert sorted(outcomes) == [Outcome.KNOWN] * 80 + [Outcome.STORED] * 80
    assert [(job.images, job.revision) for job in Jobs(database).all()] == [(20, 1)] * 4


def test_two_services_that_take_the_same_image_count_it_once(
    database: Database, database_url: str
) -> None:
    with closing(Database(database_url)) as other, ThreadPoolExecutor(8) as pool:
        takers = [Arrivals(database), Arrivals(other)] * 40
        given = [arrival(1, n // 2) for n in range(80)]
        outcomes = list(pool.map(lambda taker, one: taker.add(one), takers, given))
    assert outcomes.count(Outcome.STORED) == 40
    assert Jobs(database).get(1).images == 40


def test_a_late_image_begins_a_revision_and_many_late_ones_only_one(database: Database) -> None:
    arrivals, jobs = Arrivals(database), Jobs(database)
    arrivals.add(arrival(image=1))
    refused = jobs.move(jobs.get(1), State.REFUSED, error=("HC205", "few"))
    assert arrivals.add(arrival(image=1)) is Outcome.KNOWN
    assert jobs.get(1) == refused
    assert arrivals.add(arrival(image=1, digest="e")) is Outcome.DIFFERS
    for image in (2, 3):
        arrivals.add(arrival(image=image))
    job = jobs.get(1)
    assert (job.state, job.revision, job.images, job.code) == (State.RECEIVED, 2, 3, "")
    kinds = [(event.kind, event.revision) for event in events(database, 1)]
    assert kinds == [("received", 1), ("refused", 1), ("differs", 0), ("received", 2)]
