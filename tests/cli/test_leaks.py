"""Whole commands under ``strace``: nothing is looked up or sent, nothing written where none looks.

The telemetry of a library shows in no log and no test of ours: only in what its process asks of the
system. A command or library that is added needs one line in `COMMANDS` here.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from hemocast.simulate import TINY, simulate_cohort

HEMOCAST = [sys.executable, "-m", "hemocast"]
# The whole way with a cohort and a network of the least size; a program, for `demo` has no options.
SMALL_DEMO = """
import sys
from hemocast.cli.main import run
from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.pipeline import demo
demo.DEMO = demo.DEMO.model_copy(update={"n_ht": 6, "n_non": 6})
demo.CONFIG = Config(prepare=PrepareConfig(size=96, pixel_mm=2),
                     net=NetConfig(pool=2, stem=8, widths=(8, 8)),
                     train=TrainConfig(epochs=2, threads=1))
run(["demo", "--workers", "2", "--out", sys.argv[1]])
"""
SETTINGS = """
prepare: {size: 96, pixel_mm: 2}
net: {pool: 2, stem: 8, widths: [8, 8]}
train: {epochs: 2, threads: 1}
"""
slow = pytest.mark.slow
COMMANDS = [
    pytest.param([*HEMOCAST, "predict", "{zip}", "--out", "{out}"], id="predict"),
    pytest.param(
        [*HEMOCAST, "evaluate", "{table}", "--resamples", "100", "--out", "{out}"],
        marks=slow, id="evaluate",
    ),
    pytest.param([*HEMOCAST, "ingest", "{zip}", "--out", "{out}"], marks=slow, id="ingest"),
    pytest.param([*HEMOCAST, "deidentify", "{zip}", "--out", "{out}"], marks=slow, id="deidentify"),
    pytest.param(
        [*HEMOCAST, "simulate", "--preset", "tiny", "--patients", "2", "--workers", "2",
         "--out", "{out}"],
        marks=slow, id="simulate",
    ),
    pytest.param(
        [*HEMOCAST, "train", "{dataset}", "--config", "{settings}", "--test-fraction", "0.34",
         "--out", "{out}"],
        marks=slow, id="train",
    ),
    pytest.param([sys.executable, "-c", SMALL_DEMO, "{out}"], marks=slow, id="demo"),
    pytest.param(
        [sys.executable, "-c", "from hemocast.onnx import _runtime; _runtime()"],
        id="onnxruntime",
    ),
]  # fmt: skip
"""What is run: words; ``{out}`` and the inputs of `Place.command` are put in."""

CALLS = "%network,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink"
FAMILIES = {"AF_UNIX", "AF_NETLINK", "AF_INET", "AF_INET6"}
"""Of sockets: within the machine, to its kernel, and those whose every address is looked at."""
DEVICES = ("/dev/null", "/dev/shm", "/proc/self", "/dev/tty")  # noqa: S108
"""What is written to beside files: shared memory is where worker processes lock each other."""
CACHES = (".cache/matplotlib", ".config/matplotlib", ".matplotlib")
"""What may be left in a home folder: the list of fonts that Matplotlib keeps."""

_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_PATH = re.compile(r'(?:<([^<>]*)>, )?"((?:[^"\\]|\\.)*)"')


def found_in(trace: str, allowed: tuple[Path, ...], folder: Path) -> list[str]:
    """Give the lines of a trace that look up, reach out, or write elsewhere.

    Parameters
    ----------
    trace : str
        As ``strace -y`` writes it.
    allowed : tuple of Path
        Where files may be made and written.
    folder : Path
        Where the command runs: relative paths begin there.
    """
    return [line for line in trace.splitlines() if _leaks(line, allowed, folder)]


def _leaks(line: str, allowed: tuple[Path, ...], folder: Path) -> bool:
    call = re.sub(r"^\d+ +", "", line)
    name = call.partition("(")[0]
    if name == "socket":
        return call[7:].partition(",")[0] not in FAMILIES
    if any(not ipaddress.ip_address(a or b).is_loopback for a, b in _ADDRESS.findall(call)):
        return True
    if not name.startswith(("open", "creat", "mkdir", "rename", "link", "symlink")):
        return "htons(53)" in call
    paths = [folder / base / path for base, path in _PATH.findall(call)]
    if paths and paths[0] == Path("/etc/resolv.conf"):
        return True  # read by whoever is about to look up a name
    if " = -1 " in call or (name.startswith("open") and not re.search("O_WRONLY|O_RDWR", call)):
        return False
    real = [Path(os.path.normpath(path)) for path in paths]
    return not all(any(path.is_relative_to(place) for place in allowed) for path in real)


@dataclass(frozen=True)
class Place:
    """Inputs, and the folders of a machine's user that a command may touch."""

    root: Path
    inputs: Path

    @property
    def results(self) -> Path:
        return self.root / "results"

    def command(self, words: list[str]) -> list[str]:
        """Give a command under strace."""
        named = {
            "zip": self.inputs / "scan.zip",
            "dataset": self.results / "dataset",
            "table": self.inputs / "predictions.csv",
            "settings": self.inputs / "settings.yaml",
            "out": self.results / "out",
        }
        line = [re.sub(r"^\{(\w+)\}$", lambda m: str(named[m[1]]), word) for word in words]
        return ["strace", "-f", "-y", "-qq", "--seccomp-bpf", "-o", str(self.root / "trace"),
                "-e", f"trace={CALLS}", *line]  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """A new user's: an empty home, and telemetry as wanted as can be."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL", "COV"))}
        home, tmp = self.root / "home", self.root / "tmp"
        return {**kept, "HOME": str(home), "TMPDIR": str(tmp), "ORT_DISABLE_TELEMETRY": "0",
                "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}  # fmt: skip

    def check(self) -> None:
        """Nothing left the machine or the folders, and nothing stays where none looks."""
        writable = [self.results, self.root / "home", self.root / "tmp", *map(Path, DEVICES)]
        trace = (self.root / "trace").read_text(encoding="utf-8", errors="replace")
        assert trace.count("openat(") > 10, "strace saw nothing"
        assert found_in(trace, tuple(writable), self.root / "here") == []
        home = self.root / "home"
        left = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
        assert [name for name in left if not name.startswith(CACHES)] == []
        assert [path for path in (self.root / "tmp").rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a zip of DICOM, tables and settings; SIMULATED."""
    root = tmp_path_factory.mktemp("inputs")
    simulate_cohort(
        TINY.model_copy(update={"n_ht": 1, "n_non": 1, "scans_per_patient": 1}), root / "dicom"
    )
    shutil.make_archive(str(root / "scan"), "zip", next((root / "dicom" / "dicom").iterdir()))
    rows = [f"p{i},s{i},{i % 2},{0.3 + 0.2 * (i % 2):.2f}" for i in range(40)]
    lines = ["participant_id,scan_id,label,probability", *rows]
    (root / "predictions.csv").write_text("\n".join(lines) + "\n")
    (root / "settings.yaml").write_text(SETTINGS)
    return root


@pytest.fixture
def dataset(place: Place) -> None:
    """Make a dataset of twelve patients; prepared scans are kept in it."""
    cohort = ["simulate", "--preset", "demo", "--patients", "12", "--format", "dataset", "--out"]
    subprocess.run([*HEMOCAST, *cohort, place.root / "made"], check=True, capture_output=True)
    shutil.move(place.root / "made" / "dataset", place.results)


@pytest.fixture
def place(inputs: Path, tmp_path: Path) -> Place:
    for name in ("home", "tmp", "results", "here"):
        (tmp_path / name).mkdir()
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "--seccomp-bpf", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("strace may not trace here")
    return Place(tmp_path, inputs)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_reaches_nothing_and_leaves_nothing(
    words: list[str], place: Place, request: pytest.FixtureRequest
) -> None:
    if "{dataset}" in words:
        request.getfixturevalue("dataset")
    done = subprocess.run(
        place.command(words), cwd=place.root / "here", env=place.environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    place.check()


@pytest.mark.slow
def test_the_reading_room_reaches_nothing_and_leaves_nothing(place: Place) -> None:
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    scans, labels = place.inputs / "dicom" / "dicom", place.inputs / "dicom" / "labels.csv"
    ours = [*HEMOCAST, "ingest", scans, "--labels", labels, "--out", place.results / "out"]
    subprocess.run(ours, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = [*HEMOCAST, "readers", "serve", "{out}", "--study", "s", "--port", port]
    with subprocess.Popen(
        place.command(words),
        cwd=place.root / "here",
        env=place.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as room:
        assert room.stdout is not None
        link = next(line.split()[1] for line in room.stdout if "/r/" in line)
        assert any("stop with Ctrl-C" in line for line in room.stdout)
        assert "Open the reading room" in _page(link)
        # The first line is of the process that was started; strace itself would not pass it on.
        os.kill(int((place.root / "trace").read_text().split()[0]), signal.SIGINT)
        assert room.wait(30) == 0
    place.check()


def _page(link: str) -> str:
    """Give a page once the room listens."""
    for _ in range(100):
        with (
            suppress(ConnectionError, urllib.error.URLError),
            urllib.request.urlopen(link, timeout=30) as page,  # noqa: S310
        ):
            return str(page.read().decode())
        time.sleep(0.1)
    raise AssertionError("the reading room does not answer")


PROGRAMS = {
    "a look-up": "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: 0",
    "a datagram": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    ".connect(('192.0.2.1', 9))",
    "a connection": "import socket\ns = socket.socket(socket.AF_INET6)\ns.settimeout(0.1)\n"
    "try: s.connect(('2001:db8::1', 443))\nexcept OSError: 0",
    "a device's family": "import socket\ntry: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)\n"
    "except OSError: 0",
    "a file in the home": "from pathlib import Path\n(Path.home() / '.device-id').write_text('x')",
    "a file beside": "open('../mine', 'w')",
    "a folder": "import os\nos.mkdir('cache')",
    "a name": "import os\nopen('../tmp/a', 'w'); os.rename('../tmp/a', '../b')",
}


@pytest.mark.parametrize("leak", PROGRAMS)
def test_what_leaks_is_found(leak: str, place: Place) -> None:
    words = [sys.executable, "-S", "-c", PROGRAMS[leak]]
    subprocess.run(place.command(words), cwd=place.root / "here", env=place.environment)
    with pytest.raises(AssertionError):
        place.check()
