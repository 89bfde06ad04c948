"""What became of patients, entered or imported later: kept with history, the last one holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from hemocast.dataset.tables.columns import (
    FIRST_ROW,
    Column,
    Fault,
    Rule,
    TableSchema,
    parse_table,
    refuse,
)
from hemocast.dataset.tables.schema import GRADES
from hemocast.errors import TableError
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.people import OUTCOMES
from hemocast.serve.hospital.store.tables import STUDIES
from hemocast.tables import read_table

BLEEDS = GRADES[1:]
_NAME = "outcomes.csv"
_FIRST = date(2000, 1, 1)
_SCHEMA = TableSchema(
    _NAME,
    (
        Column("study_uid", pattern=r"[0-9.]{1,64}", described="a study UID"),
        Column("accession", pattern=r"[^\x00-\x1f]{1,16}", described="an accession number"),
        Column("blood", "flag", required=True, blank=False),
        Column("grade", "choice", choices=GRADES),
        Column(
            "date",
            required=True,
            blank=False,
            pattern=r"\d{4}-\d\d-\d\d",
            described="the follow-up's date as 2026-01-31",
        ),
    ),
    key=("study_uid", "accession"),
    rules=(
        Rule(
            ("study_uid", "accession"),
            lambda t: t["study_uid"].isna() & t["accession"].isna(),
            "at least one of the two",
        ),
        Rule(
            ("blood", "grade"),
            lambda t: t["grade"].notna() & (t["blood"] == (t["grade"] == "none")),
            "grade none without blood, another or n/a with blood",
        ),
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What a follow-up scan, or its report, showed.

    Parameters
    ----------
    blood : bool
    grade : str
        ECASS: HI1, HI2, PH1, PH2; ``none`` without blood; "" not graded.
    seen_on : date
        Of the follow-up.
    """

    blood: bool
    grade: str
    seen_on: date


@dataclass(frozen=True)
class KeptOutcome:
    """An outcome as it was entered.

    Parameters
    ----------
    outcome : Outcome
    who : str
    at : datetime
        The system's clock, UTC.
    """

    outcome: Outcome
    who: str
    at: datetime


def read_outcome(blood: str, grade: str, seen_on: str) -> Outcome:
    """Read an outcome from a form.

    Raises
    ------
    TableError
        It says nothing, or contradicts itself.
    """
    try:
        day = date.fromisoformat(seen_on)
    except ValueError:
        day = date.min
    graded = grade in (("", *BLEEDS) if blood == "1" else ("", "none"))
    if blood not in {"0", "1"} or not graded or not _can_be(day):
        raise TableError(
            "The outcome cannot be kept",
            "blood yes or no, a grade only with blood, the follow-up's date, not of the future",
            "Correct what was entered",
        )
    return Outcome(blood == "1", grade if blood == "1" else "none", day)


def _can_be(day: date) -> bool:
    # A day more: the hospital's clock may be ahead of UTC.
    return _FIRST <= day <= datetime.now().astimezone().date() + timedelta(days=1)


class Outcomes:
    """The outcomes of a service's studies.

    Parameters
    ----------
    database : Database
    audit : Audit
    """

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def add(self, outcomes: Mapping[int, Outcome], by: Person, detail: str = "entered") -> None:
        """Keep outcomes by the numbers of their studies: all of them, or none."""
        with self._database.writing() as connection:
            for study, one in outcomes.items():
                row = {
                    "study": study, "blood": int(one.blood), "grade": one.grade,
                    "seen_on": one.seen_on.isoformat(), "who": by.name, "at": now(),
                }  # fmt: skip
                connection.execute(insert(OUTCOMES).values(**row))
            self._audit.add(connection, Act(Kind.OUTCOME, by, tuple(outcomes), detail))

    def history(self, study: int) -> list[KeptOutcome]:
        """All that was entered of a study, the last first."""
        return self.of([study]).get(study, [])

    def of(self, studies: Sequence[int]) -> dict[int, list[KeptOutcome]]:
        """All that was entered of some studies, the last first."""
        wanted = select(OUTCOMES).where(OUTCOMES.c.study.in_(studies))
        found: dict[int, list[KeptOutcome]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(wanted.order_by(OUTCOMES.c.id.desc())):
                found.setdefault(row.study, []).append(_kept(row))
        return found

    def import_table(self, path: Path, by: Person) -> int:
        """Keep the outcomes of a table; return how many.

        Parameters
        ----------
        path : Path
            CSV, TSV or Excel: ``study_uid`` or ``accession``, ``blood``, ``grade``, ``date``.
        by : Person

        Raises
        ------
        TableError
            A row is wrong, or tells of no study here, or of more than one. None is kept.
        """
        parsed = parse_table(_SCHEMA, read_table(path, _NAME))
        refuse(parsed.faults)
        table = parsed.table
        known = self._known()
        found = [
            _study_of(known, row.study_uid, row.accession)
            for row in table[["study_uid", "accession"]].itertuples()
        ]
        days = [_day(text) for text in table["date"]]
        faults = (
            ("study_uid", [one is None for one in found], "exactly one study that came here"),
            ("study_uid", _repeated(found), "one row a study"),
            ("date", [day is None for day in days], "a day that is not in the future"),
        )
        refuse(tuple(_fault(column, wrong, said) for column, wrong, said in faults if any(wrong)))
        grades = table["grade"].fillna("")
        outcomes = {
            study: Outcome(bool(blood), grade if blood else "none", day)
            for study, blood, grade, day in zip(found, table["blood"], grades, days, strict=True)
            if study is not None and day is not None
        }
        self.add(outcomes, by, "imported")
        return len(outcomes)

    def _known(self) -> dict[str, set[int]]:
        wanted = select(STUDIES.c.id, STUDIES.c.study_uid, STUDIES.c.accession)
        known: dict[str, set[int]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                for name in (f"uid:{row.study_uid}", f"accession:{row.accession}"):
                    known.setdefault(name, set()).add(row.id)
        return known


def _study_of(known: Mapping[str, set[int]], uid: Any, accession: Any) -> int | None:
    """Give the one study that a row names; both names, where given, must be its."""
    named = [
        known.get(f"{kind}:{name}", set())
        for kind, name in (("uid", uid), ("accession", accession))
        if isinstance(name, str)
    ]
    both = set.intersection(*named)
    return both.pop() if len(both) == 1 else None


def _repeated(found: Sequence[int | None]) -> list[bool]:
    often = Counter(found)
    return [one is not None and often[one] > 1 for one in found]


def _fault(column: str, wrong: Sequence[bool], allowed: str) -> Fault:
    rows = tuple(number for number, bad in enumerate(wrong, start=FIRST_ROW) if bad)
    return Fault(_NAME, column, rows, allowed)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _can_be(day) else None


def _kept(row: Any) -> KeptOutcome:
    outcome = Outcome(bool(row.blood), row.grade, date.fromisoformat(row.seen_on))
    return KeptOutcome(outcome, row.who, datetime.fromisoformat(row.at))
