"""The audit log: nothing in it can be changed, removed or added without being found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from hemocast.errors import StoreError
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.store.database import Database

ANN = Person("ann", "10.0.0.7")


def test_entries_come_back_the_latest_first_and_page_by_page(audit: Audit) -> None:
    for number in range(5):
        audit.record(Act(Kind.CASE, ANN, (number + 1, 9), detail=f"{number}"))
    entries = audit.entries(most=3)
    assert [one.number for one in entries] == [5, 4, 3]
    assert entries[0].act == Act(Kind.CASE, ANN, (5, 9), "4")
    assert [one.number for one in audit.entries(before=3)] == [2, 1]
    assert audit.check() is None


def test_many_at_once_make_one_chain(audit: Audit) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: audit.record(Act(Kind.CASE, ANN)), range(40)))
    assert [one.number for one in audit.entries()] == list(range(40, 0, -1))
    assert audit.check() is None


@pytest.mark.parametrize("change", [
    "UPDATE hospital_audit SET who = 'bob' WHERE id = 2",
    "DELETE FROM hospital_audit WHERE id = 2",
])  # fmt: skip
def test_the_database_refuses_changes(audit: Audit, database: Database, change: str) -> None:
    audit.record(Act(Kind.CASE, ANN))
    audit.record(Act(Kind.CASE, ANN))
    with pytest.raises(StoreError), database.writing() as connection:
        connection.exec_driver_sql(change)
    assert audit.check() is None


INSERT = (
    "INSERT INTO hospital_audit SELECT 5, at, kind, who, address, studies, detail, success, digest"
    " FROM hospital_audit WHERE id = 4"
)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE hospital_audit SET who = 'bob' WHERE id = 2", 2),
        ("UPDATE hospital_audit SET studies = '8' WHERE id = 3", 3),
        ("UPDATE hospital_audit SET success = 0 WHERE id = 1", 1),
        ("DELETE FROM hospital_audit WHERE id = 2", 2),
        ("DELETE FROM hospital_audit WHERE id = 4", 4),
        ("DELETE FROM hospital_audit", 1),
        (INSERT, 5),
        ("UPDATE hospital_audit SET id = 9 WHERE id = 4", 4),
    ],
)
def test_who_gets_past_the_database_is_found(
    audit: Audit, database: Database, tmp_path: Path, change: str, found: int
) -> None:
    for _ in range(4):
        audit.record(Act(Kind.CASE, ANN, (7,)))
    database.close()
    with closing(sqlite3.connect(tmp_path / "hospital.sqlite3")) as raw, raw:
        raw.execute("DROP TRIGGER hospital_audit_update")
        raw.execute("DROP TRIGGER hospital_audit_delete")
        raw.execute(change)
    assert audit.check() == found


def test_another_key_proves_nothing(audit: Audit, database: Database) -> None:
    audit.record(Act(Kind.CASE, ANN))
    assert Audit(database, b"another").check() == 1


def test_an_act_is_kept_with_its_change_or_not_at_all(audit: Audit, database: Database) -> None:
    def fails() -> None:
        with database.writing() as connection:
            audit.add(connection, Act(Kind.ACCOUNT, ANN))
            raise RuntimeError

    step: Callable[[], None] = fails
    with pytest.raises(RuntimeError):
        step()
    assert audit.entries() == []
    assert audit.check() is None


def test_long_texts_are_cut_and_the_chain_holds(audit: Audit) -> None:
    audit.record(Act(Kind.CASE, Person("x" * 500, "y" * 500), detail="z" * 5000))
    assert len(audit.entries()[0].act.detail) == 400
    assert audit.check() is None
