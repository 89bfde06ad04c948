"""The history that a service exports is what ``hemocast monitor`` reads, and names nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset.pseudonym import study_id
from hemocast.evaluate.inputs.history import read_history
from hemocast.serve.hospital.people.audit import Audit
from hemocast.serve.hospital.people.history import HISTORY_TABLE, OUTCOME_TABLE, Trial, trial_of
from hemocast.serve.hospital.people.outcomes import Outcome, Outcomes
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import Jobs, State
from hemocast.serve.hospital.store.results import Result, add_results
from hemocast.serve.hospital.store.search import forget_images

from .conftest import BOSS, KEY, arrive


def finish(database: Database, study: int, *given: Result) -> None:
    jobs = Jobs(database)
    state = State.PREDICTED if any(one.probability for one in given) else State.REFUSED
    error = ("", "") if state is State.PREDICTED else (given[0].code, "why")
    also = [lambda connection: add_results(connection, given)]
    assert jobs.move(jobs.get(study), state, error=error, also=also) is not None


def done(study: int, scan: str, probability: float, **signs: float) -> Result:
    return Result(
        study, 1, scan, "done", "", probability, "m" * 64, participant=f"sub-{study}",
        scanner="GE REVOLUTION CT", simulated=True, signs=signs,
    )  # fmt: skip


@pytest.fixture
def trial(database: Database, audit: Audit) -> Trial:
    """Five studies: two scans with results, a refusal without a scan, one failed, one waiting."""
    for number in range(1, 6):
        arrive(database, number)
    finish(database, 1, done(1, "scan-a", 0.25, aspects=7.0), done(1, "scan-b", 0.75))
    finish(database, 2, Result(2, 1, "scan-c", "refused", "HC205", None, "", participant="sub-2"))
    finish(database, 3, Result(3, 1, "-0", "refused", "rule", None, ""))
    jobs = Jobs(database)
    jobs.move(jobs.get(4), State.FAILED, error=("HC008", "ended"))
    outcomes = Outcomes(database, audit)
    outcomes.add({1: Outcome(True, "PH1", date(2026, 1, 31))}, BOSS)
    # Images that are deleted take no time with them.
    assert forget_images(database, jobs.get(1), "their time is over")
    return trial_of(database, outcomes, KEY)


def test_monitor_reads_every_scan_and_its_outcome(trial: Trial, tmp_path: Path) -> None:
    tables = trial.tables()
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    found = read_history(tmp_path / HISTORY_TABLE, tmp_path / OUTCOME_TABLE)
    status = ["done", "done", "refused", "refused", "failed", "waiting"]
    assert list(found.status) == status
    assert list(found.code) == ["", "", "HC205", "rule", "HC008", ""]
    assert list(found.scans.patient)[:2] == ["sub-1", "sub-1"]
    assert not np.isnat(found.last_slice).any()
    assert (found.predicted[:4] >= found.last_slice[:4]).all()
    scanner = found.scans.feature("scanner")
    assert scanner is not None
    assert scanner.values[0] == "GE REVOLUTION CT"
    aspects = found.scans.feature("aspects")
    assert aspects is not None
    assert aspects.values[0] == 7
    assert np.isnan(aspects.values[1:]).all()
    assert found.scans.simulated
    assert found.outcomes is not None
    assert list(found.outcomes.label[:2]) == [1, 1]
    assert np.isnan(found.outcomes.label[2:]).all()
    assert found.outcomes.unmatched == 0


def test_no_identifier_is_in_the_tables(trial: Trial) -> None:
    text = "".join(trial.tables().values())
    assert study_id(KEY, "1.2.3") in text
    assert not any(word in text for word in ("MRN", "DOE", "ACC", "1.2.1", "1.2.3", "boss"))


def test_without_an_outcome_there_is_no_table_of_them(database: Database, audit: Audit) -> None:
    arrive(database, 1)
    assert list(trial_of(database, Outcomes(database, audit), KEY).tables()) == [HISTORY_TABLE]
