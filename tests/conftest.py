"""Fixtures shared by all tests: where the real data lie, and where pictures to look at go."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from hemocast.anatomy import Alignment, Brain
    from hemocast.volume import Volume

ROOT = Path(__file__).parents[1]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A busy machine is no failure. Continuous integration tries the same examples every time.
settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("steady")


class ByRoom(LoadScopeScheduling):
    """Keep the tests of one room in one process: they share what was costly to make."""

    def _split_scope(self, nodeid: str) -> str:
        room = nodeid.partition("::")[0].rpartition("/")[0]
        # Rooms with most tests begin first. A reproduction, of few tests and a minute, would begin
        # last, and one process wait for the other.
        return "tests/pipeline" if room.startswith("tests/pipeline/") else room


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    """Share out the tests; xdist's own groups reach no test's name under pytest 9.2."""
    return ByRoom(config, log)


# Continuous integration has every component that README names; it may lack data and privileges, and
# Flower has an environment of its own.
_MAY_BE_ABSENT = re.compile(
    "real test data|reference numbers|source tree|larger test files|may not mount|make federate"
)


def _missing_component(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where CI is set and a program or library is what is missing."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"} and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not hasattr(report, "wasxfail") and not _MAY_BE_ABSENT.search(reason):
            report.outcome = "failed"
            report.longrepr = f"Missing where CI is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `_missing_component`."""
    report = yield
    _missing_component(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `_missing_component`; a whole file that skips itself."""
    report = yield
    _missing_component(report)
    return report


_WHOLE_RUNS = {
    "cli",
    "dataset",
    "deliver",
    "model",
    "pipeline",
    "readers",
    "report",
    "serve",
    "train",
}
"""Rooms that take scans in, predict and train; what those do is tested in the rooms below."""


class _Latest(dict[Any, Any]):
    """The latest of a session: a whole scan with what was found on it takes 50 MB."""

    def __setitem__(self, key: object, value: object) -> None:
        while len(self) >= 60:
            del self[next(iter(self))]
        super().__setitem__(key, value)


_LOOKED, _READY, _MEASURED = _Latest(), _Latest(), _Latest()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Do once what takes seconds and comes out the same, where whole runs are tested."""
    if not _WHOLE_RUNS.intersection(item.nodeid.partition("::")[0].split("/")[1:2]):
        return (yield)
    with _found_once(), _drawn_once():
        return (yield)


@contextmanager
def _found_once() -> Iterator[None]:
    """Find a scan's brain, pose and signs once, however often it is taken in or predicted."""
    from hemocast.pipeline import scan_signs
    from hemocast.prepare import eligibility

    eligible, look, signs_of = eligibility.eligible, eligibility.look, scan_signs.signs_of

    def pixels(volume: Any) -> bytes:
        return hashlib.sha256(volume.hu.tobytes() + volume.affine.tobytes()).digest()

    def look_once(volume: Any) -> Any:
        if (scan := pixels(volume)) not in _LOOKED:
            _LOOKED[scan] = look(volume)  # a refusal is raised, and not kept
        return _LOOKED[scan]

    def eligible_once(volume: Any, config: Any, looked: Any = None) -> Any:
        scan = (pixels(volume), repr(volume.source), repr(config))
        if scan not in _READY:
            _READY[scan] = eligible(volume, config, looked)
        return _READY[scan]

    def signs_once(scan: Any) -> Any:
        if id(scan) not in _MEASURED:
            _MEASURED[id(scan)] = scan, signs_of(scan)
        return _MEASURED[id(scan)][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eligibility, "eligible", eligible_once)
        patch.setattr(eligibility, "look", look_once)
        patch.setattr(scan_signs, "signs_of", signs_once)
        yield


class _Graphs(dict[tuple[str | int, ...], bytes]):
    """Graphs of networks; what one process of this run drew, the others take over."""

    folder: Path

    def _file(self, key: tuple[str | int, ...]) -> Path:
        return self.folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.graph"

    def __contains__(self, key: object) -> bool:
        if not super().__contains__(key) and (file := self._file(key)).exists():  # type: ignore[arg-type]
            super().__setitem__(key, file.read_bytes())  # type: ignore[index]
        return super().__contains__(key)

    def __setitem__(self, key: tuple[str | int, ...], graph: bytes) -> None:
        super().__setitem__(key, graph)
        begun = self._file(key).with_suffix(f".{os.getpid()}")
        begun.write_bytes(graph)
        begun.replace(self._file(key))

    def clear(self) -> None:
        """Keep them: outside the tests, that of the last network is kept."""


_GRAPHS = _Graphs()


@pytest.fixture(scope="session", autouse=True)
def _where_graphs_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep graphs where all processes of this run find them."""
    own = tmp_path_factory.getbasetemp()
    _GRAPHS.folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _drawn_once() -> Iterator[None]:
    """Draw the graph of every kind of network that is exported once: it takes seven seconds."""
    from hemocast.model import export

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_GRAPHS", _GRAPHS)
        yield


@pytest.fixture
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes most of the time of an evaluation; figures have tests of their own."""
    from hemocast.report.figures.drawing import Drawing

    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(Drawing, "_saved", lambda _, kind, __: f"<{kind}/>".encode())


@pytest.fixture
def drawn() -> None:
    """Have the figures drawn all the same."""


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real scans, or skip: the project ships none."""
    folder = Path(os.environ.get("HEMOCAST_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real test data: set HEMOCAST_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def unpack(data_dir: Path, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that unpacks one of the real zips and gives its folder."""
    done: dict[str, Path] = {}

    def _unpack(name: str) -> Path:
        if name not in done:
            archive = data_dir / f"{name}.zip"
            if not archive.is_file():
                pytest.skip(f"{archive.name} is not in the folder of real test data")
            folder = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
            done[name] = folder
        return done[name]

    return _unpack


@pytest.fixture(scope="session")
def ge_head(unpack) -> Path:
    """Return the real tilted GE head, 28 DICOM files."""
    return unpack("ge_head_tilted")


@pytest.fixture(scope="session")
def ge_volume(ge_head: Path) -> Volume:
    """Return it as it is read."""
    from hemocast.dicom import read

    return read(ge_head)


@pytest.fixture(scope="session")
def ge_brain(ge_volume: Volume) -> Brain:
    """Return its brain."""
    from hemocast.anatomy import find_brain

    return find_brain(ge_volume)


@pytest.fixture(scope="session")
def ge_pose(ge_volume: Volume, ge_brain: Brain) -> Alignment:
    """Return how it is set upright."""
    from hemocast.anatomy import align

    return align(ge_volume, ge_brain)


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Return the folder for pictures that tests leave to be looked at (ignored by git)."""
    folder = ROOT / "tests" / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def schema_faults() -> Callable[[object, dict], list[str]]:
    """Return a function that checks a value against a JSON Schema (draft 2020-12)."""
    from jsonschema import Draft202012Validator

    def faults(value: object, schema: dict) -> list[str]:
        Draft202012Validator.check_schema(schema)
        found = Draft202012Validator(schema).iter_errors(value)
        return [f"{error.json_path}: {error.message}" for error in found]

    return faults


@pytest.fixture(scope="session")
def unlisted() -> Callable[[Iterable[Path]], list[str]]:
    """Return a function that names what of written tables docs/reference/tables.md does not list.

    What it lists is `docs/made/written.yaml`.
    """
    place = ROOT / "docs" / "made" / "written.py"
    spec = importlib.util.spec_from_file_location("written_tables", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["written_tables"] = module
    spec.loader.exec_module(module)
    return lambda files: list(module.faults(files))


@pytest.fixture
def tables_are_listed(
    tmp_path: Path, unlisted: Callable[[Iterable[Path]], list[str]]
) -> Iterator[None]:
    """Fail a test of a whole command that wrote a table, or a column, which no page lists."""
    yield
    assert unlisted(_written_tables(tmp_path)) == []


def _written_tables(place: Path) -> Iterator[Path]:
    """Give the tables that Hemocast says it wrote in folders below, unless somebody changed one."""
    from hemocast.files import RECORD, Output
    from hemocast.files.output import record_lines

    for record in place.rglob(RECORD):
        names = {line.get("file", "") for line in record_lines(record.parent)}
        for path in (record.parent / name for name in names if name.endswith((".csv", ".tsv"))):
            if Output(record.parent).wrote(path):
                yield path


@pytest.fixture(scope="session")
def html_faults() -> Callable[[str], list[str]]:
    """Return a function that names what is wrong in a page's HTML.

    What the parser of the standard minds, an id given twice, a reference to what is not there, and
    a time in smaller parts than milliseconds.
    """
    from html5lib import HTMLParser

    referring = ("aria-labelledby", "aria-describedby", "for")

    def faults(page: str) -> list[str]:
        parser = HTMLParser(namespaceHTMLElements=False)
        nodes = list(parser.parse(page).iter())
        ids = Counter(node.get("id") for node in nodes if node.get("id") is not None)
        named = {name for node in nodes for key in referring for name in node.get(key, "").split()}
        named |= {to[1:] for node in nodes if (to := node.get("href", "")).startswith("#")}
        return [
            *(f"{code} at {place}" for place, code, _ in parser.errors),
            *(f"id {name} {count} times" for name, count in ids.items() if count > 1),
            *(f"nothing is called {name}" for name in sorted(named - set(ids) - {""})),
            *(said for node in nodes if re.search(r"\.\d{4}", said := node.get("datetime", ""))),
        ]

    return faults


@pytest.fixture(scope="module")
def browser() -> Generator[Any, None, None]:
    """Give one Chromium for all pages of a file; its event loop must end with them."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("HEMOCAST_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (or name it in HEMOCAST_TEST_CHROMIUM)")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a temporary PostgreSQL, run as a user without rights."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    pg_ctl = shutil.which("pg_ctl") or (str(found[-1]) if found else None)
    if pg_ctl is None:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path("/tmp") / f"hemocast-pg-{uuid4().hex[:8]}"  # noqa: S108 - a socket's path is short
    folder.mkdir(mode=0o700)
    run = {"check": True, "capture_output": True, "user": user, "cwd": "/"}
    try:
        if user:
            shutil.chown(folder, user)
        port = _free_port()
        initdb = Path(pg_ctl).with_name("initdb")
        subprocess.run(
            [initdb, "-D", folder / "data", "-A", "trust", "-U", "hemocast", "-N"], **run
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        start = [pg_ctl, "-D", folder / "data", "-o", options, "-w", "-l", folder / "log", "start"]
        subprocess.run(start, **run)
    except (subprocess.CalledProcessError, LookupError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL could not be started here ({type(error).__name__})")
    yield f"postgresql://hemocast@127.0.0.1:{port}/postgres"
    subprocess.run([pg_ctl, "-D", folder / "data", "-m", "immediate", "stop"], **run)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running_orthanc(folder: Path, **more: object) -> Iterator[str]:
    """Run an empty Orthanc with DICOMweb (``/dicom-web``), on this machine alone.

    Parameters
    ----------
    folder : Path
        For all that it writes.
    **more
        Its settings, beside the usual ones.

    Yields
    ------
    str
        Its address.
    """
    pytest.importorskip("dicomweb_client", reason="the extra 'serve' is not installed")
    program = shutil.which("Orthanc")
    places = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins")
    plugins = [p for place in places for p in Path(place).glob("libOrthancDicomWeb*")]
    if program is None or not plugins:
        pytest.skip("Orthanc with its DICOMweb plugin is not installed (orthanc-dicomweb)")
    port = _free_port()
    settings: dict[str, object] = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": port,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "Plugins": [str(plugins[0])],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings | more))
    command = [program, str(folder / "orthanc.json")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=os.environ) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and process.poll() is None:
                try:
                    opener.open(f"{address}/system", timeout=10).close()
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            else:
                pytest.skip("Orthanc does not start here")
            yield address
        finally:
            process.kill()


@pytest.fixture(scope="session")
def start_orthanc() -> Callable[..., AbstractContextManager[str]]:
    """Return `_running_orthanc`."""
    return _running_orthanc


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty Orthanc with DICOMweb (``/dicom-web``), on this machine alone."""
    with _running_orthanc(tmp_path_factory.mktemp("orthanc")) as address:
        yield address


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
