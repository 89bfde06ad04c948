"""What a step freed stays for the next one; the numbers and the most that is held do not change."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hemocast.train.allocator import keep_freed_memory

STEPS = """
import resource, sys
import numpy as np
from hemocast.train.allocator import keep_freed_memory

done = keep_freed_memory() if sys.argv[1] == "keep" else False
def step():
    return sum(float(np.ones(6_000_000)[-1]) for _ in range(3))  # 48 MB, freed at once
step()
before = resource.getrusage(resource.RUSAGE_SELF)
total = sum(step() for _ in range(10))
after = resource.getrusage(resource.RUSAGE_SELF)
print(int(done), after.ru_minflt - before.ru_minflt, after.ru_maxrss, total)
"""


def measured(how: str, **environment: str) -> list[float]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    command = [sys.executable, "-c", STEPS, how]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env=kept | environment
    )
    return [float(word) for word in ended.stdout.split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_steps_ask_the_kernel_for_no_memory_twice_and_hold_no_more() -> None:
    done, faults, most, total = measured("keep")
    _, faults_before, most_before, total_before = measured("leave")
    if not done:
        pytest.skip("another library than glibc allocates")
    assert faults < 0.05 * faults_before
    assert most < 1.25 * most_before
    assert total == total_before


def test_what_the_user_set_and_other_systems_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert measured("keep", MALLOC_TOP_PAD_="131072")[0] == 0
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
