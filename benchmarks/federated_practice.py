"""What hospitals of practice lose by learning apart: federated_practice.py OUT [SECONDS].

Three cohorts of preset practice to learn from (600 patients each, four sites, 60 with HT), of the
first three seeds that give every hospital the five patients with HT that a federation asks for, and
4,200 fresh patients whom nobody learned from. What is in OUT already (tables of
`federated_findings.py`, 300 patients each) is not made again; no new table is begun after SECONDS
(all that are needed). Then prints, on the fresh patients that there are, AUC, observed / expected
and calibration slope of what is learned alone, in one place, apart, and apart with a local
calibration, and the difference in AUC, pooled minus federated, of every seed and of their mean,
paired by patient (DeLong 1988). SIMULATED.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from federated import findings_of, learn, read
from numpy.typing import NDArray

from hemocast.federate.rehearsal import FEDERATED, POOLED
from hemocast.stats import Cases, measure_calibration
from hemocast.stats.discrimination.delong import auc_interval, delong

PATIENTS = 300
SEEDS, LEARNED = (0, 3, 4), 2
"""Seeds of what is learned from, and tables of each. By 1 and 2 the rural hospital has 4 and 3
patients with HT."""
FRESH = (5, 5, 4)
"""Fresh tables, by seed."""
MARGIN = 0.03
"""That the upper limit of pooled minus federated must not be above."""
Z95 = 1.959963984540054


def tables() -> list[tuple[str, int, int]]:
    """Name what is needed, role, seed and part: what answers something soonest comes first."""
    found = [("learned", seed, part) for seed in SEEDS[:1] for part in range(LEARNED)]
    found += [("fresh", 0, part) for part in range(FRESH[0])]
    found += [("learned", seed, part) for seed in SEEDS[1:] for part in range(LEARNED)]
    return found + [
        ("fresh", seed, part) for seed in range(1, len(FRESH)) for part in range(FRESH[seed])
    ]


def make(out: Path, seconds: float) -> None:
    """Make the tables that are missing, until the time is over."""
    end, script = time.monotonic() + seconds, Path(__file__).with_name("federated_findings.py")
    for role, seed, part in tables():
        if time.monotonic() < end:
            words = [str(out), role, str(seed), str(part), str(PATIENTS)]
            subprocess.run([sys.executable, str(script), *words], check=True)


def made(out: Path, role: str, seeds: tuple[int, ...]) -> str:
    """Name the tables that there are, for `read`."""
    return ",".join(
        str(path) for seed in seeds for path in sorted(out.glob(f"{role}-{seed}-*.csv"))
    )


def judge(out: Path, seed: int, fresh: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Learn in all ways from a seed's hospitals; give the fresh patients' probabilities by way."""
    rehearsed = learn(read(made(out, "learned", (seed,))), seed)
    said = [
        rehearsed.probabilities(str(site), findings_of(rows).values)
        for site, rows in fresh.groupby("site")
    ]
    return {way: np.concatenate([one[way] for one in said]) for way in said[0]}


def told(fresh: pd.DataFrame, score: NDArray[np.float64]) -> Cases:
    """Join scores, one or several rows of them, to outcomes."""
    return Cases(fresh["label"], score, fresh["participant_id"])


def main(out: Path, seconds: float) -> None:
    """Make what is missing and print what there is."""
    make(out, seconds)
    fresh = read(made(out, "fresh", tuple(range(len(FRESH))))).sort_values("site", kind="stable")
    ready = [seed for seed in SEEDS if len(list(out.glob(f"learned-{seed}-*.csv"))) == LEARNED]
    print(f"{len(fresh)} fresh patients, {fresh['label'].sum()} with HT; seeds {ready}")
    pairs = {}
    for seed in ready:
        ways = judge(out, seed, fresh)
        for way, score in ways.items():
            cases = told(fresh, score)
            area, fit = auc_interval(cases), measure_calibration(cases)
            print(
                f"{seed} {way:24} AUC {area.value:.3f} ({area.ci_low:.3f} to {area.ci_high:.3f}) "
                f"O/E {fit.observed_expected.value:.2f} slope {fit.slope.value:.2f}"
            )
        pairs[str(seed)] = np.stack([ways[POOLED], ways[FEDERATED]])
    if not pairs:
        return
    found = delong(told(fresh, np.concatenate(list(pairs.values()))))
    contrasts = dict(zip(pairs, np.eye(len(pairs)), strict=True))
    contrasts["mean"] = np.full(len(pairs), 1 / len(pairs))
    for name, seeds in contrasts.items():
        contrast = np.kron(seeds, [1, -1])
        gap, half = contrast @ found.auc, Z95 * np.sqrt(contrast @ found.covariance @ contrast)
        fits = "holds" if gap + half <= MARGIN else "does not hold"
        print(
            f"{name} pooled - federated {gap:+.4f} ({gap - half:+.4f} to {gap + half:+.4f}); "
            f"upper limit {MARGIN} {fits}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else float("inf"))
