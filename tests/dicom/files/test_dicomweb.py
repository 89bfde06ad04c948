"""A DICOMweb server's studies: listed in the order of time, fetched, refused without a word."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("dicomweb_client")

from hemocast.dicom import find_scans
from hemocast.dicom.files.dicomweb import RemoteStudy, Server, is_server
from hemocast.errors import NothingThere


@dataclass
class Remote:
    """What the server holds: study -> (date, series -> (modality, files))."""

    address: str
    studies: dict[str, tuple[str, dict[str, tuple[str, list[bytes]]]]] = field(default_factory=dict)


def _entry(**tags: str) -> dict[str, Any]:
    return {tag[1:]: {"vr": "UI", "Value": [value]} for tag, value in tags.items()}


@pytest.fixture
def remote() -> Iterator[Remote]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            parts = path.strip("/").split("/")
            if parts == ["studies"]:
                first = "offset=0" in query or "offset" not in query
                self._json(
                    [
                        _entry(t0020000D=uid, t00080020=date)
                        for uid, (date, _) in held.studies.items()
                        if first
                    ]
                )
            elif len(parts) == 3:
                series = held.studies[parts[1]][1]
                self._json(
                    [_entry(t0020000E=uid, t00080060=kind) for uid, (kind, _) in series.items()]
                    if "offset=0" in query or "offset" not in query
                    else []
                )
            elif len(parts) == 4:
                self._files(held.studies[parts[1]][1][parts[3]][1])
            else:
                self.send_error(404, "SECRET-NAME")

        def _json(self, content: Any) -> None:
            self._send("application/dicom+json", json.dumps(content).encode())

        def _files(self, files: list[bytes]) -> None:
            lines = b"".join(
                b"--X\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n" for file in files
            )
            kind = 'multipart/related; type="application/dicom"; boundary=X'
            self._send(kind, lines + b"--X--\r\n")

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held = Remote(f"dicomweb+http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield held
        server.shutdown()


def test_only_addresses_are_servers() -> None:
    assert is_server("dicomweb+http://host/path")
    assert is_server("DICOMweb+HTTPS://host")
    assert not is_server("/data/scans")
    assert not is_server("http://host")


def test_studies_come_in_the_order_of_time_and_only_their_ct(remote: Remote) -> None:
    remote.studies = {
        "1.2.9": ("20210302", {"1.2.9.1": ("CT", []), "1.2.9.2": ("MR", [])}),
        "1.2.8": ("20210301", {"1.2.8.1": ("CT", [])}),
        "1.2.7": ("20210303", {"1.2.7.1": ("SR", [])}),
    }
    assert [(s.uid, s.series) for s in Server(remote.address).studies()] == [
        ("1.2.8", ("1.2.8.1",)),
        ("1.2.9", ("1.2.9.1",)),
    ]


def test_a_study_is_fetched_whole_under_names_of_our_own(
    remote: Remote, write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    paths = write(scan(size=4, pixel=40.0), tmp_path / "in")
    files = [path.read_bytes() for path in paths]
    remote.studies = {"1.2.9": ("20210302", {"1.2.9.1": ("CT", files)})}
    server = Server(remote.address)
    (study,) = server.studies()
    server.fetch(study, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(files)
    assert all(path.name.isdigit() for path in (tmp_path / "out").iterdir())
    here, there = find_scans(tmp_path / "in").scans, find_scans(tmp_path / "out").scans
    assert [s.series.scan_uid for s in here] == [s.series.scan_uid for s in there]


def test_what_a_server_says_when_it_fails_goes_nowhere(
    remote: Remote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NothingThere) as refusal:
        Server(remote.address + "/a/b/c/d/e").studies()
    assert "404" in str(refusal.value)
    assert "SECRET" not in str(refusal.value) + caplog.text
    with pytest.raises(NothingThere):
        Server("dicomweb+http://127.0.0.1:1").studies()


def test_a_remote_study_shows_no_uid() -> None:
    study = RemoteStudy("1.2.3.SECRET", "20210301", ("1.2.3.4",))
    assert "SECRET" not in repr(study)
    assert all(len(name) == 16 for name in study.scan_uids)
