"""A silent trial whose service, database and PACS are killed (-9) at random moments.

``python benchmarks/hospital_kills.py --studies 200 --large 10 --kills 50``: DCMTK's ``storescu``
sends studies by 8 senders at once, slices out of order and some of them twice, to a service on
PostgreSQL that sends what it made to Orthanc. A made-up predictor says "refused" of every study and
writes down whose images it saw. In the end every study must be whole, have one result of its last
revision, of the right patient, and one object of it in Orthanc; else the exit code is 5.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread

from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.serve.hospital.service import Office, opened
from hemocast.serve.hospital.settings import read_settings
from hemocast.serve.hospital.store.deliveries import Deliveries
from hemocast.serve.hospital.store.jobs import Job, State
from hemocast.serve.hospital.store.results import results

SERVED = Path(__file__).parents[1] / "tests" / "serve" / "hospital" / "served.py"
FOUND = 5


@dataclass
class Program:
    """A program that is killed and started again."""

    name: str
    command: list[str]
    ready: Callable[[Program], bool]
    user: str | None = None
    log: Path = Path(os.devnull)
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        """Start it, again and again where it ends: what it needs may be away."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command, stdout=log, stderr=log, user=self.user, cwd="/"
                )
            while self.process.poll() is None:
                if self.ready(self):
                    return
                time.sleep(0.05)
            time.sleep(0.2)
        sys.exit(f"{self.name} does not start: see {self.log}")

    def kill(self) -> None:
        """End it as a power cut would, and start it again."""
        assert self.process is not None  # noqa: S101 - it was started
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        self.start()


@dataclass
class Trial:
    """Folders and ports of the trial."""

    home: Path
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """Settings of the service."""
        return self.home / "serve.yaml"

    @property
    def archive(self) -> str:
        """Orthanc's address."""
        return f"http://127.0.0.1:{self.ports['web']}"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--large", type=int, default=10, help="of them, of 400 slices")
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=16)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)  # noqa: S311 - a seed
    with tempfile.TemporaryDirectory(prefix="kills-") as home:
        Path(home).chmod(0o711)  # the database's own user goes through it
        trial = Trial(
            Path(home), dict(zip(("node", "db", "dicom", "web"), free_ports(), strict=True))
        )
        sizes = [400] * asked.large
        sizes += [rng.randint(28, 40) for _ in range(asked.studies - asked.large)]
        studies = {f"P{n}": write_study(trial.home / "s", n, size) for n, size in enumerate(sizes)}
        programs = [database(trial), pacs(trial), service(trial)]
        begun = time.monotonic()
        try:
            for one in programs:
                one.start()
                if one.name == "database":
                    turn_on(trial)
            sent = disturb(trial, studies, programs, asked.kills, asked.senders, rng)
            faults = wait_and_check(trial, studies)
        finally:
            for one in programs:
                if one.process is not None:
                    one.process.kill()
                    one.process.wait()
    killed = ", ".join(f"{one.name} {one.kills}" for one in programs)
    print(
        f"{len(studies)} studies, {sum(sizes)} images, {asked.senders} senders; killed: {killed}; "
        f"all sent after {sent - begun:.0f} s, done after {time.monotonic() - begun:.0f} s"
    )
    print("\n".join(faults) or "0 lost, 0 doubled, 0 of a wrong patient")
    sys.exit(FOUND if faults else 0)


def free_ports() -> list[int]:
    """Find ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


def write_study(folder: Path, number: int, slices: int) -> list[Path]:
    """Write slices of 16 x 16 that nobody could predict from."""
    patient, study = f"P{number}", make_uid("kills", number)
    header = CTHeader(
        patient_id=patient, patient_name=f"{patient}^NAME", study_uid=study,
        series_uid=make_uid(study, 1), accession_number=f"A{number}",
    )  # fmt: skip
    z = np.arange(slices)
    places = np.stack([0 * z, 0 * z, 1.0 * z], axis=1)
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{patient}-{at}.dcm" for at in z]
    hu = np.full((slices, 16, 16), 30.0) + z[:, None, None]
    return write_ct(hu, places, (1, 0, 0, 0, 1, 0), (2, 2), header, paths)


def database(trial: Trial) -> Program:
    """Make a PostgreSQL, as a user without rights."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = "postgres" if os.geteuid() == 0 else None
    folder = trial.home / "pg"
    folder.mkdir(mode=0o700)
    if user:
        shutil.chown(folder, user)
    init = [programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "hemocast"]
    subprocess.run(init, check=True, capture_output=True, user=user, cwd="/")
    port = str(trial.ports["db"])
    listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", port, *listen]
    asks = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port]
    return Program(
        "database", command, lambda _: subprocess.run(asks).returncode == 0, user,
        trial.home / "db.log",
    )  # fmt: skip


def pacs(trial: Trial) -> Program:
    """Make an Orthanc."""
    folder = trial.home / "orthanc"
    folder.mkdir()
    settings = {
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "DicomAet": "PACS",
        "HttpPort": trial.ports["web"], "HttpBindAddresses": ["127.0.0.1"],
        "DicomPort": trial.ports["dicom"], "DicomBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "UnknownSopClassAccepted": True,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    ready = f"{trial.archive}/system"
    return Program(
        "Orthanc", ["Orthanc", str(folder / "orthanc.json")], lambda _: fetch(ready) is not None,
        log=trial.home / "orthanc.log",
    )  # fmt: skip


def service(trial: Trial) -> Program:
    """Make the service's settings."""
    peer = {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": trial.ports["dicom"]}
    url = f"postgresql://hemocast@127.0.0.1:{trial.ports['db']}/postgres"
    settings = {
        "node": {"port": trial.ports["node"]},
        "storage": {"root": str(trial.home / "data"), "database": url, "reserve_gb": 0},
        "jobs": {"settle_s": 1.5, "attempts": 100, "backoff_s": 0.1},
        "delivery": {"peers": [peer | {"results": True}], "refusals": True, "timeout_s": 5},
    }
    trial.config.write_text(json.dumps(settings))  # which is YAML, too
    command = [sys.executable, str(SERVED), str(trial.config)]
    port = ("127.0.0.1", trial.ports["node"])
    return Program("service", command, lambda _: is_open(port), log=trial.home / "service.log")


def is_open(port: tuple[str, int]) -> bool:
    """Tell whether somebody listens."""
    try:
        socket.create_connection(port, 1).close()
    except OSError:
        return False
    return True


def fetch(address: str, given: object = None) -> Any:
    """Ask Orthanc; None where it does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if given is None else json.dumps(given).encode()
    try:
        with opener.open(address, body, timeout=10) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def turn_on(trial: Trial) -> None:
    """Let results leave."""
    service(trial)
    with opened(read_settings(trial.config)) as office:
        Deliveries(office.database).switch(True, "benchmark")


def disturb(
    trial: Trial,
    studies: dict[str, list[Path]],
    programs: list[Program],
    kills: int,
    senders: int,
    rng: random.Random,
) -> float:
    """Send everything while programs are killed; return when all was taken."""

    def send(patient: str) -> None:
        own = random.Random(patient)  # noqa: S311 - a seed
        images = [str(image) for image in studies[patient]]
        images += own.sample(images, len(images) // 10)
        own.shuffle(images)
        to = ["storescu", "-to", "10", "-aec", "HEMOCAST", "127.0.0.1", str(trial.ports["node"])]
        # A PACS sends again what it got no success for.
        while subprocess.run([*to, *images], capture_output=True).returncode != 0:
            time.sleep(0.2)

    with ThreadPoolExecutor(senders) as pool:
        sending = [pool.submit(send, patient) for patient in rng.sample([*studies], len(studies))]
        for number in range(kills):
            # All along the way, not all before the first study is whole.
            while sum(one.done() for one in sending) < len(sending) * number // kills:
                time.sleep(0.1)
            time.sleep(rng.uniform(0, 4))
            one = rng.choice(programs)
            one.kill()
            done = sum(one.done() for one in sending)
            print(f"killed {one.name}; {done} studies sent", file=sys.stderr, flush=True)
        for one in sending:
            one.result()
    return time.monotonic()


def wait_and_check(trial: Trial, studies: dict[str, list[Path]]) -> list[str]:
    """Wait until all is delivered, and tell what is wrong."""
    with opened(read_settings(trial.config)) as office:
        deliveries, until = Deliveries(office.database), time.monotonic() + 600
        while time.monotonic() < until:
            jobs = office.jobs.all(State.REFUSED)
            if len(jobs) == len(studies) and not deliveries.all(None, "waiting"):
                break
            time.sleep(0.5)
        jobs = office.jobs.all()
        faults = [f"{len(jobs)} studies of {len(studies)}"] if len(jobs) != len(studies) else []
        for job in jobs:
            faults += check(trial, office, job, studies)
        return faults


def check(trial: Trial, office: Office, job: Job, studies: dict[str, list[Path]]) -> list[str]:
    """Tell what is wrong with one study."""
    if job.state is not State.REFUSED:
        return [f"study {job.study} is {job.state}"]
    kept = office.root.result(job.name, job.revision) / "scan-1"
    patient, seen, revision, _ = (kept / "report.html").read_text().split(" ")
    faults = []
    if (int(seen), job.images) != (len(studies[patient]),) * 2 or int(revision) != job.revision:
        faults.append(f"study {job.study} was not predicted whole")
    if [r.revision for r in results(office.database, job.study)].count(job.revision) != 1:
        faults.append(f"study {job.study} has not one result")
    told = dcmread(kept / "dicom" / "capture.dcm")
    source = dcmread(studies[patient][0], stop_before_pixels=True)
    wanted = {"SOPInstanceUID": str(told.SOPInstanceUID)}
    query = {"Level": "Instance", "Query": wanted, "Expand": True}
    found = fetch(f"{trial.archive}/tools/find", query) or []
    if len(found) != 1:
        faults.append(f"study {job.study}: Orthanc holds its object {len(found)} times")
    own = {"Level": "Study", "Query": {"StudyInstanceUID": source.StudyInstanceUID}, "Expand": True}
    at = fetch(f"{trial.archive}/tools/find", own) or [{"PatientMainDicomTags": {}}]
    whose = {one["PatientMainDicomTags"].get("PatientID") for one in at}
    if whose != {patient} or told.PatientID != patient or source.PatientID != patient:
        faults.append(f"study {job.study} is of a wrong patient")
    return faults


if __name__ == "__main__":
    main()
