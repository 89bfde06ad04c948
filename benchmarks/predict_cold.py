"""Cold start to finished results for one scan: CPU, wall, memory, against the bare imports.

    python benchmarks/predict_cold.py SCAN [BEFORE]

SCAN is a DICOM folder or zip; BEFORE the ``src`` folder of another version, measured in turns. Each
run is a new process. The floor is a process that only imports the libraries a prediction needs; the
ratio says how much is left to gain. Set no PYTHONDONTWRITEBYTECODE: without compiled bytecode every
start takes three times as long.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from timing import print_where

RUNS = 5
FLOOR = "import numpy, scipy.ndimage, onnxruntime, PIL.Image, jinja2, pydantic, yaml"
HEMOCAST = [sys.executable, "-m", "hemocast"]


def measure(command: list[str], source: str | None = None) -> tuple[float, float, float]:
    """Return CPU time s, wall time s, and the largest memory MB of a command."""
    environment = dict(os.environ) | ({"PYTHONPATH": source} if source else {})
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} ended with {status}")
    wall = time.perf_counter() - start
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024


def main() -> None:
    """Print medians and ratios."""
    scan = sys.argv[1]
    versions: dict[str, str | None] = {"predict": None}
    if len(sys.argv) > 2:
        versions["before"] = sys.argv[2]
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(RUNS):
        rows.setdefault("help", []).append(measure([*HEMOCAST, "--help"]))
        rows.setdefault("floor", []).append(measure([sys.executable, "-c", FLOOR]))
        for name, source in versions.items():
            with tempfile.TemporaryDirectory() as out:
                command = [*HEMOCAST, "predict", scan, "--out", out]
                rows.setdefault(name, []).append(measure(command, source))
    print_where()
    medians = {
        name: [statistics.median(column) for column in zip(*values, strict=True)]
        for name, values in rows.items()
    }
    for name, (cpu, wall, memory) in medians.items():
        print(f"{name:8} {cpu:.2f} s of CPU, {wall:.2f} s, {memory:.0f} MB")
    for other in (name for name in medians if name not in ("predict", "help")):
        ratios = [a / b for a, b in zip(medians["predict"], medians[other], strict=True)]
        print(
            f"predict / {other}: CPU {ratios[0]:.2f}, wall {ratios[1]:.2f}, memory {ratios[2]:.2f}"
        )


if __name__ == "__main__":
    main()
