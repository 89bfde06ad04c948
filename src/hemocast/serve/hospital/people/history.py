"""The trial so far as tables that ``hemocast monitor`` reads: pseudonyms, and true times.

One row a scan, by the study's present revision; a study of which no scan has a result is a row by
itself. Names are those that ``hemocast predict`` and ``hemocast ingest`` give under the same key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from hemocast.dataset.pseudonym import study_id
from hemocast.evaluate.inputs.history import FAILED, HISTORY, OUTCOMES, WAITING
from hemocast.files import table_text
from hemocast.serve.hospital.people.outcomes import KeptOutcome, Outcomes
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.results import Result, results
from hemocast.serve.hospital.store.tables import INSTANCES, JOBS, STUDIES

HISTORY_TABLE, OUTCOME_TABLE = "history.csv", "outcomes.csv"
_OURS = ("revision", "model")
"""Beside the columns of `HISTORY`; `hemocast monitor` takes neither for a feature of a scan."""

Row = dict[str, object]


@dataclass(frozen=True)
class Trial:
    """What a service has seen.

    Parameters
    ----------
    scans : tuple of dict
        Rows as `HISTORY` says, with all signs that were measured.
    outcomes : tuple of dict
        Rows as `OUTCOMES` says.
    """

    scans: tuple[Row, ...]
    outcomes: tuple[Row, ...]

    def tables(self) -> dict[str, str]:
        """Write them as CSV, by their names; that of outcomes only where there is one."""
        columns = [column.name for column in HISTORY.columns] + list(_OURS)
        signs = dict.fromkeys(name for row in self.scans for name in row if name not in columns)
        written = {HISTORY_TABLE: table_text(self.scans, [*columns, *signs])}
        if self.outcomes:
            names = [column.name for column in OUTCOMES.columns]
            written[OUTCOME_TABLE] = table_text(self.outcomes, names)
        return written


def trial_of(database: Database, outcomes: Outcomes, key: bytes) -> Trial:
    """Look at all studies.

    Parameters
    ----------
    database : Database
    outcomes : Outcomes
    key : bytes
        Makes the pseudonyms of studies.
    """
    found: dict[tuple[int, int], list[Result]] = {}
    for one in results(database):
        found.setdefault((one.study, one.revision), []).append(one)
    studies = _studies(database)
    known = outcomes.of([row.id for row in studies])
    scans: dict[str, Row] = {}
    seen: dict[str, Row] = {}
    for row in studies:
        for name, scan in _scans(row, found.get((row.id, row.revision), []), key):
            scans[name] = {"scan_id": name} | scan
            if row.id in known:
                seen[name] = {"scan_id": name} | _outcome(known[row.id][0], scan)
    return Trial(tuple(scans.values()), tuple(seen.values()))


def _studies(database: Database) -> list[Any]:
    last = (
        select(INSTANCES.c.study, func.max(INSTANCES.c.id).label("id"))
        .group_by(INSTANCES.c.study)
        .subquery()
    )
    wanted = (
        select(
            STUDIES.c.id, STUDIES.c.study_uid, STUDIES.c.created_at, JOBS.c.state,
            JOBS.c.revision, JOBS.c.code, INSTANCES.c.sender, INSTANCES.c.received_at,
        )
        .join(JOBS, JOBS.c.study == STUDIES.c.id)
        .outerjoin(last, last.c.study == STUDIES.c.id)
        .outerjoin(INSTANCES, INSTANCES.c.id == last.c.id)
        .order_by(STUDIES.c.id)
    )  # fmt: skip
    with database.reading() as connection:
        return list(connection.execute(wanted))


def _scans(study: Any, found: list[Result], key: bytes) -> Iterator[tuple[str, Row]]:
    """Give the rows of a study, by the pseudonyms of its scans."""
    common: Row = {"arrived_at": study.created_at, "revision": study.revision}
    named = [one for one in found if not one.scan.startswith("-")]
    for one in named:
        yield one.scan, common | _scan(one) | dict(one.signs)
    if not named:
        own: Row = {
            "status": FAILED if study.state == State.FAILED else WAITING,
            "code": study.code,
            "last_slice_at": study.received_at,
            "site": study.sender,
        }
        own |= _scan(found[0]) if found else {}
        yield study_id(key, study.study_uid), common | own


def _scan(one: Result) -> Row:
    return {
        "participant_id": one.participant,
        "last_slice_at": one.last_slice_at and one.last_slice_at.isoformat(),
        "predicted_at": one.made_at and one.made_at.isoformat(),
        "status": one.status,
        "code": one.code,
        "probability": one.probability,
        "site": one.site,
        "scanner": one.scanner,
        "simulated": int(one.simulated),
        "model": one.model,
    }


def _outcome(kept: KeptOutcome, scan: Row) -> Row:
    outcome = kept.outcome
    return {
        "label": int(outcome.blood),
        "grade": outcome.grade,
        "observed_at": f"{outcome.seen_on.isoformat()}T00:00:00+00:00",
        "simulated": scan.get("simulated", 0),
    }
