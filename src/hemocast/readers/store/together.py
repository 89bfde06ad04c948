"""Answers that wait at once are written in one transaction: one flush to the disk for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

Row = TypeVar("Row")


@dataclass
class _Waiting(Generic[Row]):
    row: Row
    written: bool = False
    fault: Exception | None = None


class Together(Generic[Row]):
    """Writes rows from many threads, one transaction at a time.

    While one transaction is flushed to the disk the next rows gather; whoever comes to turn first
    writes them all. A row is acknowledged only after its own transaction has been committed.

    Parameters
    ----------
    write : callable
        Takes rows and writes them all, or none and raises.
    """

    def __init__(self, write: Callable[[Sequence[Row]], None]) -> None:
        self._write = write
        self._waiting: deque[_Waiting[Row]] = deque()
        self._turn = Lock()

    def add(self, row: Row) -> None:
        """Return once the row is durable; raises what `write` raised for it."""
        mine = _Waiting(row)
        self._waiting.append(mine)
        with self._turn:
            if not mine.written and mine.fault is None:
                self._write_all([self._waiting.popleft() for _ in range(len(self._waiting))])
        if mine.fault is not None:
            raise mine.fault

    def _write_all(self, waiting: list[_Waiting[Row]]) -> None:
        try:
            self._write([one.row for one in waiting])
        except Exception as error:
            # One row that the database refuses must not cost the others.
            if len(waiting) > 1 and isinstance(error.__cause__, IntegrityError | DataError):
                for one in waiting:
                    self._write_all([one])
                return
            for one in waiting:
                one.fault = error
        else:
            for one in waiting:
                one.written = True
