"""The store: rows are added and never changed, by whatever way, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from hemocast.errors import StoreError
from hemocast.readers.store.answers import Answer, Store, last_finals
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.study.design import PlannedReading

SHOWN = PlannedReading("R1", "unaided", 1, 0, "sub-1", "sub-1_ses-01")
HASH = "d" * 64
TABLES = ("reader_studies", "reader_tokens", "reader_entries", "reader_answers")


def answer(probability: float | None = 0.3, *, final: bool = False, **more: object) -> Answer:
    whole = {"decision": 0, "confidence": 3} if final else {}
    return Answer(str(uuid4()), probability, final=final, seconds=1.5, **(whole | more))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "answers.sqlite")
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url, f"study-{uuid4().hex[:8]}")
    yield opened
    opened.close()


def test_answers_come_back_as_they_were_given_in_their_order(store: Store) -> None:
    given = [answer(None), answer(0.25, regions='[{"a":1}]'), answer(1.0, final=True)]
    times = [store.add(SHOWN, one, HASH) for one in given]
    kept = store.answers("R1")
    assert [one.answer for one in kept] == given
    assert [one.read_at for one in kept] == times
    assert times[0].utcoffset().total_seconds() == 0
    assert [one.answer for one in store.answers(final=True)] == given[2:]
    assert store.latest(SHOWN) == kept[-1]
    assert store.latest(replace(SHOWN, order=2)) is None
    assert store.answers("R2") == []
    traces = store.traces("R1")
    assert [(one.row, one.place, one.final) for one in traces] == [
        (one.row, ("unaided", 1), one.answer.final) for one in kept
    ]
    assert [one.read_at for one in traces] == times
    assert store.traces("R1", after=traces[1].row) == traces[2:]
    assert store.traces("R2") == []


def test_a_correction_is_a_row_more_and_the_last_one_counts(store: Store) -> None:
    store.add(SHOWN, answer(0.2, final=True), HASH)
    store.add(SHOWN, answer(0.8, final=True), HASH)
    store.add(SHOWN, answer(0.9), HASH)  # begun, not submitted
    kept = store.answers()
    assert [one.answer.probability for one in kept] == [0.2, 0.8, 0.9]
    assert [one.answer.probability for one in last_finals(kept).values()] == [0.8]


def test_the_same_answer_sent_twice_is_kept_once_another_under_its_id_is_refused(
    store: Store,
) -> None:
    one = answer(0.4, final=True)
    assert store.add(SHOWN, one, HASH) == store.add(SHOWN, one, HASH)
    with pytest.raises(StoreError):
        store.add(SHOWN, replace(one, probability=0.5), HASH)
    with pytest.raises(StoreError):
        store.add(replace(SHOWN, order=2), one, HASH)
    assert len(store.answers()) == 1


COLUMN = {"reader_entries": "entered_at"}


@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", TABLES)
def test_the_database_itself_refuses_changes(url: str, store: Store, verb: str, table: str) -> None:
    assert store.use(store.link_of(store.new_token("R1")))
    store.add(SHOWN, answer(), HASH)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with pytest.raises(DBAPIError, match="only added"), engine.begin() as connection:
        connection.execute(text(verb.format(table, COLUMN.get(table, "study"))))
    engine.dispose()
    assert len(store.answers()) == 1


@pytest.mark.parametrize(
    "bad", [{"probability": 1.5}, {"probability": -0.1}, {"decision": 2}, {"confidence": 0}]
)
def test_the_database_itself_refuses_values_out_of_range(
    store: Store, bad: dict[str, float]
) -> None:
    with pytest.raises(StoreError):
        store.add(SHOWN, replace(answer(), **bad), HASH)
    assert store.answers() == []


def test_many_readers_write_at_once_and_nothing_is_lost(store: Store) -> None:
    def write(reader: int) -> None:
        for order in range(1, 11):
            shown = replace(SHOWN, reader_id=f"R{reader}", order=order)
            store.add(shown, answer(order / 10, final=True), HASH)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    kept = store.answers()
    assert len(kept) == 60
    assert len(last_finals(kept)) == 60
    assert len({one.row for one in kept}) == 60


def test_text_that_looks_like_sql_is_text(store: Store) -> None:
    evil = "'; DROP TABLE reader_answers; --"
    store.add(replace(SHOWN, reader_id=evil), answer(regions=evil), HASH)
    assert store.answers(evil)[0].answer.regions == evil
    assert store.link_of(evil) is None


def test_only_the_hash_of_a_token_is_kept_and_a_new_link_ends_the_old_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(sqlite_url(path), "s")
    first = store.new_token("R1")
    assert len(first) >= 43
    assert store.link_of(first).reader_id == "R1"
    second = store.new_token("R1")
    other = store.new_token("R2")
    assert store.link_of(first) is None
    assert store.link_of(second).reader_id == "R1"
    assert store.link_of(other).reader_id == "R2"
    store.close()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert all(token.encode() not in content for token in (first, second, other))


def test_a_link_is_used_once(url: str, store: Store) -> None:
    first = store.link_of(store.new_token("R1"))
    assert store.used_links().isdisjoint({first.number})
    assert store.use(first)
    again = Store(url, store.study)
    assert not again.use(first)
    assert first.number in again.used_links()
    assert again.use(store.link_of(store.new_token("R1")))
    again.close()


def test_a_database_of_version_0_1_opens_and_its_links_still_sign_in(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(sqlite_url(path), "s")
    token = store.new_token("R1")
    store.add(SHOWN, answer(), HASH)
    store.close()
    with sqlite3.connect(path) as other:  # as it was before links were used up
        other.execute("DROP TABLE reader_entries")
    again = Store(sqlite_url(path), "s")
    assert len(again.answers()) == 1
    assert again.use(again.link_of(token))
    again.close()


def test_a_study_does_not_see_another_one_in_the_same_database(url: str) -> None:
    a, b = (Store(url, f"study-{uuid4().hex[:8]}") for _ in range(2))
    token = a.new_token("R1")
    a.add(SHOWN, answer(), HASH)
    assert b.answers() == []
    assert b.link_of(token) is None
    assert a.sign("x") != b.sign("x")
    a.close()
    b.close()


def test_a_store_opened_again_signs_alike(url: str) -> None:
    name = f"study-{uuid4().hex[:8]}"
    first, second = Store(url, name), Store(url, name)
    assert first.sign("x") == second.sign("x")
    first.close()
    second.close()


@pytest.mark.parametrize("bad", ["nonsense", "mysql://x/y", "sqlite:////nowhere/at/all.sqlite"])
def test_a_database_that_cannot_be_opened_is_one_sentence_without_the_address(bad: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(bad, "s")
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize("kept", [1024, 6000, 20_000])
def test_a_damaged_file_is_refused_at_the_start(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(sqlite_url(path), "s")
    for order in range(100):
        store.add(replace(SHOWN, order=order), answer(regions="x" * 400), HASH)
    store.close()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StoreError, match="refused"):
        Store(sqlite_url(path), "s")
    assert path.stat().st_size == kept


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database at all" * 99)
    with pytest.raises(StoreError):
        Store(sqlite_url(path), "s")


def test_a_database_that_fails_later_is_a_refusal_too(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(sqlite_url(path), "s")
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE reader_answers")
        other.execute("DROP TABLE reader_tokens")
    for ask in (store.answers, store.links, store.design_hashes, lambda: store.new_token("R1")):
        with pytest.raises(StoreError):
            ask()
    with pytest.raises(StoreError):
        store.add(SHOWN, answer(), HASH)
    store.close()


def test_answers_are_on_disk_once_they_are_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(sqlite_url(path), "s")
    store.add(SHOWN, answer(0.7, final=True), HASH)
    with sqlite3.connect(path) as other:  # while the first is still open
        assert other.execute("SELECT probability FROM reader_answers").fetchall() == [(0.7,)]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
