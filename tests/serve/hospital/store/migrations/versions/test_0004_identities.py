"""Accounts of a version before are local; those of the provider keep whom they are of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("argon2", reason="the extra 'serve' is not installed")
from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.people.accounts import Accounts, Identity
from hemocast.serve.hospital.people.audit import Audit
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.store.database import Database

RELEASED = Path(__file__).parents[2] / "released"


def test_accounts_that_were_there_are_local(tmp_path: Path) -> None:
    found = {}
    for version in ("0003", "0004"):
        path = tmp_path / f"{version}.sqlite3"
        with closing(sqlite3.connect(path)) as made:
            made.executescript((RELEASED / f"{version}.sql").read_text(encoding="utf-8"))
        with closing(Database(sqlite_url(path))) as database:
            accounts = Accounts(database, Audit(database, b"key"))
            found[version] = [(one.name, one.local) for one in accounts.all()]
            if version == "0004":
                again = accounts.admit(Identity("ab" * 32, "other", Role.ENGINEER), "")
                assert again.name == "bea"
    assert found == {"0003": [("ann", True)], "0004": [("ann", True), ("bea", False)]}
