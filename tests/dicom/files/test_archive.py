from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hemocast.dicom import ArchiveLimits, open_path
from hemocast.dicom.files.archive import open_named
from hemocast.errors import (
    HemocastError,
    MalformedFile,
    NoSpace,
    NothingThere,
    UnsafeArchive,
    UnsupportedSyntax,
)


def make(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def contents(folder):
    return sorted(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_a_zip_is_unpacked_for_as_long_as_it_is_open(tmp_path, no_litter):
    path = make(tmp_path / "a.zip", [("x/1", b"one"), ("x/2", b"two"), ("empty/", b"")])
    with open_path(path) as folder:
        assert contents(folder) == [b"one", b"two"]
    assert not folder.exists()


def test_it_is_gone_after_an_error_inside_too(tmp_path, no_litter):
    path = make(tmp_path / "a.zip", [("1", b"one")])
    with pytest.raises(KeyError), open_path(path) as folder:
        raise KeyError
    assert not folder.exists()


def test_names_from_the_archive_do_not_reach_the_disk(tmp_path):
    path = make(tmp_path / "a.zip", [("Doe^Jane/IM1", b"1"), ("scan.nii.gz", b"2")])
    with open_path(path) as folder:
        names = sorted(p.name for p in folder.iterdir())
    assert names == ["000000", "000001.nii.gz"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_two_files(tmp_path):
    path = make(tmp_path / "a.zip", [("IM1", b"first"), ("IM1", b"second")])
    with open_path(path) as folder:
        assert len(contents(folder)) == 2


def test_a_zip_within_a_zip_is_unpacked_once(tmp_path, no_litter):
    inner = make(tmp_path / "inner.zip", [("1", b"one")]).read_bytes()
    path = make(tmp_path / "outer.zip", [("i.zip", inner), ("2", b"two")])
    with open_path(path) as folder:
        assert contents(folder) == [b"one", b"two"]
    middle = make(tmp_path / "m.zip", [("o.zip", path.read_bytes())])
    with pytest.raises(UnsafeArchive), open_path(middle):
        pass


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "\\\\host\\share\\evil", "..\\evil"],
)
def test_names_that_climb_out_are_refused(name, tmp_path, no_litter):
    path = make(tmp_path / "a.zip", [("good", b"1"), (name, b"2")])
    with pytest.raises(UnsafeArchive), open_path(path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_links_are_refused(tmp_path, no_litter):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = make(tmp_path / "a.zip", [(link, b"/etc/passwd")])
    with pytest.raises(UnsafeArchive), open_path(path):
        pass


def test_bombs_are_refused(tmp_path, no_litter):
    bomb = make(tmp_path / "ratio.zip", [("zeros", bytes(64 * 2**20))])
    with pytest.raises(UnsafeArchive, match="times its size"), open_path(bomb):
        pass
    many = make(tmp_path / "many.zip", [(str(i), b"") for i in range(50)])
    with (
        pytest.raises(UnsafeArchive, match="more than 20 files"),
        open_path(many, ArchiveLimits(members=20)),
    ):
        pass
    large = make(tmp_path / "large.zip", [(str(i), os.urandom(2**19)) for i in range(8)])
    with (
        pytest.raises(UnsafeArchive, match="MB"),
        open_path(large, ArchiveLimits(total_bytes=3 * 2**20)),
    ):
        pass
    # Limits count across nested zips.
    nested = make(tmp_path / "n.zip", [("a", large.read_bytes()), ("b", large.read_bytes())])
    with pytest.raises(UnsafeArchive), open_path(nested, ArchiveLimits(total_bytes=13 * 2**20)):
        pass


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path, no_litter):
    path = make(tmp_path / "a.zip", [("zeros", bytes(64 * 2**20))])
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises((UnsafeArchive, MalformedFile)), open_path(path):
        pass


def test_a_damaged_or_locked_zip(tmp_path, no_litter):
    path = make(tmp_path / "a.zip", [("1", os.urandom(5000)), ("2", os.urandom(5000))])
    whole = path.read_bytes()
    path.write_bytes(whole[:6000])
    with pytest.raises(MalformedFile), open_path(path):
        pass
    path.write_bytes(whole[:200] + bytes(100) + whole[300:])
    with pytest.raises(MalformedFile), open_path(path):
        pass
    locked = bytearray(whole)
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(locked))
    with pytest.raises(UnsupportedSyntax), open_path(path):
        pass


def test_anything_else_passes_through(tmp_path):
    (tmp_path / "file").write_bytes(b"not a zip")
    for path in (tmp_path, tmp_path / "file"):
        with open_path(path) as same:
            assert same == path
    with pytest.raises(NothingThere), open_path(tmp_path / "none"):
        pass


def test_names_in_a_zip_are_known_and_never_on_the_disk(tmp_path, no_litter):
    inner = make(tmp_path / "in.zip", [("sub-DOE/sub-DOE_ct.nii.gz", b"x")]).read_bytes()
    path = make(tmp_path / "a.zip", [("sub-ROE_ct.json", b"{}"), ("more.zip", inner)])
    with open_named(path) as opened:
        files = {opened.name(p) for p in opened.folder.rglob("*")}
        assert files == {"sub-ROE_ct.json", "sub-DOE/sub-DOE_ct.nii.gz"}
        assert not any("OE" in p.name for p in opened.folder.rglob("*"))
    with open_named(tmp_path) as opened:
        assert opened.name(path) == path.as_posix()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_memory_the_file_decides_are_named_not_tried(tmp_path, no_litter, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("IM1", b"one" * 1000)
    with pytest.raises(UnsupportedSyntax), open_path(path):
        pass


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_damaged_zips_of_every_method_are_read_or_refused(tmp_path, no_litter, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ("IM1", "folder/IM2"):
            archive.writestr(name, bytes(range(256)) * 20)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    codes = set()
    for _ in range(400):
        mutant = bytearray(whole[: rng.integers(4, len(whole))] if rng.random() < 0.2 else whole)
        for at in rng.integers(4, len(mutant), rng.integers(1, 5)):
            mutant[at] = rng.integers(0, 256)
        path.write_bytes(bytes(mutant))
        try:
            with open_path(path):
                pass
        except HemocastError as error:
            codes.add(error.code)
    assert {"HC107"} <= codes <= {"HC105", "HC106", "HC107"}


def test_a_full_temporary_folder_is_not_called_a_damaged_zip(tmp_path, monkeypatch):
    path = make(tmp_path / "a.zip", [("IM1", b"one")])
    real = Path.open

    def full(self, mode="r", *args, **kwargs):
        if mode == "xb":
            return real(Path("/dev/full"), "wb")
        return real(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(NoSpace), open_path(path):
        pass
