"""The long checks of continuous integration: chosen, two at a time, and resumable.

What has passed is kept in ``build/slow-ci``, under the commit and whatever is not committed: an
interrupted run goes on where it was. A check that would begin after the time limit does not, and
the run ends as not finished.
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
LIMIT_SECONDS = 55 * 60
LONGEST_CHECK = 22 * 60

Check = tuple[str, list[str]]


def _checks() -> list[Check]:
    """Give name and command of every check, the longest first.

    Every file that holds tests marked `slow` is one, so that none is forgotten.
    """
    files = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "mark.slow" in path.read_text(encoding="utf-8")
    ]
    first = [
        "tests/cli/test_reproduce.py",
        "tests/cli/test_demo.py",
        "tests/serve/hospital/test_service.py",
        "tests/dicom/test_fuzz.py",
    ]
    files.sort(key=lambda name: first.index(name) if name in first else len(first))
    pytest = [sys.executable, "-m", "pytest", "-m", "slow", "-p", "no:cacheprovider"]
    return [(name, [*pytest, name]) for name in files]


def _state() -> str:
    """Name what is being checked: the commit, and a hash of what differs from it."""
    commands = (["git", "rev-parse", "HEAD"], ["git", "diff", "HEAD"])
    commit, changes = (
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        for command in commands
    )
    return f"{commit.decode().strip()[:12]}-{hashlib.sha256(changes).hexdigest()[:8]}"


def _run(check: Check, kept: Path, end: float) -> str:
    """Run one check unless it has passed before; say what became of it."""
    name, command = check
    log = kept / f"{name.replace('/', '.')}.log"
    passed = log.with_suffix(".passed")
    if passed.exists():
        return "passed before"
    if time.monotonic() > end:
        return "NOT BEGUN: no time left"
    begin = time.monotonic()
    with log.open("w") as file:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=LONGEST_CHECK,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        except subprocess.TimeoutExpired:
            return f"FAILED: took more than {LONGEST_CHECK} s: {log}"
    if done.returncode:
        return f"FAILED: {log}"
    passed.touch()
    return f"passed in {time.monotonic() - begin:.0f} s"


def main() -> int:
    """Run what has not passed yet; 0 when everything has."""
    kept = ROOT / "build" / "slow-ci" / _state()
    kept.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + LIMIT_SECONDS - LONGEST_CHECK
    checks, bad = _checks(), 0
    with ThreadPoolExecutor(2) as pool:
        for check, words in zip(
            checks, pool.map(lambda c: _run(c, kept, end), checks), strict=True
        ):
            print(f"{check[0]}: {words}", flush=True)
            bad += not words.startswith("passed")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
