"""Results of a version before have no history: that is said, not made up."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.results import results

RELEASED = Path(__file__).parents[2] / "released"


def test_what_an_earlier_version_did_not_keep_is_not_known(tmp_path: Path) -> None:
    kept = {}
    for version in ("0002", "0003"):
        path = tmp_path / f"{version}.sqlite3"
        with closing(sqlite3.connect(path)) as made:
            made.executescript((RELEASED / f"{version}.sql").read_text(encoding="utf-8"))
        with closing(Database(sqlite_url(path))) as database:
            kept[version] = results(database, 1)[0]
    before, after = kept["0002"], kept["0003"]
    assert (before.participant, before.last_slice_at, dict(before.signs)) == ("", None, {})
    assert (after.participant, dict(after.signs)) == ("sub-1", {"aspects": 7.0})
    assert after.last_slice_at is not None
