"""A database by its address: SQLite or PostgreSQL, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from hemocast.readers.store.engine import CANNOT_OPEN, open_engine, sqlite_url


def test_sqlite_waits_its_turn_and_survives_a_power_cut(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "x.sqlite"))
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
    engine.dispose()
    assert found == ["wal", 2, 15000]


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "sqlite+none:///x"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(CANNOT_OPEN):
        open_engine(url)
