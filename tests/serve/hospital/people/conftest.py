"""A store with people, on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("alembic", reason="the extra 'serve' is not installed")
from argon2 import PasswordHasher

from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.people import accounts as passwords
from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Audit, Person
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals
from hemocast.serve.hospital.store.database import Database

KEY = b"k" * 32
BOSS = Person("cli:boss")
PASSWORD = "correct horse battery"  # noqa: S105 - of the tests


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords in no time: what that costs is a matter of `test_accounts.py`."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(sqlite_url(tmp_path / "hospital.sqlite3"))) as opened:
        yield opened


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database, KEY)


@pytest.fixture
def accounts(database: Database, audit: Audit) -> Accounts:
    return Accounts(database, audit)


def arrive(database: Database, number: int, patient: str = "") -> None:
    """Let an image of a study arrive; studies are numbered from 1."""
    uid = f"1.2.{number}"
    Arrivals(database).add(
        Arrival(
            name=f"{number:032x}", study_uid=uid, series_uid=f"{uid}.1", sop_uid=f"{uid}.1.1",
            sop_class="1.2.840.10008.5.1.4.1.1.2", syntax="1.2.840.10008.1.2.1",
            patient_id=patient or f"MRN-{number}", patient_name="DOE^JANE",
            accession=f"ACC{number}", digest=f"{number:064x}", n_bytes=1, file="a.dcm",
            sender="CT1",
        )
    )  # fmt: skip
