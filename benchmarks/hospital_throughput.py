"""How many studies a minute the hospital's service receives and settles, and what it costs.

``python benchmarks/hospital_throughput.py`` sends studies of 32 slices, 512 x 512, by several
senders at once (DCMTK's ``storescu``) to a service whose predictions cost nothing; ``--many 1000``
sends small studies and shows that memory does not grow with them. ``--predict 6`` sends
simulated heads one after another to ``hemocast serve run`` with the usual model, and tells what
predicting adds; ``--predict 24 --together`` sends all at once, and tells how many a minute come out
of two processes, the first two left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.serve.hospital.service import opened
from hemocast.serve.hospital.settings import read_settings
from hemocast.serve.hospital.store.jobs import DONE, State
from hemocast.serve.hospital.store.results import results

HEMOCAST = Path(sys.executable).with_name("hemocast")
SETTLE_S = 3.0
AT_ONCE = 2
"""Processes that predict, where many heads come together."""
SERVED = Path(__file__).parents[1] / "tests" / "serve" / "hospital" / "served.py"


def write_study(folder: Path, number: int, slices: int, size: int) -> Path:
    """Write one study of noise."""
    study = make_uid("throughput", number)
    header = CTHeader(
        patient_id=f"P{number}", patient_name="", study_uid=study, series_uid=make_uid(study, 1)
    )
    hu = np.random.default_rng(number).normal(30, 5, (slices, size, size))
    places = np.stack([np.zeros(slices), np.zeros(slices), 5.0 * np.arange(slices)], axis=1)
    write_ct(hu, places, (1, 0, 0, 0, 1, 0), (0.45, 0.45), header, folder)
    return folder


def resident_mb(process: int) -> float:
    """Memory of a process, MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def send(folder: Path, port: int) -> None:
    """Send a study as a scanner does."""
    subprocess.run(
        ["storescu", "-aec", "HEMOCAST", "+sd", "127.0.0.1", str(port), folder], check=True
    )


def measure(home: Path, studies: int, slices: int, size: int, senders: int) -> None:
    """Send studies, wait for the last, and print what it took."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    config = home / "serve.yaml"
    config.write_text(
        f"node: {{port: {port}}}\nstorage: {{root: {home / 'data'}, reserve_gb: 1}}\n"
        "jobs: {settle_s: 1}\n"
    )
    service = subprocess.Popen([sys.executable, SERVED, config], stdout=subprocess.PIPE)
    service.stdout.readline()  # it listens

    def one(number: int) -> float:
        folder = write_study(home / f"s{number}", number, slices, size)
        send(folder, port)
        shutil.rmtree(folder)
        return resident_mb(service.pid)

    try:
        begun, cpu = time.perf_counter(), _cpu(service.pid)
        with ThreadPoolExecutor(senders) as pool:
            memory = list(pool.map(one, range(studies)))
        with opened(read_settings(config)) as office:
            while any(job.state is not State.REFUSED for job in office.jobs.all()):
                time.sleep(0.1)
            done = len(office.jobs.all())
        seconds = time.perf_counter() - begun
        print(
            f"{done} studies of {slices} x {size} x {size} by {senders} senders: {seconds:.1f} s, "
            f"{60 * done / seconds:.0f} a minute, {done * slices / seconds:.0f} images a second, "
            f"{(_cpu(service.pid) - cpu) / done:.2f} CPU-s of the service a study"
        )
        tenth = max(1, len(memory) // 10)
        parts = [np.mean(memory[at : at + tenth]) for at in range(0, len(memory), tenth)]
        print("memory, MB, by tenths: " + " ".join(f"{part:.0f}" for part in parts))
    finally:
        service.kill()


def predict(home: Path, studies: int, *, together: bool) -> None:
    """Send simulated heads, each when the one before has its result or all; print what it took."""
    made = home / "made"
    simulate = ["simulate", "--preset", "demo", "--patients", str(max(4, studies)), "--seed", "1"]
    subprocess.run([HEMOCAST, *simulate, "--out", made], check=True, stdout=subprocess.DEVNULL)
    folders = sorted({path.parent for path in (made / "dicom").rglob("*") if path.is_file()})
    with ExitStack() as held:
        free = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        node, web = (one.getsockname()[1] for one in free)
    config = home / "serve.yaml"
    settings = {
        "node": {"port": node}, "web": {"port": web},
        "jobs": {"settle_s": SETTLE_S, "workers": AT_ONCE if together else 1},
        "storage": {"root": str(home / "data"), "reserve_gb": 1},
    }  # fmt: skip
    config.write_text(json.dumps(settings))  # which is YAML, too
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [HEMOCAST, "serve", "run", "--config", config]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    service = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        service.stdout.readline()  # it listens
        with opened(read_settings(config)) as office:
            for number, folder in enumerate(folders[:studies], start=1):
                send(folder, node)
                while len(office.jobs.all(*DONE)) < number and not together:
                    time.sleep(0.1)
            while len(office.jobs.all(*DONE)) < studies:
                time.sleep(0.1)
            found = results(office.database)
            took = [(one.made_at - one.last_slice_at).total_seconds() - SETTLE_S for one in found]
            made_at = sorted(one.made_at for one in found)
    finally:
        service.terminate()
        service.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if together:
        minutes = (made_at[-1] - made_at[AT_ONCE - 1]).total_seconds() / 60
        rate = (len(took) - AT_ONCE) / minutes
        print(
            f"{len(took)} heads sent at once: {rate:.0f} a minute out of {AT_ONCE} processes; "
            f"{cpu / len(took):.1f} CPU-s a study, start of the service included"
        )
        return
    print(
        f"{len(took)} heads: from the last slice to the result, beside settling: the first "
        f"{took[0]:.1f} s, then median {np.median(took[1:]):.1f} s, longest {max(took[1:]):.1f} s; "
        f"{cpu / len(took):.1f} CPU-s a study, start of the service included"
    )


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--many", type=int, default=0, help="small studies, for memory")
    parser.add_argument("--slices", type=int, default=32, help="of each")
    parser.add_argument("--predict", type=int, default=0, help="simulated heads, with the model")
    parser.add_argument("--together", action="store_true", help="all heads at once")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        if given.predict:
            predict(Path(home), given.predict, together=given.together)
        elif given.many:
            measure(Path(home), given.many, given.slices, 32, given.senders)
        else:
            measure(Path(home), given.studies, given.slices, 512, given.senders)


if __name__ == "__main__":
    main()
