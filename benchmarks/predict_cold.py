"""Cold start to finished results for one scan, against the bare imports it cannot do without.

    python benchmarks/predict_cold.py SCAN

SCAN is a DICOM folder or zip. Each run is a new process. The floor is a process that only imports
the libraries a prediction needs; the ratio says how much is left to gain.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import print_where

RUNS = 5
HEMOCAST = Path(sys.executable).with_name("hemocast")
FLOOR = "import numpy, scipy.ndimage, SimpleITK, nibabel, onnxruntime, PIL.Image, jinja2, pydantic"


def seconds(command: list[str | Path]) -> float:
    """Return the wall time of a command, s."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print medians and the ratio."""
    scan = Path(sys.argv[1])
    times: dict[str, list[float]] = {"help": [], "floor": [], "predict": []}
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as out:
            times["help"].append(seconds([HEMOCAST, "--help"]))
            times["floor"].append(seconds([sys.executable, "-c", FLOOR]))
            times["predict"].append(seconds([HEMOCAST, "predict", scan, "--out", out]))
    print_where()
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:8} {value:.2f} s")
    print(f"predict / floor {medians['predict'] / medians['floor']:.2f}")


if __name__ == "__main__":
    main()
