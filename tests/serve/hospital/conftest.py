"""Small CT studies, a service whose predictions cost nothing, and DCMTK to send with."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pynetdicom", reason="the extra 'serve' is not installed")

from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.pipeline.predictions.folder import CaseResult
from hemocast.serve.hospital.analyst import Finding, Looked
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.service import Office, opened, running
from hemocast.serve.hospital.settings import HospitalConfig
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.jobs import Job, State

DONE = {State.PREDICTED, State.DELIVERED, State.REFUSED, State.FAILED}


def write_small_study(
    folder: Path, patient: str, n: int = 3, series: int = 1, size: int = 16, **more: object
) -> list[Path]:
    """Write small slices that nobody could predict from."""
    study = make_uid("study", patient)
    header = CTHeader(
        patient_id=patient,
        **{
            "patient_name": f"{patient}^NAME",
            "study_uid": study,
            "series_uid": make_uid(study, series),
            "accession_number": f"A{patient}"[:16],
            "age": 71,
            **more,
        },
    )
    z = np.arange(n)
    hu = np.full((n, size, size), 30.0) + z[:, None, None]
    places = np.stack([0 * z, 0 * z, 5.0 * z], axis=1)
    paths = [folder / f"{patient}-{series}-{at}.dcm" for at in z]
    folder.mkdir(parents=True, exist_ok=True)
    return write_ct(hu, places, (1, 0, 0, 0, 1, 0), (2, 2), header, paths)


@dataclass
class FakeAnalyst:
    """Says 'refused' of every study, which costs nothing, and remembers what it saw."""

    looked: Looked = field(default_factory=lambda: Looked(1))
    faults: list[Exception] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    during: Callable[[], object] = int

    def look(self, folder: Path) -> Looked:
        return self.looked

    def predict(self, folder: Path, model: str, revision: int) -> tuple[Finding, ...]:
        self.seen.append(len(list(folder.iterdir())))
        self.during()
        if self.faults:
            raise self.faults.pop(0)
        result = CaseResult(1, "refused", "HC205", "HC205 Too few.", "sub-1", "scan-1")
        return (Finding(result, {"report.html": b"page"}),)


@pytest.fixture
def small_study() -> Callable[..., list[Path]]:
    """Return `write_small_study`."""
    return write_small_study


@pytest.fixture
def analyst() -> FakeAnalyst:
    """Give an analyst that costs nothing."""
    return FakeAnalyst()


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., HospitalConfig]:
    """Return a function that makes settings of a service in the test's folder."""

    def _settings(**rooms: dict[str, object]) -> HospitalConfig:
        usual = {
            "node": {"port": 0, "timeout_s": 5},
            "storage": {"root": str(tmp_path / "data"), "reserve_gb": 0},
            "jobs": {"settle_s": 0.3, "backoff_s": 0.01},
        }
        return HospitalConfig.model_validate(
            {name: usual.get(name, {}) | rooms.get(name, {}) for name in {*usual, *rooms}}
        )

    return _settings


@pytest.fixture
def office(settings: Callable[..., HospitalConfig]) -> Iterator[Office]:
    """Give a data root and a database, with nothing running."""
    with opened(settings()) as found:
        yield found


@pytest.fixture
def take(office: Office) -> Callable[..., list[str]]:
    """Return a function that takes copies of files into the office, as the node does."""
    inbox = Inbox(office.root, Arrivals(office.database))

    def _take(paths: list[Path]) -> list[str]:
        outcomes = []
        for path in paths:
            copy = office.root.incoming / path.name
            shutil.copy(path, copy)
            outcomes.append(inbox.take(copy, "TEST").value)
        return outcomes

    return _take


@dataclass
class Service:
    """A service that runs, and what it knows."""

    office: Office
    port: int

    def wait(self, ready: Callable[[list[Job]], bool], seconds: float = 30) -> list[Job]:
        """Wait until the jobs are as they should be."""
        until = time.monotonic() + seconds
        while not ready(jobs := self.office.jobs.all()):
            assert time.monotonic() < until, jobs
            time.sleep(0.02)
        return jobs

    def wait_done(self, studies: int, seconds: float = 30) -> list[Job]:
        """Wait until so many studies are through, and none is under way."""
        return self.wait(
            lambda jobs: len(jobs) == studies and {job.state for job in jobs} <= DONE, seconds
        )


@pytest.fixture
def serve(settings: Callable[..., HospitalConfig], analyst: FakeAnalyst) -> Callable[..., object]:
    """Return a context manager that runs a service."""

    @contextmanager
    def _serve(**rooms: dict[str, object]) -> Iterator[Service]:
        with opened(settings(**rooms)) as found, running(found, analyst) as port:
            yield Service(found, port)

    return _serve


@pytest.fixture
def dcmtk() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a program of DCMTK against a port; its code and words."""
    if shutil.which("storescu") is None:
        pytest.skip("DCMTK is not installed")

    def _run(
        program: str, port: int, *more: object, called: str = "HEMOCAST", calling: str = "TESTER"
    ) -> subprocess.CompletedProcess[str]:
        options = [*map(str, more)]
        flags = [one for one in options if one.startswith(("-", "+"))]
        files = [one for one in options if one not in flags]
        return subprocess.run(
            [
                program,
                "-v",
                "-aet",
                calling,
                "-aec",
                called,
                *flags,
                "127.0.0.1",
                str(port),
                *files,
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )

    return _run


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Callable[..., tuple[int, Path]]]:
    """Return a function that starts DCMTK's storescp; it gives port and folder."""
    program = shutil.which("storescp")
    if program is None:
        pytest.skip("DCMTK is not installed")
    started: list[subprocess.Popen[bytes]] = []

    def _start(*options: str) -> tuple[int, Path]:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = int(found.getsockname()[1])
        folder = tmp_path / f"scp-{port}"
        folder.mkdir()
        started.append(subprocess.Popen([program, *options, "-od", folder, str(port)]))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        return port, folder

    yield _start
    for process in started:
        process.kill()
        process.wait()


def free_port() -> int:
    """Give a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Pacs:
    """An Orthanc that speaks DICOM and DICOMweb.

    Parameters
    ----------
    address : str
        Of its REST API.
    port : int
        Of its DICOM node.
    """

    address: str
    port: int

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Ask its REST API; objects travel as JSON, files as they are."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        address = f"{self.address}{path}"
        request = urllib.request.Request(address, content, method=method)  # noqa: S310 - our own
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def know(self, port: int) -> None:
        """Make the service under test known to it."""
        modality = {
            "AET": "HEMOCAST", "Host": "127.0.0.1", "Port": port, "AllowStorageCommitment": True,
        }  # fmt: skip
        self.ask("/modalities/hemocast", "PUT", modality)

    def take(self, *files: Path) -> None:
        """Let it take files."""
        for file in files:
            self.ask("/instances", "POST", file.read_bytes())

    def as_peer(self, **more: object) -> dict[str, object]:
        """Tell of it as the settings do."""
        where = {"ae_title": "PACS", "host": "127.0.0.1", "port": self.port}
        return {"name": "pacs", **where, **more}


@pytest.fixture(scope="module")
def pacs(
    tmp_path_factory: pytest.TempPathFactory,
    start_orthanc: Callable[..., AbstractContextManager[str]],
) -> Iterator[Pacs]:
    """Give an Orthanc, empty at first."""
    port = free_port()
    dicom = {"DicomServerEnabled": True, "DicomPort": port, "DicomAet": "PACS"}
    with start_orthanc(tmp_path_factory.mktemp("pacs"), **dicom) as address:
        yield Pacs(address, port)


@pytest.fixture
def provided(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an OpenID Connect provider that runs on loopback, as `provided.py` has it."""
    pytest.importorskip("joserfc", reason="the extra 'serve' is not installed")
    from .provided import providing

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with providing() as found:
        yield found
