"""Deliveries: nothing leaves until a person says so, and stops when one says so."""

from __future__ import annotations

from functools import partial

import pytest

from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.deliveries import OFF, ON, Deliveries, add_deliveries
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import Jobs, State

from .conftest import arrival


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)


def plan(database: Database, study: int) -> None:
    Arrivals(database).add(arrival(study))
    jobs = Jobs(database)
    job = jobs.get(study)
    also = partial(add_deliveries, job=job, peers=["pacs", "ris"], files=["a.dcm"])
    assert jobs.move(job, State.PREDICTED, also=[also])


def states(deliveries: Deliveries, study: int) -> list[str]:
    return [one.state for one in deliveries.all(study)]


def test_what_was_made_in_silence_stays_when_delivery_is_turned_on(
    deliveries: Deliveries, database: Database
) -> None:
    assert not deliveries.is_on()
    plan(database, 1)
    assert deliveries.switch(True, "A. Person") == 2
    assert deliveries.is_on()
    plan(database, 2)
    assert (states(deliveries, 1), states(deliveries, 2)) == (["withheld"] * 2, ["waiting"] * 2)
    assert [(event.kind, event.who) for event in events(database, None, ON)] == [(ON, "A. Person")]


def test_off_is_at_once_and_what_waits_goes_only_when_asked_for(
    deliveries: Deliveries, database: Database
) -> None:
    deliveries.switch(True, "A")
    plan(database, 1)
    first = deliveries.all(1)[0]
    deliveries.mark(first, "sent", "status 0000")
    assert deliveries.switch(False, "B") == 1
    # An answer that comes after: the object is there, and that is what is kept.
    assert states(deliveries, 1) == ["sent", "withheld"]
    deliveries.mark(deliveries.all(1)[1], "waiting", "no status")
    assert states(deliveries, 1) == ["sent", "withheld"]
    deliveries.switch(True, "A")
    assert states(deliveries, 1) == ["sent", "withheld"]
    assert deliveries.resend([1], "A") == 2
    assert states(deliveries, 1) == ["waiting"] * 2
    assert [event.kind for event in events(database, None, ON, OFF)] == [ON, OFF, ON]


def test_a_revision_takes_the_place_of_what_was_not_sent(
    deliveries: Deliveries, database: Database
) -> None:
    deliveries.switch(True, "A")
    plan(database, 1)
    Arrivals(database).add(arrival(1, 2))
    assert states(deliveries, 1) == ["withheld"] * 2
    assert deliveries.all(1)[0].answer == "replaced by a revision"
    assert deliveries.all(None, "waiting") == []
