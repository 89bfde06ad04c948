"""The data root: for its owner alone, under names that tell nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.errors import InUse
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import StorageConfig


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    root = Root.open(StorageConfig(root=tmp_path / "data"))
    folders = [root.folder, *(path for path in root.folder.iterdir() if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert (root.folder / "key").stat().st_mode & 0o777 == 0o600


def test_names_are_the_same_next_time_and_others_under_another_key(tmp_path: Path) -> None:
    settings = StorageConfig(root=tmp_path / "data")
    names = [Root.open(settings).name("1.2.3") for _ in range(2)]
    other = Root.open(StorageConfig(root=tmp_path / "other")).name("1.2.3")
    assert names[0] == names[1] != other
    assert Root.open(settings).name("1", "23") != Root.open(settings).name("12", "3")


def test_one_service_holds_it_and_what_was_half_received_goes(tmp_path: Path) -> None:
    root = Root.open(StorageConfig(root=tmp_path / "data"))
    (root.incoming / "half").write_bytes(b"x")
    with root.held():
        assert list(root.incoming.iterdir()) == []
        with pytest.raises(InUse), root.held():
            pass


def test_it_is_full_when_less_is_free_than_must_stay_so(tmp_path: Path) -> None:
    assert not Root.open(StorageConfig(root=tmp_path / "data", reserve_gb=0)).is_full()
    assert Root.open(StorageConfig(root=tmp_path / "data", reserve_gb=1e9)).is_full()


def test_a_folder_of_work_is_empty_at_first_and_gone_at_last(tmp_path: Path) -> None:
    root = Root.open(StorageConfig(root=tmp_path / "data"))
    (root.work / "x").mkdir()
    (root.work / "x" / "left").touch()
    with root.working("x") as folder:
        assert list(folder.iterdir()) == []
        (folder / "new").touch()
    assert list(root.work.iterdir()) == []


def test_members_share_a_root_and_each_name_is_there_once(tmp_path: Path) -> None:
    def member(name: str) -> Root:
        where = {"root": tmp_path / "data", "database": "postgresql://a@b/c"}
        return Root.open(StorageConfig(**where, member=name))

    one, other = member("one"), member("other")
    assert one.key == other.key
    (other.incoming / "half").write_text("x")
    with one.held(), other.held():
        assert list(other.incoming.glob("half")) == []
        (other.incoming / "half").write_text("x")
        with pytest.raises(InUse), member("one").held():
            pass
        assert (other.incoming / "half").exists()
