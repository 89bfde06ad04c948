"""What readers answered: rows are added, never changed, in SQLite or PostgreSQL.

A correction is a new row of the same presentation. Triggers in the database refuse every update
and deletion, also by somebody who opens the file with another program and does not remove them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from hemocast.errors import StoreError
from hemocast.readers.store.tables import ANSWERS, META, STUDIES, TOKENS
from hemocast.readers.study.design import Presentation

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Answer:
    """What a reader said at one moment.

    Parameters
    ----------
    answer_id : str
        Made by the page: the same answer sent twice is kept once.
    probability : float or None
        Of HT, in [0, 1].
    decision : int or None
        1 HT expected, 0 not.
    confidence : int or None
        1 to 5.
    regions : str
        The marked regions as JSON.
    seconds : float
        Time the page of this presentation has been in sight, over all sittings.
    final : bool
        Submitted; a draft otherwise.
    """

    answer_id: str
    probability: float | None = None
    decision: int | None = None
    confidence: int | None = None
    regions: str = "[]"
    seconds: float = 0.0
    final: bool = False


@dataclass(frozen=True)
class Kept:
    """An answer as it lies in the store.

    Parameters
    ----------
    row : int
        Rises with every answer.
    reader_id, arm, order, repeat, participant_id, scan_id
        As of the `Presentation`.
    answer : Answer
    read_at : datetime
        The server's clock, UTC.
    design_hash : str
        Of the design under which it was given.
    """

    row: int
    reader_id: str
    arm: str
    order: int
    repeat: int
    participant_id: str
    scan_id: str
    answer: Answer
    read_at: datetime
    design_hash: str

    @property
    def place(self) -> tuple[str, int]:
        """Arm and order: names the presentation of this reader."""
        return self.arm, self.order


@dataclass(frozen=True)
class Seat:
    """Who signed in.

    Parameters
    ----------
    reader_id : str
    number : int
        Of the link; a newer link of the same reader ends the older one.
    """

    reader_id: str
    number: int


class Store:
    """The answers of one study.

    Parameters
    ----------
    url : str
        SQLAlchemy's, of SQLite or PostgreSQL.
    study : str
        Its name; several studies may share a PostgreSQL database.

    Raises
    ------
    StoreError
        The database cannot be opened, or is of another kind.
    """

    def __init__(self, url: str, study: str) -> None:
        self.study = study
        self._engine = _engine(url)
        try:
            with self._engine.begin() as connection:
                META.create_all(connection)
                known = select(STUDIES.c.secret).where(STUDIES.c.study == study)
                secret = connection.execute(known).scalar_one_or_none()
                if secret is None:
                    secret = secrets.token_hex(32)
                    row = {"study": study, "secret": secret, "created_at": _text(_now())}
                    connection.execute(insert(STUDIES).values(row))
        except SQLAlchemyError as error:
            raise _refused(error) from error
        self._secret = bytes.fromhex(secret)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def sign(self, text: str) -> str:
        """Give 32 hexadecimal digits that only this study's store can make from `text`."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]

    def new_token(self, reader_id: str) -> str:
        """Give a reader a new personal token; only its hash is kept, the older one ends."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = {"study": self.study, "reader_id": reader_id, "token_hash": _hash(token)}
        with self._engine.begin() as connection:
            connection.execute(insert(TOKENS).values(row | {"created_at": _text(_now())}))
        return token

    def seat_of(self, token: str) -> Seat | None:
        """Tell who holds a token, or None."""
        columns = select(TOKENS.c.id, TOKENS.c.reader_id)
        wanted = columns.where(TOKENS.c.study == self.study, TOKENS.c.token_hash == _hash(token))
        with self._engine.connect() as connection:
            found = connection.execute(wanted).one_or_none()
        seat = Seat(found.reader_id, found.id) if found else None
        return seat if seat and self.is_current(seat) else None

    def is_current(self, seat: Seat) -> bool:
        """Tell whether a seat's link is still its reader's newest."""
        return self.links().get(seat.reader_id) == seat.number

    def links(self) -> dict[str, int]:
        """Number of the newest link of every reader who was given one."""
        rows = select(TOKENS.c.reader_id, TOKENS.c.id).where(TOKENS.c.study == self.study)
        with self._engine.connect() as connection:
            return {row.reader_id: row.id for row in connection.execute(rows.order_by("id"))}

    def add(self, shown: Presentation, answer: Answer, design_hash: str) -> datetime:
        """Keep an answer in one transaction; sent again, it is found and not kept twice.

        Returns
        -------
        datetime
            The server's time of the answer, UTC.

        Raises
        ------
        StoreError
            The database refuses: it cannot be written, a value is out of range, or the answer's id
            was used for another answer.
        """
        row = {
            "study": self.study,
            "reader_id": shown.reader_id,
            "arm": shown.arm,
            "order": shown.order,
            "repeat": shown.repeat,
            "participant_id": shown.case.participant_id,
            "scan_id": shown.case.scan_id,
            "read_at": _text(_now()),
            "design_hash": design_hash,
            **{name: getattr(answer, name) for name in Answer.__dataclass_fields__},
            "final": int(answer.final),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(ANSWERS).values(row))
        except IntegrityError as error:
            held = [kept for kept in self.answers(shown.reader_id) if _same(kept, shown, answer)]
            if held:
                return held[0].read_at
            raise _refused(error) from error
        except SQLAlchemyError as error:
            raise _refused(error) from error
        return datetime.fromisoformat(str(row["read_at"]))

    def answers(self, reader_id: str | None = None, *, final: bool = False) -> list[Kept]:
        """All answers (or the submitted ones) of the study, or of a reader, as they were kept."""
        wanted = select(ANSWERS).where(ANSWERS.c.study == self.study).order_by(ANSWERS.c.id)
        if reader_id is not None:
            wanted = wanted.where(ANSWERS.c.reader_id == reader_id)
        if final:
            wanted = wanted.where(ANSWERS.c.final == 1)
        with self._engine.connect() as connection:
            return [_kept(row._mapping) for row in connection.execute(wanted)]

    def latest(self, shown: Presentation) -> Kept | None:
        """Give the newest answer, draft or submitted, of a presentation."""
        columns = ANSWERS.c
        wanted = select(ANSWERS).where(
            columns.study == self.study,
            columns.reader_id == shown.reader_id,
            columns.arm == shown.arm,
            columns.order == shown.order,
        )
        with self._engine.connect() as connection:
            found = connection.execute(wanted.order_by(columns.id.desc()).limit(1)).one_or_none()
        return _kept(found._mapping) if found else None

    def started_arms(self, reader_id: str) -> set[str]:
        """Arms in which a reader has answered anything."""
        columns = ANSWERS.c
        wanted = select(columns.arm).where(
            columns.study == self.study, columns.reader_id == reader_id
        )
        with self._engine.connect() as connection:
            return set(connection.execute(wanted.distinct()).scalars())

    def design_hashes(self) -> set[str]:
        """Designs under which anything was answered; more than one is a fault."""
        wanted = select(ANSWERS.c.design_hash).where(ANSWERS.c.study == self.study)
        with self._engine.connect() as connection:
            return set(connection.execute(wanted.distinct()).scalars())


def last_finals(answers: Sequence[Kept]) -> dict[tuple[str, str, int], Kept]:
    """Give the last submitted answer of every (reader, arm, order)."""
    return {(kept.reader_id, *kept.place): kept for kept in answers if kept.answer.final}


def sqlite_url(path: Path) -> str:
    """Address of an SQLite file for `Store`."""
    return f"sqlite:///{path.resolve()}"


def _engine(url: str) -> Engine:
    try:
        kind = make_url(url)
        if kind.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ArgumentError("neither SQLite nor PostgreSQL")
        if kind.drivername == "postgresql":
            kind = kind.set(drivername="postgresql+psycopg")
        engine = create_engine(kind, pool_pre_ping=kind.get_backend_name() == "postgresql")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise _refused(error) from error
    if kind.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # WAL lets readers go on while one writes; FULL survives a power cut; others wait their turn.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _kept(row: Any) -> Kept:
    answer = {name: row[name] for name in Answer.__dataclass_fields__}
    return Kept(
        row=row["id"],
        answer=Answer(**(answer | {"final": bool(answer["final"])})),
        read_at=datetime.fromisoformat(row["read_at"]),
        **{
            name: row[name]
            for name in ("reader_id", "arm", "order", "repeat", "participant_id", "scan_id")
        },
        design_hash=row["design_hash"],
    )


def _same(kept: Kept, shown: Presentation, answer: Answer) -> bool:
    return kept.answer == answer and kept.place == (shown.arm, shown.order)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _refused(error: Exception) -> StoreError:
    return StoreError(
        f"The database of the readings refused ({type(error).__name__})",
        "an SQLite file or a PostgreSQL database that can be written, and values in range",
        "Check the address after --database, and that the database is running",
    )
