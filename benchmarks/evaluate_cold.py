"""A cold ``hemocast evaluate`` against scikit-learn giving eight metrics without an interval.

    python benchmarks/evaluate_cold.py

Each run is a new process on the same simulated table: 613 scans of 474 patients with three columns
for subgroups. The peer reads the table with pandas and computes eight metrics with scikit-learn; it
gives no interval, no comparison of groups and no figure. Then 100,000 scans once, and 1,000,000
scans without subgroups, for time and the peak of memory.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import print_where

RUNS = 5
HEMOCAST = Path(sys.executable).with_name("hemocast")
PEER = """
import sys
import pandas as pd
import sklearn.metrics as sk
table = pd.read_csv(sys.argv[1])
truth, chance = table["label"].to_numpy(), table["probability"].to_numpy()
called = chance >= 0.5
print(sk.accuracy_score(truth, called), sk.recall_score(truth, called),
      sk.precision_score(truth, called), sk.recall_score(1 - truth, ~called),
      sk.precision_score(1 - truth, ~called), sk.f1_score(truth, called),
      sk.roc_auc_score(truth, chance), sk.brier_score_loss(truth, chance))
"""


def write_table(path: Path, scans: int, patients: int) -> None:
    """Write simulated predictions: every patient once, the other scans at random."""
    rng = np.random.default_rng(0)
    patient = np.concatenate([np.arange(patients), rng.integers(0, patients, scans - patients)])
    label = rng.random(patients) < 0.44
    level = rng.normal(1.4 * label - 0.7, 1)
    chance = 1 / (1 + np.exp(-(level[patient] + rng.normal(0, 0.4, scans))))
    age, sex, site = (rng.integers(*ends, patients) for ends in ((35, 95), (0, 2), (0, 3)))
    with path.open("w", encoding="utf-8") as file:
        file.write("participant_id,scan_id,label,probability,age,sex,site,simulated\n")
        file.writelines(
            f"p{p},s{i},{label[p]:d},{c:.6f},{age[p]},{'FM'[sex[p]]},{'ABC'[site[p]]},1\n"
            for i, (p, c) in enumerate(zip(patient, chance, strict=True))
        )


def write_huge(path: Path, scans: int) -> None:
    """Write simulated predictions of as many patients, with right probabilities."""
    rng = np.random.default_rng(1)
    chance = 1 / (1 + np.exp(-rng.normal(-2, 1, scans)))
    label = rng.random(scans) < chance
    with path.open("w", encoding="utf-8") as file:
        file.write("participant_id,scan_id,label,probability\n")
        file.writelines(
            f"p{i},s{i},{y:d},{c:.6f}\n" for i, (y, c) in enumerate(zip(label, chance, strict=True))
        )


def run(command: list[str | Path]) -> tuple[float, float, float]:
    """Run a command; return wall time (s), processor time (s) and peak memory (MB)."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    seconds = time.perf_counter() - start
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Print medians, their ratio, and what a large table takes."""
    print_where()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large, huge = (folder / f"{name}.csv" for name in ("small", "large", "huge"))
        write_table(small, 613, 474)
        write_table(large, 100_000, 77_000)
        ours: list[str | Path] = [HEMOCAST, "evaluate", small, "--out", folder / "out"]
        peer: list[str | Path] = [sys.executable, "-c", PEER, small]
        found = [(run(ours), run(peer)) for _ in range(RUNS + 1)][1:]
        for k, (title, unit) in enumerate((("wall", "s"), ("processor", "s"), ("memory", "MB"))):
            mine, other = (statistics.median(pair[who][k] for pair in found) for who in (0, 1))
            ratio = statistics.median(pair[0][k] / pair[1][k] for pair in found)
            print(f"613 scans, {title}: {mine:.2f} {unit}; peer {other:.2f} {unit}; {ratio:.2f}")
        write_huge(huge, 1_000_000)
        for scans, table in ((100_000, large), (1_000_000, huge)):
            wall, processor, memory = run([*ours[:2], table, *ours[3:]])
            print(f"{scans:,} scans: {wall:.0f} s, processor {processor:.0f} s, {memory:.0f} MB")


if __name__ == "__main__":
    main()
