"""A silent trial on one machine: ``python examples/hospital.py OUT [--studies 3] [--once]``.

Orthanc plays the PACS, DCMTK the scanner (Debian: ``orthanc``, ``dcmtk``): simulated studies are
sent to ``hemocast serve``, predicted, and, since delivery is turned on here, sent on to Orthanc.
Then ``hemocast monitor`` looks back on the trial. All listens on this machine alone. It prints
where the pages are and a password, and goes on until Ctrl-C; with ``--once`` it ends when every
study is delivered. OUT is new; it holds all there is.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ALARM = 5
"""Exit code of ``hemocast monitor`` that has something to say."""
WHO = "trial on one machine"
HEMOCAST = Path(sys.executable).with_name("hemocast")


@dataclass(frozen=True)
class Places:
    """Folders and ports of the trial."""

    out: Path
    node: int
    pages: int
    pacs: int
    pacs_web: int

    @property
    def settings(self) -> Path:
        """The service's settings."""
        return self.out / "hemocast-serve.yaml"

    @property
    def archive(self) -> str:
        """Orthanc's address."""
        return f"http://127.0.0.1:{self.pacs_web}"


def main() -> None:
    """Bring everything up, send, wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--studies", type=int, default=3)
    parser.add_argument("--once", action="store_true", help="end when all is delivered")
    asked = parser.parse_args()
    if missing := [name for name in ("Orthanc", "storescu") if shutil.which(name) is None]:
        sys.exit(f"Not installed: {', '.join(missing)}. On Debian: apt-get install orthanc dcmtk")
    if asked.out.exists():
        sys.exit(f"{asked.out} is there already: name a new folder")
    asked.out.mkdir(parents=True)
    places = Places(asked.out.resolve(), *free_ports(4))
    with ExitStack() as running:
        running.enter_context(orthanc(places))
        password = set_up(places)
        running.enter_context(service(places))
        send(places, asked.studies)
        wait_for(lambda: delivered(places) >= asked.studies, 600, "every study is delivered")
        sent = json.loads(fetch(f"{places.archive}/statistics"))["CountInstances"]
        print(f"{asked.studies} studies delivered; Orthanc holds {sent} objects of their results")
        print(f"How the trial goes: {look_back(places)}")
        print(f"Worklist: http://127.0.0.1:{places.pages}  name: admin  password: {password}")
        print(f"Orthanc: {places.archive}/app/explorer.html", flush=True)
        if not asked.once:
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    with ExitStack() as held:
        found = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in found]


@contextmanager
def orthanc(places: Places) -> Iterator[None]:
    """Run a PACS."""
    folder = places.out / "pacs"
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": places.pacs_web,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": "PACS",
        "DicomPort": places.pacs,
        "DicomBindAddresses": ["127.0.0.1"],
        "UnknownSopClassAccepted": True,
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with started(["Orthanc", folder / "orthanc.json"], places.out / "orthanc.log"):
        wait_for(lambda: bool(fetch(f"{places.archive}/system")), 60, "Orthanc answers")
        yield


def set_up(places: Places) -> str:
    """Write the settings, make an account, turn delivery on; return the account's password."""
    peer = {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": places.pacs}
    settings = {
        "node": {"port": places.node},
        "storage": {"root": str(places.out / "data"), "reserve_gb": 0.5},
        "jobs": {"settle_s": 5},
        "delivery": {"peers": [peer | {"results": True}]},
        "web": {"port": places.pages},
    }
    places.settings.write_text(json.dumps(settings, indent=1))  # which is YAML, too
    password = secrets.token_urlsafe(12)
    add = ("account", "add", "admin", "--role", "admin", "--password-stdin")
    hemocast(places, "serve", *add, given=password)
    hemocast(places, "serve", "deliver", "on", "--who", WHO)
    return password


@contextmanager
def service(places: Places) -> Iterator[None]:
    """Run Hemocast's service."""
    command = [HEMOCAST, "serve", "run", "--config", places.settings]
    with started(command, places.out / "service.log"):
        alive = f"http://127.0.0.1:{places.pages}/alive"
        wait_for(lambda: fetch(alive) is not None, 120, "the service answers")
        yield


def send(places: Places, studies: int) -> None:
    """Simulate studies, and send them as a scanner does."""
    made = places.out / "simulated"
    simulate = ("simulate", "--preset", "demo", "--patients", str(max(4, studies)), "--seed", "1")
    subprocess.run([HEMOCAST, *simulate, "--out", made], check=True, stdout=subprocess.DEVNULL)
    files = (path for path in (made / "dicom").rglob("*") if path.is_file())
    folders = sorted({path.parent for path in files})[:studies]
    for folder in folders:
        target = ("-aec", "HEMOCAST", "127.0.0.1", str(places.node))
        subprocess.run(["storescu", "+sd", "+r", *target, folder], check=True)
    print(f"{len(folders)} simulated studies sent", flush=True)


def delivered(places: Places) -> int:
    """Count the studies whose results have left; refused ones have nothing to send."""
    told = hemocast(places, "serve", "jobs")
    return sum(told.count(f"  {state} ") for state in ("delivered", "refused", "failed"))


def look_back(places: Places) -> Path:
    """Export the history, and let ``hemocast monitor`` look at it; return its page.

    So few scans are no reference: a made-up one stands in, of risks spread evenly. In a real trial
    it is the model's test predictions, or the first weeks.
    """
    hemocast(places, "serve", "export", "--out", str(places.out / "history"))
    reference = places.out / "made-up-reference.csv"
    rows = [f"{(k + 0.5) / 40},1" for k in range(40)]
    reference.write_text("\n".join(["probability,simulated", *rows]) + "\n")
    watched = places.out / "watched"
    history = places.out / "history" / "history.csv"
    command = [HEMOCAST, "monitor", history, "--compare-with", reference, "--out", watched]
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, ALARM):
        sys.exit("hemocast monitor has failed")
    return watched / "report.html"


def hemocast(places: Places, *words: str, given: str = "") -> str:
    """Run a command of the service, and return what it prints."""
    command = [str(HEMOCAST), *words, "--config", str(places.settings)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=given)
    return done.stdout


@contextmanager
def started(command: list[str | Path], log: Path) -> Iterator[None]:
    """Run a program until the block ends."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=os.environ)
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def fetch(address: str) -> bytes | None:
    """Ask a server of this machine, whatever proxy is set; None where it does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=10) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, ConnectionError):
        return None


def wait_for(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again, up to some seconds."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            sys.exit(f"Given up after {seconds:.0f} s before {what}: see the logs")
        time.sleep(3)


if __name__ == "__main__":
    main()
