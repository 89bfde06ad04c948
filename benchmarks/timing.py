"""What the benchmarks share: interleaved timing, and the line that says where and when."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date


def interleaved(
    runs: dict[str, Callable[[], object]], rounds: int
) -> tuple[dict[str, float], Callable[[str, str], float]]:
    """Time functions in turn, after one round to warm up.

    Taking turns lets a busy machine slow all of them alike; a ratio is the median over rounds.

    Returns
    -------
    seconds : dict
        Median of each.
    ratio : callable
        ``ratio(a, b)`` is the median of a's over b's time in the same round.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append(time.perf_counter() - start)

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))

    return {name: statistics.median(values) for name, values in times.items()}, ratio


def print_where() -> None:
    """Print machine, date and command."""
    load = " ".join(f"{v:.1f}" for v in os.getloadavg())
    print(f"{date.today()}, {_processor()}, {os.cpu_count()} cores, load {load}")
    print(f"Python {platform.python_version()}, {' '.join(['python', *sys.argv])}")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
