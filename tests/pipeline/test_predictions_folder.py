"""Rows of before, users' cells and users' files stay; whose folder it is, is proved."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hemocast.errors import InUse, NotWritable, OutputExists
from hemocast.files import TEMPORARY
from hemocast.pipeline.predictions_folder import (
    COLUMNS,
    FILES,
    TABLE,
    CaseResult,
    PredictionsFolder,
)

HASH = "a" * 64


def rows(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make(folder: Path, scan_id: str = "s1") -> None:
    for name in FILES:
        (folder / name).write_text(f"{name} of {scan_id}")
    record = {"schema_version": 1, "scan_id": scan_id, "model": {"hash": HASH}}
    (folder / "prediction.json").write_text(json.dumps(record))


def run(out: Path, *results: CaseResult) -> None:
    with PredictionsFolder.open(out, HASH) as folder:
        for result in results:
            if result.status == "done":
                folder.check(str(result.scan_id))
                folder.write_scan(
                    str(result.scan_id), lambda made, name=result.scan_id: make(made, name)
                )
        folder.write_table([result.row() for result in results])


def done(scan_id: str, case: int = 1) -> CaseResult:
    return CaseResult(case, "done", scan_id=scan_id)


def test_scans_of_earlier_runs_stay_and_a_scan_comes_once(tmp_path: Path) -> None:
    run(tmp_path, done("s1"), done("s2", 2))
    run(tmp_path, done("s2"), done("s3", 2))
    assert [(row["scan_id"], row["case"]) for row in rows(tmp_path)] == [
        ("s1", "1"), ("s2", "1"), ("s3", "2"),
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "s1").iterdir()} == set(FILES)


def test_a_path_without_a_scan_leaves_no_row_for_ever(tmp_path: Path) -> None:
    nothing = CaseResult(1, "refused", "HC101", "HC101 There is nothing")
    for _ in range(3):
        run(tmp_path, nothing)
    (row,) = rows(tmp_path)
    assert (row["scan_id"], row["code"]) == ("n/a", "HC101")


def test_a_table_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    run(tmp_path, done("s1"))
    for text in ("a;b\n1;2\n", ",".join(COLUMNS) + "\n" + "1," * 30 + "\n"):
        (tmp_path / TABLE).write_text(text)
        with pytest.raises(OutputExists, match=TABLE):
            run(tmp_path, done("s2"))
        assert (tmp_path / TABLE).read_text() == text


def test_a_refusal_to_write_over_a_scan_keeps_its_row(tmp_path: Path) -> None:
    run(tmp_path, done("s1"))
    refused = CaseResult(1, "refused", OutputExists.code, "HC004", scan_id="s1")
    run(tmp_path, refused)
    assert rows(tmp_path)[0]["status"] == "done"
    run(tmp_path, CaseResult(1, "refused", "HC303", "HC303", scan_id="s1"))
    assert [row["code"] for row in rows(tmp_path)] == ["HC303"]


def test_a_table_of_ours_alone_does_not_make_a_folder_ours(tmp_path: Path) -> None:
    """Somebody copied it beside their own work."""
    run(tmp_path / "ours", done("s1"))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / TABLE).write_bytes((tmp_path / "ours" / TABLE).read_bytes())
    with pytest.raises(OutputExists):
        run(theirs, done("s2"))
    assert [path.name for path in theirs.iterdir()] == [TABLE]


def test_a_file_for_a_folder_and_a_second_writer_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotWritable):
        run(tmp_path / "file", done("s1"))
    with PredictionsFolder.open(tmp_path / "out", HASH), pytest.raises(InUse):
        run(tmp_path / "out", done("s1"))


def test_nothing_of_a_scan_is_there_where_making_it_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        PredictionsFolder.open(tmp_path, HASH) as folder,
    ):
        folder.write_scan("s1", lambda made: (made / "montage.png").write_text(str(1 / 0)))
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_run_killed_while_a_scan_is_written_leaves_no_hidden_folder(tmp_path: Path) -> None:
    """The folder of a scan was made under a hidden name among the results before."""
    program = """
import sys, time
from pathlib import Path
from hemocast.pipeline.predictions_folder import PredictionsFolder

def write(made):
    print("writing", made, flush=True)
    time.sleep(600)

with PredictionsFolder.open(Path(sys.argv[1]), "h") as folder:
    folder.write_scan("s1", write)
"""
    killed = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path.parent)},
    )
    assert killed.stdout is not None
    assert killed.stdout.readline().startswith("writing")
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_what_a_killed_run_left_beside_a_scans_files_goes(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run(tmp_path / "out", done("s1"))
    left = tmp_path / "out" / "s1" / f"{TEMPORARY}0123.png"
    left.write_text("half")
    run(tmp_path / "out", done("s1"))
    assert {path.name for path in left.parent.iterdir()} == set(FILES)
