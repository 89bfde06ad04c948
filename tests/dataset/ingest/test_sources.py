"""A real Orthanc as a source: the same dataset as from the files it was given."""

from __future__ import annotations

import logging
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.dataset.ingest.run import ingest
from hemocast.dicom import make_uid
from hemocast.errors import MissingExtra, NothingThere

KEY = b"k" * 32


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def ask(url: str, data: bytes | None = None) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, data=data, timeout=10) as answer:
        return bytes(answer.read())


@pytest.fixture
def source(orthanc: str, tmp_path: Path, write_study: Callable[..., Path]) -> Path:
    """Studies in a folder and in the Orthanc: kept ones, one with a second series, refused ones."""
    folder = tmp_path / "source"
    write_study(folder / "1", "DOE-JANE", day=9)
    write_study(folder / "2", "DOE-JANE", day=2)
    more = {"study_uid": make_uid("DOE-JANE", 2), "series_number": 2}
    write_study(folder / "2b", "DOE-JANE", day=3, series_uid="1.2.7", kernel="BONE", **more)
    write_study(folder / "3", "ROE", day=5, contrast_agent="IODINE")
    write_study(folder / "4", "POE", day=6, drop=6)
    for path in folder.rglob("*"):
        if path.is_file():
            ask(f"{orthanc}/instances", path.read_bytes())
    return folder


def contents(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_a_server_gives_the_same_dataset_as_its_files(
    orthanc: str,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    address = f"dicomweb+{orthanc}/dicom-web"
    far = ingest([address], tmp_path / "far", KEY)
    assert not any(word in caplog.text for word in ("DOE", "SECRET", make_uid("DOE-JANE", 2)))
    near = ingest([source], tmp_path / "near", KEY)
    assert (far.added, sorted(r.code for r in far.refused)) == (2, ["HC203", "HC207"])
    assert sorted(map(str, far.left_out)) == sorted(map(str, near.left_out))
    assert contents(tmp_path / "far") == contents(tmp_path / "near")
    assert list(temporary.iterdir()) == []
    # A second run fetches only what is not there.
    again = ingest([address, source], tmp_path / "far", KEY)
    assert (again.added, again.already_there) == (0, 2)


def test_a_server_that_does_not_answer_is_refused_before_anything_is_written(
    orthanc: str, tmp_path: Path
) -> None:
    for address in (f"dicomweb+http://127.0.0.1:{free_port()}/x", f"dicomweb+{orthanc}/nothing"):
        with pytest.raises(NothingThere, match="does not give"):
            ingest([address], tmp_path / "out", KEY)
    assert not (tmp_path / "out").exists()


def test_without_its_extra_a_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    with pytest.raises(MissingExtra, match="serve"):
        ingest(["dicomweb+http://127.0.0.1:9/x"], tmp_path / "out", KEY)
