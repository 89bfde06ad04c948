"""Outcomes: none that contradicts itself, none of a study that is not meant."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hemocast.errors import TableError
from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.people.outcomes import Outcome, Outcomes, read_outcome
from hemocast.serve.hospital.store.database import Database

from .conftest import BOSS, arrive

DAY = date(2026, 1, 31)


@pytest.fixture
def outcomes(database: Database, audit: Audit) -> Outcomes:
    for number in (1, 2, 3):
        arrive(database, number)
    return Outcomes(database, audit)


def test_a_form_is_read() -> None:
    assert read_outcome("1", "PH2", "2026-01-31") == Outcome(True, "PH2", DAY)
    assert read_outcome("1", "", "2026-01-31") == Outcome(True, "", DAY)
    assert read_outcome("0", "", "2026-01-31") == Outcome(False, "none", DAY)
    for given in (("0", "PH2", "2026-01-31"), ("1", "none", "2026-01-31"), ("1", "", "1999-01-31")):
        with pytest.raises(TableError):
            read_outcome(*given)


def test_a_correction_stands_beside_what_it_corrects(outcomes: Outcomes, audit: Audit) -> None:
    outcomes.add({1: Outcome(False, "none", DAY)}, BOSS)
    outcomes.add({1: Outcome(True, "HI1", DAY)}, BOSS)
    history = outcomes.history(1)
    assert [one.outcome.grade for one in history] == ["HI1", "none"]
    assert {one.who for one in history} == {"cli:boss"}
    assert [one.act.kind for one in audit.entries()] == [Kind.OUTCOME] * 2


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("accession,blood,grade,date\nACC9,1,PH1,2026-01-31\n", "row 2, column study_uid"),
        ("accession,blood,date\nACC1,1,2026-01-31\nACC1,0,2026-01-31\n", "one row a study"),
        ("accession,blood,date\nACC1,1,2226-01-31\n", "not in the future"),
        ("accession,blood,date\nACC1,1,2026-02-31\n", "not in the future"),
        ("accession,blood,date\nACC1,maybe,2026-01-31\n", "column blood"),
        ("accession,blood,grade,date\nACC1,0,PH1,2026-01-31\n", "grade none without blood"),
        ("blood,date\n1,2026-01-31\n", "at least one of the two"),
        ("accession,study_uid,blood,date\nACC1,1.2.2,1,2026-01-31\n", "exactly one study"),
        ("accession,date\nACC1,2026-01-31\n", "column blood"),
    ],
)
def test_a_table_with_a_fault_is_not_kept(
    outcomes: Outcomes, tmp_path: Path, table: str, fault: str
) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_text(table)
    with pytest.raises(TableError, match=fault) as refused:
        outcomes.import_table(path, BOSS)
    assert "ACC" not in str(refused.value)
    assert outcomes.of([1, 2, 3]) == {}


def test_a_table_is_kept(outcomes: Outcomes, tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_text(
        "Study UID,accession,blood,grade,date,by\n1.2.1,,yes,PH2,2026-01-31,x\n"
        ",ACC2,no,n/a,2026-01-31,x\n1.2.3,ACC3,yes,,2026-01-31,x\n"
    )
    assert outcomes.import_table(path, BOSS) == 3
    kept = [outcomes.history(study)[0].outcome for study in (1, 2, 3)]
    assert kept == [Outcome(True, "PH2", DAY), Outcome(False, "none", DAY), Outcome(True, "", DAY)]
