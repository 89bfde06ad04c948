from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hemocast import files
from hemocast.errors import NoSpace, NotWritable


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


def test_what_is_there_is_not_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.key"
    assert files.write_new(path, "first", private=True)
    assert not files.write_new(path, "second", private=True)
    assert path.read_text() == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_json_knows_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"auc": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_table_for_spreadsheets_holds_no_formula() -> None:
    rows = [{"a": "=1+1", "b": 0.1 + 0.2}, {"a": None, "b": float("nan")}]
    assert files.table_text(rows, ["a", "b"]) == "a,b\n'=1+1,0.3\n,\n"
    assert files.table_text(rows, ["a"], separator="\t", missing="n/a") == "a\n=1+1\nn/a\n"


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


def test_a_line_is_added_behind_a_torn_one_and_the_file_is_not_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    files.append_line(path, "a,é", private=True)
    inode = path.stat().st_ino
    with path.open("ab") as file:
        file.write(b"b,")
    files.append_line(path, "c,1")
    assert path.read_text(encoding="utf-8") == "a,é\nb,\nc,1\n"
    assert path.stat().st_ino == inode
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotWritable):
        files.append_line(tmp_path, "a")
