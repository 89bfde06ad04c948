"""A database by its address: SQLite that survives a power cut, or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

CANNOT_OPEN = (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError)
"""What `open_engine` raises where an address is of no database that it knows."""


def sqlite_url(path: Path) -> str:
    """Give the address of an SQLite file."""
    return f"sqlite:///{path.resolve()}"


_KEEPALIVES = {"idle": 30, "interval": 10, "count": 3}
_FREE_SOON = " ".join(f"-c tcp_keepalives_{name}={value}" for name, value in _KEEPALIVES.items())
"""What a machine held that is gone is free after a minute, not after the two hours of TCP."""


def open_engine(url: str) -> Engine:
    """Prepare connections to a database; none is made yet.

    Parameters
    ----------
    url : str
        SQLAlchemy's, of SQLite or PostgreSQL.

    Raises
    ------
    ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError
        It is of another database, its driver is missing, or it is none: `CANNOT_OPEN`.
    """
    kind = make_url(url)
    if kind.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ArgumentError("neither SQLite nor PostgreSQL")
    if kind.drivername == "postgresql":
        kind = kind.set(drivername="postgresql+psycopg")
    if kind.get_backend_name() == "sqlite":
        engine = create_engine(kind)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    # A database that does not answer is said to be away, not waited for.
    wait = {"connect_timeout": 5, "options": _FREE_SOON}
    # Who works on a job of the hospital's service holds a connection for as long.
    return create_engine(
        kind, pool_pre_ping=True, pool_timeout=10, max_overflow=80, connect_args=wait
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # WAL lets readers go on while one writes; FULL survives a power cut; others wait their turn.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}").close()
