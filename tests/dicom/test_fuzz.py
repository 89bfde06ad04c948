"""Damaged files in worker processes: see benchmarks/fuzz_reading.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "fuzz_reading.py"


@pytest.mark.parametrize(
    ("cases", "seed"), [(300, 7), pytest.param(10_000, 0, marks=pytest.mark.slow)]
)
def test_damaged_files_are_read_or_refused_with_a_code(cases, seed):
    command = [sys.executable, str(PROGRAM), str(cases), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{cases} cases")
