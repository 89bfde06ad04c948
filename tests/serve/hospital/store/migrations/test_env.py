"""Migrations: a database of each released schema is brought up to date, and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import Jobs, State
from hemocast.serve.hospital.store.results import results

RELEASED = sorted((Path(__file__).parents[1] / "released").glob("*.sql"))


@pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)
def test_a_database_of_a_released_schema_is_brought_up_to_date(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "hospital.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(dump.read_text(encoding="utf-8"))
    with closing(Database(sqlite_url(path))) as database:
        states = [(job.state, job.revision, job.images) for job in Jobs(database).all()]
        assert states == [(State.PREDICTED, 1, 2), (State.RECEIVED, 1, 1)]
        assert [one.probability for one in results(database, 1)] == [0.25]
        assert [event.kind for event in events(database, 1)] == ["received", "settled", "predicted"]


def test_every_schema_has_its_dump() -> None:
    import hemocast.serve.hospital.store.migrations.versions as versions

    steps = {path.name[:4] for path in Path(versions.__file__).parent.glob("0*.py")}
    assert {path.stem for path in RELEASED} == steps
