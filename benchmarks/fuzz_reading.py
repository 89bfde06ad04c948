"""Read thousands of damaged DICOM files: each must be read, or refused with a code.

Run: ``python benchmarks/fuzz_reading.py [CASES] [--seed N] [--workers N]``. The cases are drawn
from the seed and their number alone. They run in worker processes, so that a crash inside a codec
costs one case, is seen, and is counted. Exits with 1 when there is a crash, a hang (5 s of CPU or
30 s of waiting), more than 1 GB of memory on top of the worker's own, or an error without a code.

`--case N` reads one case in this process, to look into it.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
from fuzz_bases import write_bases
from fuzz_mutations import mutate

CPU_SECONDS, WAIT_SECONDS = 5, 30
MOST_MB = 1024
_SAFETY_MB = 4096  # of address space: protects the machine, and is above what is measured


def read_case(bases: dict[str, list[Path]], seed: int, case: int, folder: Path) -> str:
    """Damage one file of one base, read its folder and the file itself; return what came of it."""
    from hemocast.dicom import read
    from hemocast.errors import HemocastError

    rng = np.random.default_rng([seed, case])
    name = sorted(bases)[rng.integers(len(bases))]
    paths = bases[name]
    victim = int(rng.integers(len(paths)))
    for index, path in enumerate(paths):
        content = path.read_bytes()
        (folder / path.name).write_bytes(mutate(content, rng) if index == victim else content)
    outcomes = []
    for what in (lambda: read(folder), lambda: _decode(folder / paths[victim].name)):
        try:
            volume = what()
            sound = volume is None or (np.isfinite(volume.hu).all())
            outcomes.append("read" if sound else "ESCAPED not finite")
        except HemocastError as error:
            outcomes.append(error.code)
        except Exception as error:  # exactly what is looked for
            outcomes.append(f"ESCAPED {type(error).__name__} {_place(error)}")
    for path in folder.iterdir():
        path.unlink()
    return next((o for o in outcomes if o.startswith("ESCAPED")), outcomes[0])


def _decode(path: Path) -> None:
    """Decode a file's first frames, whatever is thought of its series."""
    from hemocast.dicom.header.images import DamagedHeader, NotADicomFile, read_images
    from hemocast.dicom.pixels import decode
    from hemocast.errors import MalformedFile

    try:
        images = read_images(path)[:9]
    except (DamagedHeader, NotADicomFile):
        raise MalformedFile("header", "", "") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for image in images:
            decode.check(image.pixels)
            values = decode.stored(image.pixels)
            hu = np.empty(values.shape, np.float32)
            decode.to_hu(image.pixels, values, decode.understand(image.pixels, values), hu)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def work(pipe: Connection, bases: dict[str, list[Path]], seed: int) -> None:
    """Read the cases that come through a pipe, each under limits."""
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # codecs chat about every fault
    import hemocast.dicom  # before the limits: what it takes is the worker's own

    with tempfile.TemporaryDirectory() as name:
        for _ in range(2):
            for paths in bases.values():  # codecs are loaded on first use
                hemocast.dicom.read(paths[0].parent)
        base_mb = _status("VmRSS")
        limit = (_status("VmSize") + _SAFETY_MB) << 20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        pipe.send(("ready", base_mb, 0.0))
        while (case := pipe.recv()) is not None:
            Path("/proc/self/clear_refs").write_text("5")  # restarts the peak
            start = time.process_time()
            # Ends the process even inside a codec that never comes back.
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            outcome = read_case(bases, seed, case, Path(name))
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send((outcome, _status("VmHWM") - base_mb, time.process_time() - start))


@dataclass
class Tally:
    """What came of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    peak_mb: int = 0
    longest: float = 0.0

    def add(self, case: int, outcome: str, mb: int, seconds: float) -> None:
        """Count one case."""
        self.outcomes[outcome.split()[0]] += 1
        self.peak_mb, self.longest = max(self.peak_mb, mb), max(self.longest, seconds)
        if outcome.startswith(("ESCAPED", "CRASH", "HANG")):
            self.bad.append(f"case {case}: {outcome}")
        elif mb > MOST_MB:
            self.bad.append(f"case {case}: {mb} MB ({outcome})")


class Worker:
    """One process, and the case it is at."""

    def __init__(self, bases: dict[str, list[Path]], seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, bases, seed), daemon=True)
        self.process.start()
        other.close()
        self.case: int | None = None
        self.since = time.monotonic()

    def give(self, case: int | None) -> None:
        """Hand over a case; None ends the process."""
        self.case, self.since = case, time.monotonic()
        self.pipe.send(case)

    def death(self) -> str:
        """Say how the process died."""
        self.process.join(5)
        code = self.process.exitcode
        return "HANG" if code == -signal.SIGPROF else f"CRASH signal or exit {code}"


def fuzz(bases: dict[str, list[Path]], cases: range, seed: int, n_workers: int) -> Tally:
    """Read all cases."""
    tally, todo = Tally(), iter(cases)
    workers = [Worker(bases, seed) for _ in range(n_workers)]
    while workers:
        ready = wait([w.pipe for w in workers], timeout=1)
        for worker in list(workers):
            if worker.pipe in ready:
                try:
                    outcome, mb, seconds = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    outcome, mb, seconds = worker.death(), 0, 0.0
            elif time.monotonic() - worker.since > WAIT_SECONDS and worker.case is not None:
                worker.process.kill()
                outcome, mb, seconds = "HANG waiting", 0, float(WAIT_SECONDS)
            else:
                continue
            if worker.case is None and outcome != "ready":
                raise RuntimeError(f"a worker did not start: {outcome}")
            if worker.case is not None:
                tally.add(worker.case, outcome, mb, seconds)
            if outcome.startswith(("CRASH", "HANG")):
                workers[workers.index(worker)] = Worker(bases, seed)
                continue
            case = next(todo, None)
            worker.give(case)
            if case is None:
                worker.process.join()
                workers.remove(worker)
    return tally


def main() -> int:
    """Fuzz and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", type=int)
    asked = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bases = write_bases(root)
        if asked.case is not None:
            one = root / "one"
            one.mkdir()
            print(read_case(bases, asked.seed, asked.case, one))
            return 0
        tally = fuzz(bases, range(asked.cases), asked.seed, asked.workers)
    print(f"{asked.cases} cases, seed {asked.seed}, {len(bases)} encodings, "
          f"{time.monotonic() - start:.0f} s with {asked.workers} workers")  # fmt: skip
    print(", ".join(f"{name} {n}" for name, n in sorted(tally.outcomes.items())))
    print(f"longest {tally.longest:.2f} s of CPU = {tally.longest / CPU_SECONDS:.2f} of 5 s; "
          f"largest {tally.peak_mb} MB = {tally.peak_mb / MOST_MB:.2f} of 1 GB")  # fmt: skip
    print(f"{len(tally.bad)} crashes, hangs, too large or without a code")
    for line in tally.bad[:40]:
        print(" ", line)
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
