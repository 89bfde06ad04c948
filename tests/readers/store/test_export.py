"""The exported tables, and that they replace nothing but an export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemocast.errors import OutputExists
from hemocast.files import Output, claim
from hemocast.readers.store.answers import Answer, Store
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.store.export import COLUMNS, KIND, LOG_COLUMNS, export_readings
from hemocast.readers.study.design import PlannedReading

FIRST, SECOND, THIRD = (
    PlannedReading("A", "unaided", order, 0, f"sub-{order}", f"sub-{order}_ses-01")
    for order in (1, 2, 3)
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two readings submitted, the first corrected; a third begun."""
    opened = Store(sqlite_url(tmp_path / "answers.sqlite"), "s")
    for reading, probability, final in (
        (FIRST, 0.1, False),
        (FIRST, 0.2, True),
        (SECOND, 0.5, True),
        (FIRST, 0.3, True),
        (THIRD, 0.9, False),
    ):
        opened.add(reading, Answer(str(uuid4()), probability, 1, 4, '[{"a":1}]', 12.34, final), "h")
    yield opened
    opened.close()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_are_those_agreed_and_the_last_correction_wins(
    store: Store, tmp_path: Path
) -> None:
    with claim(tmp_path / "out", KIND) as output:
        assert export_readings(store, output) == (2, 5)
    rows = rows_of(tmp_path / "out" / "readings.csv")
    agreed = "reader_id participant_id scan_id probability decision confidence seconds arm order"
    assert list(rows[0]) == COLUMNS == [*agreed.split(), "repeat", "read_at"]
    assert [(row["order"], row["probability"]) for row in rows] == [("1", "0.3"), ("2", "0.5")]
    assert (rows[0]["scan_id"], rows[0]["seconds"]) == ("sub-1_ses-01", "12.3")
    assert rows[0]["read_at"].endswith("+00:00")
    log = rows_of(tmp_path / "out" / "readings_log.csv")
    assert list(log[0]) == LOG_COLUMNS
    assert [row["probability"] for row in log] == ["0.1", "0.2", "0.5", "0.3", "0.9"]
    assert [row["final"] for row in log] == ["0", "1", "1", "1", "0"]
    assert log[0]["regions"] == '[{"a":1}]'


def test_simulated_scans_are_told_in_the_table(store: Store, tmp_path: Path) -> None:
    export_readings(store, Output(tmp_path), simulated=True)
    assert {row["simulated"] for row in rows_of(tmp_path / "readings.csv")} == {"1"}


def test_an_earlier_export_is_replaced_and_a_changed_one_stays(
    store: Store, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with claim(out, KIND) as output:
        export_readings(store, output)
    store.add(SECOND, Answer(str(uuid4()), 0.6, 1, 4, final=True), "h")
    with claim(out, KIND) as output:
        assert export_readings(store, output) == (2, 6)
    (out / "readings_log.csv").write_text("my notes\n")
    before = (out / "readings.csv").read_bytes()
    store.add(SECOND, Answer(str(uuid4()), 0.7, 1, 4, final=True), "h")
    with claim(out, KIND) as output, pytest.raises(OutputExists, match=r"readings_log\.csv"):
        export_readings(store, output)
    assert (out / "readings.csv").read_bytes() == before  # neither, not one of the two
    assert (out / "readings_log.csv").read_text() == "my notes\n"


def test_an_unchanged_export_of_version_0_1_is_replaced_and_a_changed_one_stays(
    store: Store, tmp_path: Path
) -> None:
    """It kept no record of what it wrote, and ended lines as spreadsheets do."""
    for name, columns in (("readings.csv", COLUMNS), ("readings_log.csv", LOG_COLUMNS)):
        with claim(tmp_path / "new", KIND) as output:
            export_readings(store, output)
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows_of(tmp_path / "new" / name))
    before = {name: (tmp_path / name).read_bytes() for name in ("readings.csv", "readings_log.csv")}
    store.add(THIRD, Answer(str(uuid4()), 0.6, 1, 4, final=True), "h")
    assert export_readings(store, Output(tmp_path)) == (3, 6)
    assert len(rows_of(tmp_path / "readings.csv")) == 3
    (tmp_path / ".hemocast.jsonl").unlink()
    for changed in before:
        for name, content in before.items():
            (tmp_path / name).write_bytes(content)
        other = before[changed].replace(b",0.3,", b",0.4,")
        (tmp_path / changed).write_bytes(other)
        with pytest.raises(OutputExists):
            export_readings(store, Output(tmp_path))
        assert (tmp_path / changed).read_bytes() == other != before[changed]


def test_a_table_that_somebody_put_there_is_not_replaced(store: Store, tmp_path: Path) -> None:
    (tmp_path / "readings.csv").write_text("mine\n")
    with pytest.raises(OutputExists):
        export_readings(store, Output(tmp_path))
    assert (tmp_path / "readings.csv").read_text() == "mine\n"
    assert not (tmp_path / "readings_log.csv").exists()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["readings.csv", "readings_log.csv", "notes.txt", ".hidden", "study.yaml"]),
        st.binary(max_size=40),
        min_size=1,
    )
)
def test_no_byte_of_a_folder_of_somebodys_files_changes(
    store: Store, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    out = tmp_path_factory.mktemp("mine")
    for name, content in files.items():
        (out / name).write_bytes(content)
    with pytest.raises(OutputExists), claim(out, KIND) as output:
        export_readings(store, output)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files


def test_of_nothing_the_tables_are_headers(tmp_path: Path) -> None:
    empty = Store(sqlite_url(tmp_path / "answers.sqlite"), "s")
    assert export_readings(empty, Output(tmp_path)) == (0, 0)
    empty.close()
    assert (tmp_path / "readings.csv").read_text() == ",".join(COLUMNS) + "\n"
