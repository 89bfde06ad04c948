"""What a peer was asked to keep is still asked for after the next version has come."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.store.commitments import Commitments
from hemocast.serve.hospital.store.database import Database

RELEASED = Path(__file__).parents[2] / "released"


def test_requests_are_kept(tmp_path: Path) -> None:
    found = {}
    for version in ("0004", "0005"):
        path = tmp_path / f"{version}.sqlite3"
        with closing(sqlite3.connect(path)) as made:
            made.executescript((RELEASED / f"{version}.sql").read_text(encoding="utf-8"))
        with closing(Database(sqlite_url(path))) as database:
            found[version] = Commitments(database).all()
    assert found["0004"] == []
    assert [(one.request, one.delivery.number, one.kept) for one in found["0005"]] == [
        ("2.25.7", 1, None)
    ]
