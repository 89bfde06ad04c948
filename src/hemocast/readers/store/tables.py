"""The tables of the readers' answers, and the triggers that refuse every change to a row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, CheckConstraint, Column, Index, MetaData, Table, UniqueConstraint, event
from sqlalchemy.types import Float, Integer, String, Text

META = MetaData()
STUDIES = Table(
    "reader_studies",
    META,
    Column("study", String(40), primary_key=True),
    Column("secret", String(64), nullable=False),
    Column("created_at", String(32), nullable=False),
)
TOKENS = Table(
    "reader_tokens",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(40), nullable=False),
    Column("reader_id", String(40), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
)
ENTRIES = Table(
    "reader_entries",
    META,
    Column("token", Integer, primary_key=True, autoincrement=False),
    Column("entered_at", String(32), nullable=False),
)
ANSWERS = Table(
    "reader_answers",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(40), nullable=False),
    Column("answer_id", String(36), nullable=False),
    Column("reader_id", String(40), nullable=False),
    Column("arm", String(8), nullable=False),
    Column("order", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("participant_id", String(80), nullable=False),
    Column("scan_id", String(120), nullable=False),
    Column("probability", Float, CheckConstraint("probability BETWEEN 0 AND 1")),
    Column("decision", Integer, CheckConstraint("decision IN (0, 1)")),
    Column("confidence", Integer, CheckConstraint("confidence BETWEEN 1 AND 5")),
    Column("regions", Text, nullable=False),
    Column("seconds", Float, CheckConstraint("seconds >= 0"), nullable=False),
    Column("final", Integer, CheckConstraint("final IN (0, 1)"), nullable=False),
    Column("read_at", String(32), nullable=False),
    Column("design_hash", String(64), nullable=False),
    UniqueConstraint("study", "reader_id", "answer_id"),
    Index("reader_answers_place", "study", "reader_id", "arm", "order"),
)
_SAY = "answers are only added"
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION hemocast_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_SAY}'; END $$"
)
_FREEZE = {
    "sqlite": [
        f"CREATE TRIGGER {{0}}_{verb.lower()} BEFORE {verb} ON {{0}} "
        f"BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        _FUNCTION,
        "CREATE TRIGGER {0}_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {0} "
        "FOR EACH STATEMENT EXECUTE FUNCTION hemocast_refuse()",
    ],
}
_ddl: Any = DDL  # its constructor carries no annotations
for _table in META.sorted_tables:
    for _dialect, _statements in _FREEZE.items():
        for _statement in _statements:
            _trigger = _ddl(_statement.format(_table.name)).execute_if(dialect=_dialect)
            event.listen(_table, "after_create", _trigger)
