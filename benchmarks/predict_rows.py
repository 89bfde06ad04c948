"""Time that the tables of ``hemocast predict`` take: it must not grow with the rows before.

    python benchmarks/predict_rows.py [--n 5000]

Adds n made-up cases to the tables of a new output folder, as the command does after every scan
(no scan is read or predicted), opens the folder again, and adds them once more. Prints the time of
each thousand, flushing to the disk included.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from timing import print_where

from hemocast.pipeline.predictions.folder import CaseResult, PredictionsFolder

MESSAGE = (
    "HC303 The scan already shows blood (3.1 mL). Expected a scan without blood. Leave it out."
)


def main() -> None:
    """Add the cases and print how long each thousand took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=5000)
    options = parser.parse_args()
    print_where()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        for run in ("new", "once more"):
            began = time.perf_counter()
            with PredictionsFolder.open(out, "0" * 64) as folder:
                start, cpu = time.perf_counter(), time.process_time()
                print(f"{run}: opened in {start - began:.2f} s")
                for case in range(1, options.n + 1):
                    result = CaseResult(
                        case, "refused", "HC303", MESSAGE, None, f"scan-{case:016x}"
                    )
                    folder.add(result, Path(f"/scans/{case}"))
                    if case % 1000 == 0:
                        wall, spent = time.perf_counter() - start, time.process_time() - cpu
                        print(
                            f"{case:6} cases: {wall:6.2f} s for the last 1,000, CPU {spent:.2f} s"
                        )
                        start, cpu = time.perf_counter(), time.process_time()
            print(f"{run}: {(out / 'predictions.csv').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
