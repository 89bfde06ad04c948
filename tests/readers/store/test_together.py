"""Answers written together: each acknowledged once it is durable, none at another's cost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.exc import IntegrityError

from hemocast.errors import StoreError
from hemocast.readers.store.together import Together


def refused(row: int) -> StoreError:
    error = StoreError(f"{row}", "", "")
    error.__cause__ = IntegrityError("", None, Exception())
    return error


def test_what_gathers_during_a_flush_goes_into_the_next_transaction_together() -> None:
    flushing, go = Event(), Event()
    written: list[list[int]] = []

    def write(rows: Sequence[int]) -> None:
        flushing.set()
        assert go.wait(20)
        written.append(list(rows))

    together = Together(write)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(together.add, 0)
        assert flushing.wait(20)
        others = [pool.submit(together.add, row) for row in range(1, 20)]
        until = time.monotonic() + 20
        while len(together._waiting) < 19 and time.monotonic() < until:
            time.sleep(0.01)
        assert not any(one.done() for one in (first, *others))  # nothing is durable yet
        go.set()
        for one in (first, *others):
            one.result(20)
    assert written[0] == [0]
    assert len(written) == 2
    assert sorted(written[1]) == list(range(1, 20))


def test_a_row_that_is_refused_costs_no_other() -> None:
    written: list[int] = []

    def write(rows: Sequence[int]) -> None:
        if 7 in rows:
            raise refused(7)
        written.extend(rows)

    together = Together(write)

    def add(row: int) -> bool:
        try:
            together.add(row)
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(add, range(12))) == [row != 7 for row in range(12)]
    assert sorted(written) == [row for row in range(12) if row != 7]


@pytest.mark.parametrize("error", [StoreError("down", "", ""), RuntimeError("ours")], ids=repr)
def test_nothing_is_acknowledged_that_was_not_written(error: Exception) -> None:
    calls: list[int] = []

    def write(rows: Sequence[int]) -> None:
        calls.append(len(rows))
        raise error

    together = Together(write)

    def add(row: int) -> type[Exception] | None:
        try:
            together.add(row)
        except (StoreError, RuntimeError) as caught:
            return type(caught)
        return None

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(add, range(8))) == {type(error)}
    assert sum(calls) == 8  # a database that is down is not asked for each row again


WRITE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4
from hemocast.readers.store.answers import Answer, Store
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.study.design import PlannedReading

store = Store(sqlite_url(Path(sys.argv[1])), "s")
def write(reader):
    for order in range(10_000):
        reading = PlannedReading(f"R{reader}", "unaided", order, 0, "sub-1", "sub-1_ses-01")
        answer = Answer(str(uuid4()), 0.5)
        store.add(reading, answer, "h")
        sys.stdout.write(answer.answer_id + "\\n")
        sys.stdout.flush()
with ThreadPoolExecutor(8) as pool:
    list(pool.map(write, range(8)))
"""


def test_what_was_acknowledged_outlives_a_kill_however_many_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    command = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        told = [writer.stdout.readline().strip() for _ in range(100)]
        writer.send_signal(signal.SIGKILL)
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        kept = {one for (one,) in database.execute("SELECT answer_id FROM reader_answers")}
    acknowledged = {one for one in told if len(one) == 36}
    assert len(acknowledged) >= 90
    assert acknowledged <= kept
