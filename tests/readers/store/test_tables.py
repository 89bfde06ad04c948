"""The tables: the columns that older databases have, and the triggers, made with every table."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from hemocast.readers.store.tables import ANSWERS, META

ROW = {
    "study": "s", "answer_id": "a", "reader_id": "R1", "arm": "unaided", "order": 1, "repeat": 0,
    "participant_id": "sub-1", "scan_id": "sub-1_ses-01", "regions": "[]", "seconds": 1.0,
    "final": 0, "read_at": "2026-01-01T00:00:00+00:00", "design_hash": "h",
}  # fmt: skip


def test_the_columns_are_those_of_databases_in_use() -> None:
    columns = {table.name: set(table.c.keys()) for table in META.sorted_tables}
    assert columns["reader_studies"] == {"study", "secret", "created_at"}
    assert columns["reader_tokens"] == {"id", "study", "reader_id", "token_hash", "created_at"}
    given = {"id", "probability", "decision", "confidence"}
    assert columns["reader_answers"] == given | ROW.keys()


def test_every_table_refuses_changes_and_an_answer_counts_once() -> None:
    engine = create_engine("sqlite://")
    META.create_all(engine)
    META.create_all(engine)  # as every start does
    assert set(inspect(engine).get_table_names()) == set(META.tables)
    with engine.begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        assert set(names.scalars()) == {f"{t}_{verb}" for t in META.tables for verb in VERBS}
        connection.execute(ANSWERS.insert().values(ROW))
    for change in ("UPDATE reader_answers SET final = 1", "DELETE FROM reader_answers"):
        with pytest.raises(DBAPIError, match="only added"), engine.begin() as connection:
            connection.execute(text(change))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(ANSWERS.insert().values(ROW | {"arm": "aided"}))
    engine.dispose()


VERBS = ("update", "delete")
