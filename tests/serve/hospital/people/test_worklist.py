"""The worklist, as the pages and the API ask for it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from hemocast.serve.hospital.people.audit import Audit
from hemocast.serve.hospital.people.outcomes import Outcomes
from hemocast.serve.hospital.people.worklist import Worklist
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.tables import JOBS, RESULTS

from .conftest import arrive


@pytest.fixture
def worklist(database: Database, audit: Audit) -> Worklist:
    return Worklist(database, Outcomes(database, audit))


def result(database: Database, study: int, revision: int, probability: float | None) -> None:
    with database.writing() as connection:
        row = {"study": study, "revision": revision, "scan": f"scan-{probability}"}
        row |= {"status": "done", "code": "", "probability": probability, "model": "m"}
        connection.execute(insert(RESULTS).values(**row, made_at=now()))


def test_the_last_revision_counts_and_of_its_scans_the_highest_risk(
    worklist: Worklist, database: Database
) -> None:
    arrive(database, 1)
    for revision, probability in ((1, 0.9), (2, 0.2), (2, 0.4), (2, None)):
        result(database, 1, revision, probability)
    with database.writing() as connection:
        connection.execute(update(JOBS).values(revision=2))
    row = worklist.get(1)
    assert row is not None
    assert (row.risk, row.revision, len(row.results)) == (0.4, 2, 3)


def test_studies_are_counted_and_leafed_through(worklist: Worklist, database: Database) -> None:
    assert worklist.page().pages == 1
    for number in range(1, 8):
        arrive(database, number)
    found = worklist.page(2, size=3)
    assert (found.page, found.pages, found.total) == (2, 3, 7)
    assert [row.study for row in found.rows] == [4, 3, 2]
    assert worklist.page(99, size=3).page == 3
    assert [row.study for row in worklist.page(accession="ACC3").rows] == [3]
    assert worklist.page(accession="%").rows == ()
    assert worklist.page(state=State.FAILED).total == 0
    assert worklist.page(state=State.RECEIVED).total == 7


def test_a_study_is_found_by_its_uid(worklist: Worklist, database: Database) -> None:
    arrive(database, 1)
    found = worklist.by_uid("1.2.1")
    assert found is not None
    assert (found.study, found.risk, found.outcome, found.sent) == (1, None, None, ())
    assert worklist.by_uid("1.2.2") is None
    assert worklist.get(2) is None
    assert "ACC1" not in repr(found)
