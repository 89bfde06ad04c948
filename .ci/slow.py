"""The long checks of continuous integration: chosen, two at a time, and resumable.

    python .ci/slow.py [MINUTES]

What has passed is kept in ``build/slow-ci``, under the commit and whatever is not committed: an
interrupted run goes on where it was. A check that could pass the time limit is not begun, one that
takes longer than its own limit is given up, and both are named at the end; only one that fails
fails the run, for how fast the machine is says nothing about the code. The short ones are begun in
an order that differs from commit to commit, so that each has its turn where time is short.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
USUAL_MINUTES = 55
LONG = {
    "tests/cli/test_reproduce.py": 22 * 60,
    "tests/cli/test_demo.py": 22 * 60,
    "tests/test_tutorials.py": 30 * 60,
    "tests/serve/hospital/test_service.py": 15 * 60,
    "tests/federate/flower/test_apps.py": 22 * 60,
    "tests/test_snippets.py": 22 * 60,
    "tests/dicom/test_fuzz.py": 15 * 60,
}
"""The seconds after which a long one is given up; they are begun first."""
SHORT = 10 * 60
"""Those of every other."""
PYTEST = [sys.executable, "-m", "pytest", "-m", "slow", "-p", "no:cacheprovider"]
OF_ITS_OWN = {"tests/federate/flower/test_apps.py": ["make", "federate"]}
"""What needs another environment."""
NOT_BEGUN = "not begun: no time left"
GIVEN_UP = "given up after"
FAILED = "FAILED"


def _checks(commit: str) -> list[str]:
    """Give the files of the checks, the longest first.

    Every file that holds tests marked `slow` is one, so that none is forgotten.
    """
    files = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "mark.slow" in path.read_text(encoding="utf-8")
    ]
    files.sort(key=lambda name: hashlib.sha256(f"{commit} {name}".encode()).digest())
    return [name for name in LONG if name in files] + [name for name in files if name not in LONG]


def _state() -> str:
    """Name what is being checked: the commit, and a hash of what differs from it."""
    commands = (["git", "rev-parse", "HEAD"], ["git", "diff", "HEAD"])
    commit, changes = (
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        for command in commands
    )
    return f"{commit.decode().strip()[:12]}-{hashlib.sha256(changes).hexdigest()[:8]}"


def _run(name: str, kept: Path, end: float) -> str:
    """Run one check unless it has passed before; say what became of it."""
    log = kept / f"{name.replace('/', '.')}.log"
    passed = log.with_suffix(".passed")
    if passed.exists():
        return "passed before"
    begin, longest = time.monotonic(), LONG.get(name, SHORT)
    if begin + longest > end:
        return NOT_BEGUN
    with log.open("w") as file:
        try:
            done = subprocess.run(
                OF_ITS_OWN.get(name, [*PYTEST, name]),
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=longest,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        except subprocess.TimeoutExpired:
            return f"{GIVEN_UP} {longest} s: {log}"
    if done.returncode:
        end_of_log = log.read_text(encoding="utf-8", errors="replace").split("\n")[-25:]
        return "\n".join([f"{FAILED}: {log}", *end_of_log])
    passed.touch()
    return f"passed in {time.monotonic() - begin:.0f} s"


def main() -> int:
    """Run what has not passed yet; 0 unless one has failed."""
    end = time.monotonic() + 60 * int(sys.argv[1] if len(sys.argv) > 1 else USUAL_MINUTES)
    state = _state()
    kept = ROOT / "build" / "slow-ci" / state
    kept.mkdir(parents=True, exist_ok=True)
    checks = _checks(state)
    results = dict[str, str]()
    with ThreadPoolExecutor(2) as pool:
        for name, words in zip(checks, pool.map(lambda c: _run(c, kept, end), checks), strict=True):
            print(f"{name}: {words}", flush=True)
            results[name] = words
    return _summary(results)


def _summary(results: dict[str, str]) -> int:
    """Say once more what did not pass, where the end alone is read; 1 if any failed."""
    of = {
        kind: [name for name, words in results.items() if words.startswith(kind)]
        for kind in ("passed", FAILED, GIVEN_UP, NOT_BEGUN)
    }
    for kind in (GIVEN_UP, FAILED):
        for name in of[kind]:
            print(f"{name}: {results[name]}")
    print(
        f"{len(of['passed'])} files passed, {len(of[FAILED])} failed, "
        f"{len(of[GIVEN_UP])} given up, {len(of[NOT_BEGUN])} not begun"
    )
    return int(bool(of[FAILED]))


if __name__ == "__main__":
    sys.exit(main())
