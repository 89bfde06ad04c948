"""What lies below a path: every file, and whatever there could not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hemocast.dicom.files.walk import files_below
from hemocast.errors import NothingThere


def test_files_come_in_order_and_pipes_and_links_to_folders_do_not(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    os.mkfifo(tmp_path / "pipe")
    unread: dict[Path, OSError] = {}
    found = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path, unread)]
    assert found == ["a/3", "b/1", "b/2"]
    assert unread == {}
    assert list(files_below(tmp_path / "b" / "1", unread)) == [tmp_path / "b" / "1"]


def test_a_link_that_leads_nowhere_or_to_itself_is_noted(tmp_path: Path) -> None:
    (tmp_path / "lost").symlink_to(tmp_path / "gone")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    unread: dict[Path, OSError] = {}
    assert list(files_below(tmp_path, unread)) == []
    assert set(unread) == {tmp_path / "lost", tmp_path / "round"}


@pytest.mark.parametrize(("name", "noted"), [("scans", True), ("lost+found", False)])
def test_a_folder_that_cannot_be_listed_is_noted_unless_it_is_the_systems(
    name: str, noted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    real = os.scandir

    def scandir(path: os.PathLike[str]) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    unread: dict[Path, OSError] = {}
    assert list(files_below(tmp_path, unread)) == []
    assert (folder in unread) is noted


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        list(files_below(tmp_path / "none", {}))
