"""Hostile inputs in worker processes: see benchmarks/fuzz_reading.py and fuzz_inputs.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("program", "cases", "seed"),
    [
        ("fuzz_reading.py", 100, 7),
        ("fuzz_inputs.py", 60, 7),
        pytest.param("fuzz_reading.py", 10_000, 0, marks=pytest.mark.slow),
        pytest.param("fuzz_inputs.py", 3_000, 0, marks=pytest.mark.slow),
    ],
)
def test_hostile_inputs_are_read_or_refused_with_a_code(program, cases, seed):
    command = [sys.executable, str(BENCHMARKS / program), str(cases), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{cases} cases")
