"""The database: made, brought up to date, refused where it cannot be."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hemocast.errors import StoreError
from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import Jobs

from .conftest import arrival

_EVENT = "INSERT INTO hospital_events (at, kind, revision, who, detail) VALUES ('', 'x', 0, '', '')"


def test_it_is_made_once_and_found_again(database_url: str) -> None:
    for _ in range(2):
        with closing(Database(database_url)) as database, database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM hospital_jobs")).scalar() == 0


def test_a_transaction_that_fails_changes_nothing(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        for then in ("SELECT nonsense", "INSERT INTO hospital_jobs (study) VALUES (9)"):
            with pytest.raises(StoreError, match="Error"):
                _execute(database, _EVENT, then)
        with database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM hospital_events")).scalar() == 0


def _execute(database: Database, *statements: str) -> None:
    with database.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    with (
        closing(Database(sqlite_url(tmp_path / "x.sqlite3"))) as database,
        database.writing(),
        database.reading() as connection,
    ):
        assert connection.execute(text("SELECT count(*) FROM hospital_jobs")).scalar() == 0


def test_another_database_a_damaged_one_and_a_later_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Database("mysql://x/y")
    (tmp_path / "damaged").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(StoreError):
        Database(sqlite_url(tmp_path / "damaged"))
    url = sqlite_url(tmp_path / "later")
    with closing(Database(url)) as database, database.writing() as connection:
        connection.execute(text("UPDATE hospital_schema SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version"):
        Database(url)


@pytest.mark.slow
def test_a_dump_of_postgresql_is_restored_with_all_that_guards_it(
    postgres: str, tmp_path: Path
) -> None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL's programs are not installed")

    def run(program: str, *words: str) -> None:
        subprocess.run([programs[-1] / program, *words], check=True, capture_output=True)

    urls = [f"{postgres.rpartition('/')[0]}/{name}" for name in ("hospital", "restored")]
    for url in urls:
        run("psql", postgres, "--command", f"CREATE DATABASE {url.rpartition('/')[2]}")
    with closing(Database(urls[0])) as before:
        Arrivals(before).add(arrival())
        Audit(before, b"key").record(Act(Kind.START, Person("service")))
    run("pg_dump", "--file", str(tmp_path / "dump.sql"), urls[0])
    run("psql", "--set", "ON_ERROR_STOP=1", "--file", str(tmp_path / "dump.sql"), urls[1])
    with closing(Database(urls[1])) as after:
        assert [job.images for job in Jobs(after).all()] == [1]
        assert Audit(after, b"key").check() is None
        with pytest.raises(StoreError), after.writing() as connection:
            connection.execute(text("DELETE FROM hospital_audit"))
        assert Arrivals(after).add(arrival(1, 2)).value == "stored"  # its counters go on
