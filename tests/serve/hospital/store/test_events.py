"""Events: only added, by whatever way."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hemocast.errors import StoreError
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import add_event, events


def test_events_come_back_in_their_order(database: Database) -> None:
    with database.writing() as connection:
        add_event(connection, "delivery-on", who="A. Person", detail="go")
        add_event(connection, "other")
    found = events(database)
    assert [(one.kind, one.who, one.detail, one.study) for one in found] == [
        ("delivery-on", "A. Person", "go", None),
        ("other", "", "", None),
    ]
    assert found[0].at.utcoffset().total_seconds() == 0
    assert events(database, None, "other") == found[1:]
    assert events(database, 5) == []


@pytest.mark.parametrize(
    "change", ["UPDATE hospital_events SET who = 'B'", "DELETE FROM hospital_events"]
)
def test_no_event_can_be_changed(database: Database, change: str) -> None:
    with database.writing() as connection:
        add_event(connection, "x", who="A")
    with pytest.raises(StoreError), database.writing() as connection:
        connection.execute(text(change))
    assert [event.who for event in events(database)] == ["A"]
