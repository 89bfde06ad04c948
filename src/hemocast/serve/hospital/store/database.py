"""The service's database: its schema brought up to date, and one transaction at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from hemocast.errors import StoreError
from hemocast.readers.store.engine import CANNOT_OPEN, open_engine
from hemocast.serve import extra_needed

_WRITES = "hemocast_writes"


class Database:
    """SQLite, or PostgreSQL, with the schema of this version.

    Parameters
    ----------
    url : str
        SQLAlchemy's.

    Raises
    ------
    StoreError
        Here and from every method: it cannot be opened, is damaged, or of a later version.
    MissingExtra
        What brings schemas up to date is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine: Engine = open_engine(url)
        except CANNOT_OPEN as error:
            raise _refused(type(error).__name__) from error
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            # The driver would begin a transaction late, and be turned away when it comes to write.
            event.listen(self.engine, "connect", _leave_transactions_to_us)
            event.listen(self.engine, "begin", _begin)
            with self.reading() as connection:
                if connection.execute(text("PRAGMA quick_check(1)")).scalar_one() != "ok":
                    raise _refused("damaged")
        with self.writing() as connection:
            _upgrade(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give one transaction that writes: durable when it has ended without an error."""
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one transaction that only reads, and waits for no writer."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self.engine.execution_options(**{_WRITES: writes}).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _refused(type(error).__name__) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection) -> None:
    with extra_needed("The hospital's service"):
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if connection.dialect.name == "postgresql":
        # Of two services that start at once one brings the schema up to date.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hemocast_hospital'))"))
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise _refused("its schema is of another version") from error


def now() -> str:
    """Give the system's time as it is kept."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _refused(why: str) -> StoreError:
    return StoreError(
        f"The database of the hospital's service refused ({why})",
        "an SQLite file, undamaged, or a PostgreSQL database that can be written, of this version "
        "of Hemocast or an earlier one",
        "Check storage.database and that the database runs, or restore the backup",
    )
