"""A database of each kind, new for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from hemocast.readers.store.engine import sqlite_url
from hemocast.serve.hospital.store.arrivals import Arrival
from hemocast.serve.hospital.store.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "hospital.sqlite3")
    url = str(request.getfixturevalue("postgres"))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give an empty database, opened."""
    with closing(Database(database_url)) as opened:
        yield opened


def arrival(study: int = 1, image: int = 1, digest: str = "d") -> Arrival:
    """Make up an image."""
    return Arrival(
        name=f"{study:032d}", study_uid=f"1.{study}", series_uid=f"1.{study}.1",
        sop_uid=f"1.{study}.1.{image}", sop_class="1.2", syntax="1.2", patient_id=f"P{study}",
        patient_name=f"N{study}", accession=f"A{study}", digest=digest * 64, n_bytes=5,
        file=f"{image}.dcm", sender="CT1",
    )  # fmt: skip


@pytest.fixture
def make_arrival() -> Callable[..., Arrival]:
    """Return `arrival`."""
    return arrival
