from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast import files
from hemocast.errors import InUse, NoSpace, NotWritable, OutputExists


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_umask_decides_who_may_read(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        files.write_text(tmp_path / "a.csv", "x")
        files.write_text(tmp_path / "key", "x", private=True)
        with files.new_folder(tmp_path / "folder") as folder:
            (folder / "b").touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as temporary:
        temporary.write_text(str(1 / 0))
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_never_put_over_one_that_holds_something(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OutputExists), files.new_folder(target) as folder:
        (folder / "weights").write_text("new")
    assert [p.name for p in tmp_path.rglob("*")] == ["model", "mine.txt"]


def test_json_knows_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"auc": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_table_for_spreadsheets_holds_no_formula() -> None:
    rows = [{"a": "=1+1", "b": 0.1 + 0.2}, {"a": None, "b": float("nan")}]
    assert files.table_text(rows, ["a", "b"]) == "a,b\n'=1+1,0.3\n,\n"
    assert files.table_text(rows, ["a"], separator="\t", missing="n/a") == "a\n=1+1\nn/a\n"


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {files.RECORD, ".hemocast.lock"}
    }


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["report.html", "metrics.json", "notes.txt", "sub-1/ct.nii"]),
        st.binary(max_size=20),
        min_size=1,
    )
)
def test_a_folder_of_the_users_is_refused_and_unchanged(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("theirs")
    for name, data in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    with pytest.raises(OutputExists), files.claim(folder, "evaluation"):
        pass
    assert _content(folder) == content
    assert not (folder / files.RECORD).exists()


def test_an_earlier_run_may_be_replaced_but_not_what_the_user_changed_or_added(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    with files.claim(out, "evaluation") as output:
        output.write_text("metrics.csv", "1")
        output.write_text("report.html", "1")
        output.write_text("old.svg", "1")
    (out / "notes.txt").write_text("mine")
    with files.claim(out, "evaluation") as output:
        output.write_text("metrics.csv", "2")
        output.remove_others(["metrics.csv", "report.html"])
    assert not (out / "old.svg").exists()
    (out / "report.html").write_text("annotated by hand")
    with files.claim(out, "evaluation") as output:
        with pytest.raises(OutputExists, match=r"report\.html"):
            output.write_text("report.html", "2")
        output.remove_others([])
    assert _content(out) == {"notes.txt": b"mine", "report.html": b"annotated by hand"}
    with pytest.raises(OutputExists, match="evaluation"), files.claim(out, "predictions"):
        pass


def test_a_killed_run_still_knows_its_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with files.claim(out, "evaluation") as output:
        output.write_text("a.csv", "1")
    with (out / files.RECORD).open("a") as file:
        file.write('{"file": "a.c')  # torn by a kill
    with files.claim(out, "evaluation") as output:
        output.check(["a.csv"])
        output.write_text("b.csv", "2")  # not on the torn line, where nobody would find it
    with files.claim(out, "evaluation") as output:
        assert output.has_record_of("a.csv")
        output.write_text("b.csv", "3")


@pytest.mark.parametrize("name", ["../mine.txt", "{folder}/mine.txt", "link/mine.txt"])
def test_a_record_from_elsewhere_names_nothing_outside_its_folder(
    tmp_path: Path, name: str
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    out = tmp_path / "out"
    with files.claim(out, "evaluation"):
        pass
    (out / "link").symlink_to(tmp_path)
    line = {"file": name.format(folder=tmp_path), "sha256": hashlib.sha256(b"mine").hexdigest()}
    with (out / files.RECORD).open("a") as file:
        file.write(json.dumps(line) + "\n")
    with files.claim(out, "evaluation") as output:
        output.remove_others([])
    assert mine.read_text() == "mine"


def test_two_writers_at_once_and_a_writer_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from hemocast.files import claim\n"
        f"with claim(pathlib.Path({str(tmp_path)!r}) / 'out', 'ingest'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(InUse, match=f"process {other.pid}"),
        files.claim(tmp_path / "out", "ingest"),
    ):
        pass
    other.kill()
    other.wait()
    with files.claim(tmp_path / "out", "ingest"):
        pass


@pytest.mark.parametrize("name", ["file/below", "file", "x" * 300])
def test_what_cannot_be_written_is_refused_before_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises((NotWritable, OutputExists)), files.claim(tmp_path / name, "evaluation"):
        pass
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_has_a_code() -> None:
    with pytest.raises(NoSpace), files.writing(), Path("/dev/full").open("w") as file:
        file.write("x" * 100_000)


def test_too_little_space_is_refused_ahead(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match="GB"):
        files.check_space(tmp_path / "not yet", 10**18)
    files.check_space(tmp_path, 1)


def test_only_our_own_temporary_names_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"{files.TEMPORARY}abc").mkdir()
    (tmp_path / ".mine.tsv").touch()
    files.remove_temporary(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".mine.tsv"]


def test_the_record_is_plain_lines(tmp_path: Path) -> None:
    with files.claim(tmp_path / "out", "evaluation") as output:
        output.write_json("metrics.json", {"auc": 0.8})
    first, second = (tmp_path / "out" / files.RECORD).read_text().splitlines()
    assert json.loads(first) == {"kind": "evaluation"}
    assert json.loads(second)["file"] == "metrics.json"


def test_a_reserved_folder_is_taken_and_given_back(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "model"
    with files.reserved(out, "training"):
        with pytest.raises(InUse, match="training"), files.reserved(out, "training"):
            raise AssertionError("reserved twice")
        with files.new_folder(out) as draft:
            (draft / "model.yaml").write_text("x")
    assert [path.name for path in out.iterdir()] == ["model.yaml"]
    with pytest.raises(OutputExists), files.reserved(out, "training"):
        raise AssertionError("reserved over a model")
    with pytest.raises(ZeroDivisionError), files.reserved(tmp_path / "other", "training"):
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_folder_that_another_run_reserved_is_not_taken_from_it(tmp_path: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / ".hemocast.lock").touch()
    files.write_json(out / ".hemocast.holder.json", {"what": "x", "pid": 1, "host": "elsewhere"})
    with pytest.raises(OutputExists), files.new_folder(out) as draft:
        (draft / "model.yaml").write_text("x")
    assert len(list(out.iterdir())) == 2
