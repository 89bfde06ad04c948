"""A table that grows: every row once and kept, whatever kills the run; users' cells stay."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hemocast.errors import OutputExists
from hemocast.pipeline.predictions.table import Form, GrowingTable, Row

FORM = Form(("case", "scan_id", "message", "simulated"), ("scan_id",))
PLACES = Form(("case", "path", "scan_id"), ("path", "scan_id"), private=True, quoted=True)


def row(scan: str, case: int = 1, message: str = "fine") -> Row:
    return {"case": str(case), "scan_id": scan, "message": message, "simulated": "0"}


def rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def run(path: Path, *added: Row, form: Form = FORM) -> None:
    table = GrowingTable(path, form)
    for one in added:
        table.add(one)
    table.close()


def test_every_row_is_there_as_soon_as_it_is_added_and_the_file_is_not_written_anew(
    path: Path,
) -> None:
    table = GrowingTable(path, FORM)
    table.add(row("a"))
    first = path.stat().st_ino
    for i in range(50):
        table.add(row(f"s{i}", message='said "so", twice'))
        assert rows(path)[-1]["scan_id"] == f"s{i}"
    assert path.stat().st_ino == first
    assert len(rows(path)) == 51


@pytest.mark.parametrize("form", [FORM, PLACES])
def test_a_run_killed_anywhere_in_a_row_leaves_a_readable_table_and_every_other_row(
    path: Path, form: Form
) -> None:
    added = [
        {"case": "1", "path": 'P "Q", é', "scan_id": f"s{i}", "message": "m", "simulated": "1"}
        for i in range(3)
    ]
    run(path, *added, form=form)
    content = path.read_bytes()
    start = content[:-1].rindex(b"\n") + 1
    for end in range(start, len(content)):
        path.write_bytes(content[:end])
        whole = end == len(content) - 1
        found = [one["scan_id"] for one in GrowingTable(path, form).earlier]
        assert found == (["s0", "s1", "s2"] if whole else ["s0", "s1"]), content[start:end]
    path.write_bytes(content[: start + 5])
    run(path, added[2], form=form)
    assert path.read_bytes() == content


def test_a_users_own_last_row_without_a_line_feed_stays(path: Path) -> None:
    path.write_text('label,scan_id,note\n1,a,"two\nlines"\n0,b,"more\nlines"')
    run(path, row("c"))
    assert [(one["scan_id"], one["label"], one["note"]) for one in rows(path)] == [
        ("a", "1", "two\nlines"), ("b", "0", "more\nlines"), ("c", "", ""),
    ]  # fmt: skip


def test_a_scan_of_before_keeps_its_users_cells_and_comes_once(path: Path) -> None:
    path.write_text("\ufefflabel,scan_id,message,simulated\n1,a,old,0\n=0,b,fine,0\n", "utf-8")
    table = GrowingTable(path, FORM)
    table.add(row("a", 1))
    table.add(row("b", 2))
    assert [one["scan_id"] for one in rows(path)] == ["b", "a"]  # b says what it said
    table.close()
    assert [(one["label"], one["case"], one["message"]) for one in rows(path)] == [
        ("1", "1", "fine"), ("=0", "2", "fine"),
    ]  # fmt: skip


def test_a_row_of_no_scan_goes_with_the_next_run_unless_a_user_wrote_in_it(path: Path) -> None:
    path.write_text("scan_id,note\nn/a,\nn/a,mine\n")
    run(path, row("n/a"), row("n/a", 2))
    assert [one["note"] for one in rows(path)] == ["mine", "", ""]


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "scan_id\n1,2\n", 'scan_id\n"a\n', "\xff\n"])
def test_a_table_that_cannot_be_told_apart_is_refused(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(OutputExists, match=r"t\.csv"):
        GrowingTable(path, FORM)


def test_a_private_table_is_for_its_owner(path: Path) -> None:
    run(path, *({"case": "1", "path": "p", "scan_id": str(i)} for i in range(3)), form=PLACES)
    assert path.stat().st_mode & 0o777 == 0o600


ADD = """
import sys
from pathlib import Path
from hemocast.pipeline.predictions.table import Form, GrowingTable
form = Form(("case", "scan_id", "message", "simulated"), ("scan_id",))
table = GrowingTable(Path(sys.argv[1]), form)
for i in range(10**6):
    table.add({"case": "1", "scan_id": f"s{i}", "message": "m" * 3000, "simulated": "1"})
    print(i, flush=True)
"""


def test_a_killed_process_loses_no_row_that_it_had_added(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ADD, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        told = 19 + len(process.stdout.read().split())
    table = GrowingTable(path, FORM)
    assert len(table.earlier) >= told
    assert [one["scan_id"] for one in table.earlier] == [f"s{i}" for i in range(len(table.earlier))]


def test_many_rows_take_a_time_that_is_linear(path: Path) -> None:
    """The table was written anew after every row: 5,000 wrote 2 GB."""
    table, times = GrowingTable(path, FORM), []
    for block in range(5):
        start = time.process_time()
        for i in range(300):
            table.add(row(f"s{300 * block + i}", message="m" * 150))
        times.append(time.process_time() - start)
    assert len(rows(path)) == 1500
    assert times[-1] < 3 * min(times) + 0.2
