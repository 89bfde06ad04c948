"""What readers answered: rows are added, never changed, in SQLite or PostgreSQL.

A correction is a new row of the same reading. Triggers in the database refuse every update
and deletion, also by somebody who opens the file with another program and does not remove them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from hemocast.errors import StoreError
from hemocast.readers.store.engine import CANNOT_OPEN, open_engine
from hemocast.readers.store.tables import ANSWERS, ENTRIES, META, STUDIES, TOKENS
from hemocast.readers.store.together import Together
from hemocast.readers.study.design import PlannedReading

_Part = TypeVar("_Part", "Answer", PlannedReading)


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
        Time the page of this reading has been in sight, over all sittings.
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
class StoredAnswer:
    """An answer as it lies in the store.

    Parameters
    ----------
    row : int
        Rises with every answer.
    reading : PlannedReading
        What was answered.
    answer : Answer
    read_at : datetime
        The server's clock, UTC.
    """

    row: int
    reading: PlannedReading
    answer: Answer
    read_at: datetime


@dataclass(frozen=True)
class Trace:
    """That something was answered, without what.

    Parameters
    ----------
    row : int
        As in `StoredAnswer`.
    place : (str, int)
        As in `PlannedReading`.
    final : bool
    read_at : datetime
        UTC.
    """

    row: int
    place: tuple[str, int]
    final: bool
    read_at: datetime


@dataclass(frozen=True)
class PersonalLink:
    """The link by which a reader signed in.

    Parameters
    ----------
    reader_id : str
    number : int
        A newer link of the same reader, with a higher number, ends this one.
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
        Here and from every method: the database cannot be opened, is damaged or of another kind.
    """

    def __init__(self, url: str, study: str) -> None:
        self.study = study
        self._engine = _engine(url)
        self._rows = Together(self._insert)
        with self._connection() as connection:
            if self._engine.dialect.name == "sqlite":
                state = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
                if state != "ok":
                    raise _refused("damaged")
            META.create_all(connection)
            known = select(STUDIES.c.secret).where(STUDIES.c.study == study)
            secret = connection.execute(known).scalar_one_or_none()
            if secret is None:
                secret = secrets.token_hex(32)
                row = {"study": study, "secret": secret, "created_at": _now()}
                connection.execute(insert(STUDIES).values(row))
        self._secret = bytes.fromhex(secret)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """One transaction; what the database says becomes a refusal that names no address."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _refused(type(error).__name__) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def sign(self, text: str) -> str:
        """Give 32 hexadecimal digits that only this study's store can make from `text`."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]

    def new_token(self, reader_id: str) -> str:
        """Give a reader a new personal token; only its hash is kept, the older one ends."""
        token = secrets.token_urlsafe(32)
        row = {"study": self.study, "reader_id": reader_id, "token_hash": _hash(token)}
        with self._connection() as connection:
            connection.execute(insert(TOKENS).values(row | {"created_at": _now()}))
        return token

    def link_of(self, token: str) -> PersonalLink | None:
        """Tell whose current link a token is, or None."""
        columns = select(TOKENS.c.reader_id, TOKENS.c.id)
        wanted = columns.where(TOKENS.c.study == self.study, TOKENS.c.token_hash == _hash(token))
        with self._connection() as connection:
            found = connection.execute(wanted).one_or_none()
        return self.current_link(found.id) if found else None

    def current_link(self, number: int) -> PersonalLink | None:
        """Give a link by its number if it is still its reader's newest."""
        newer = TOKENS.alias()
        same = newer.c.study == TOKENS.c.study, newer.c.reader_id == TOKENS.c.reader_id
        newest = select(func.max(newer.c.id)).where(*same).scalar_subquery()
        wanted = select(TOKENS.c.reader_id).where(
            TOKENS.c.study == self.study, TOKENS.c.id == number, newest == number
        )
        with self._connection() as connection:
            reader = connection.execute(wanted).scalar_one_or_none()
        return None if reader is None else PersonalLink(reader, number)

    def links(self) -> dict[str, int]:
        """Number of the newest link of every reader who was given one."""
        rows = select(TOKENS.c.reader_id, TOKENS.c.id).where(TOKENS.c.study == self.study)
        with self._connection() as connection:
            return {row.reader_id: row.id for row in connection.execute(rows.order_by("id"))}

    def use(self, link: PersonalLink) -> bool:
        """Sign in by a link, once: False if that was done before."""
        row = {"token": link.number, "entered_at": _now()}
        try:
            with self._connection() as connection:
                connection.execute(insert(ENTRIES).values(row))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                return False
            raise
        return True

    def used_links(self) -> set[int]:
        """Numbers of the links by which somebody has signed in."""
        with self._connection() as connection:
            return set(connection.execute(select(ENTRIES.c.token)).scalars())

    def add(self, reading: PlannedReading, answer: Answer, design_hash: str) -> datetime:
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
        now = _now()
        row = asdict(reading) | asdict(answer) | {"final": int(answer.final)}
        row |= {"study": self.study, "read_at": now, "design_hash": design_hash}
        try:
            self._rows.add(row)
        except StoreError:
            for stored in self.answers(reading.reader_id):
                if stored.answer == answer and stored.reading.place == reading.place:
                    return stored.read_at
            raise
        return datetime.fromisoformat(now)

    def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        with self._connection() as connection:
            connection.execute(insert(ANSWERS), rows)

    def answers(self, reader_id: str | None = None, *, final: bool = False) -> list[StoredAnswer]:
        """All answers (or the submitted ones) of the study, or of a reader, as they were kept."""
        conditions = [] if reader_id is None else [ANSWERS.c.reader_id == reader_id]
        return self._kept(*conditions, *([ANSWERS.c.final == 1] if final else []))

    def latest(self, reading: PlannedReading) -> StoredAnswer | None:
        """Give the newest answer, draft or submitted, of a reading."""
        same = [ANSWERS.c[name] == getattr(reading, name) for name in ("reader_id", "arm", "order")]
        kept = self._kept(*same)
        return kept[-1] if kept else None

    def _kept(self, *conditions: Any) -> list[StoredAnswer]:
        wanted = select(ANSWERS).where(ANSWERS.c.study == self.study, *conditions)
        with self._connection() as connection:
            rows = connection.execute(wanted.order_by(ANSWERS.c.id)).mappings()
            return [_stored(row) for row in rows]

    def traces(self, reader_id: str, after: int = 0) -> list[Trace]:
        """Tell what a reader has answered in rows past `after`, in their order."""
        columns = [ANSWERS.c[name] for name in ("id", "arm", "order", "final", "read_at")]
        mine = ANSWERS.c.study == self.study, ANSWERS.c.reader_id == reader_id
        wanted = select(*columns).where(*mine, ANSWERS.c.id > after).order_by(ANSWERS.c.id)
        with self._connection() as connection:
            return [
                Trace(row, (arm, order), bool(final), datetime.fromisoformat(read_at))
                for row, arm, order, final, read_at in connection.execute(wanted)
            ]

    def design_hashes(self) -> set[str]:
        """Designs under which anything was answered; more than one is a fault."""
        wanted = select(ANSWERS.c.design_hash).where(ANSWERS.c.study == self.study).distinct()
        with self._connection() as connection:
            return set(connection.execute(wanted).scalars())


def last_finals(answers: Sequence[StoredAnswer]) -> dict[tuple[str, str, int], StoredAnswer]:
    """Give the last submitted answer of every (reader, arm, order)."""
    finals = [stored for stored in answers if stored.answer.final]
    return {(stored.reading.reader_id, *stored.reading.place): stored for stored in finals}


def _engine(url: str) -> Engine:
    try:
        return open_engine(url)
    except CANNOT_OPEN as error:
        raise _refused(type(error).__name__) from error


def _stored(row: RowMapping) -> StoredAnswer:
    answer = _part(Answer, row)
    return StoredAnswer(
        row=row["id"],
        reading=_part(PlannedReading, row),
        answer=replace(answer, final=bool(answer.final)),
        read_at=datetime.fromisoformat(row["read_at"]),
    )


def _part(kind: type[_Part], row: RowMapping) -> _Part:
    """The columns of a row that are the fields of `kind`."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _refused(why: str) -> StoreError:
    return StoreError(
        f"The database of the readings refused ({why})",
        "an SQLite file, undamaged, or a PostgreSQL database that can be written, and values in "
        "range",
        "Check the address after --database and that the database runs, or restore the file",
    )
