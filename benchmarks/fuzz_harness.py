"""Worker processes given hostile inputs: a crash or a hang costs one case, and is counted."""

from __future__ import annotations

import argparse
import faulthandler
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

MOST_MB = 1024
WAIT_SECONDS = 60
_SAFETY_MB = 4096  # of address space: protects the machine, and is above what is measured


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


@dataclass(frozen=True)
class Target:
    """What is given hostile inputs.

    Parameters
    ----------
    warm : callable
        Loads what the cases need, given an empty folder; what it takes is the worker's own.
    case : callable
        Makes one input, by its number, in an empty folder, and says what came of it.
    cpu_seconds : int
        Beyond which a case hangs.
    """

    warm: Callable[[Path], None]
    case: Callable[[int, Path], str]
    cpu_seconds: int


def outcome_of(what: Callable[[], object]) -> str:
    """Say ``read``, or the code of the refusal, or what escaped."""
    from hemocast.errors import HemocastError

    try:
        what()
    except HemocastError as error:
        return error.code
    except Exception as error:  # exactly what is looked for
        return f"ESCAPED {type(error).__name__} {_place(error)}"
    return "read"


def work(pipe: Connection, target: Target) -> None:
    """Try the cases that come through a pipe, each under limits."""
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # codecs chat about every fault
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target.warm(folder)
        _empty(folder)
        base_mb = _status("VmRSS")
        limit = (_status("VmSize") + _SAFETY_MB) << 20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        pipe.send(("ready", base_mb, 0.0))
        while (case := pipe.recv()) is not None:
            Path("/proc/self/clear_refs").write_text("5")  # restarts the peak
            start = time.process_time()
            # Ends the process even inside a codec that never comes back.
            signal.setitimer(signal.ITIMER_PROF, target.cpu_seconds)
            outcome = target.case(case, folder)
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send((outcome, _status("VmHWM") - base_mb, time.process_time() - start))
            _empty(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@dataclass
class Tally:
    """What came of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    peak_mb: int = 0
    longest: float = 0.0
    journal: Path | None = None

    def add(self, case: int, outcome: str, mb: int, seconds: float) -> None:
        """Count one case, and keep it where a stopped run is to go on."""
        if self.journal is not None:
            with self.journal.open("a") as file:
                file.write(json.dumps([case, outcome, mb, seconds]) + "\n")
        self._count(case, outcome, mb, seconds)

    def resume(self) -> set[int]:
        """Count what an earlier run kept; give its cases."""
        kept = []
        if self.journal is not None and self.journal.is_file():
            kept = [json.loads(line) for line in self.journal.read_text().splitlines()]
        for entry in kept:
            self._count(*entry)
        return {entry[0] for entry in kept}

    def _count(self, case: int, outcome: str, mb: int, seconds: float) -> None:
        self.outcomes[outcome.split()[0]] += 1
        self.peak_mb, self.longest = max(self.peak_mb, mb), max(self.longest, seconds)
        if outcome.startswith(("ESCAPED", "CRASH", "HANG")):
            self.bad.append(f"case {case}: {outcome}")
        elif mb > MOST_MB:
            self.bad.append(f"case {case}: {mb} MB ({outcome})")


class Worker:
    """One process, and the case it is at."""

    def __init__(self, target: Target) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, target), daemon=True)
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


def fuzz(target: Target, cases: range, n_workers: int, journal: Path | None = None) -> Tally:
    """Try all cases but those that the journal holds."""
    tally = Tally(journal=journal)
    known = tally.resume()
    todo = iter([case for case in cases if case not in known])
    workers = [Worker(target) for _ in range(n_workers)]
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
                workers[workers.index(worker)] = Worker(target)
                continue
            case = next(todo, None)
            worker.give(case)
            if case is None:
                worker.process.join()
                workers.remove(worker)
    return tally


def main_of(doc: str, cpu_seconds: int, make: Callable[[Path, int], Target]) -> int:
    """Take the options of a fuzz program, run it, report; give its exit code.

    Parameters
    ----------
    doc : str
        Of the program.
    cpu_seconds : int
        Allowed a case.
    make : callable
        Makes the target, given an empty folder and the seed.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("cases", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", type=int)
    parser.add_argument("--journal", type=Path, help="Of the cases done: a stopped run goes on.")
    asked = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        target = make(root, asked.seed)
        if asked.case is not None:
            one = root / "one"
            one.mkdir()
            print(target.case(asked.case, one))
            return 0
        tally = fuzz(target, range(asked.cases), asked.workers, asked.journal)
    print(f"{asked.cases} cases, seed {asked.seed}, "
          f"{time.monotonic() - start:.0f} s with {asked.workers} workers")  # fmt: skip
    print(", ".join(f"{name} {n}" for name, n in sorted(tally.outcomes.items())))
    share = tally.longest / cpu_seconds
    print(f"longest {tally.longest:.2f} s of CPU = {share:.2f} of {cpu_seconds} s; "
          f"largest {tally.peak_mb} MB = {tally.peak_mb / MOST_MB:.2f} of 1 GB")  # fmt: skip
    print(f"{len(tally.bad)} crashes, hangs, too large or without a code")
    for line in tally.bad[:40]:
        print(" ", line)
    return 1 if tally.bad else 0
