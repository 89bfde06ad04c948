"""What weighting by the chance of being observed brings back, and how often its limits hold.

    python benchmarks/unobserved_coverage.py [--runs 200]

Simulated: the risk is known, and who is scanned again depends on it and on age alone (as the
weights assume), or also on the outcome itself (which no weights can know).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.special import expit
from timing import print_where

from hemocast.stats import Cases, Resampling, auc, auc_interval
from hemocast.stats.unobserved import PartlyObserved, weighted_metrics

SCANS, RESAMPLES = 400, 200
SEEN = {"risk and age": 0.0, "risk, age and the outcome": 1.0}
THRESHOLD = 0.3


def sample(rng: np.random.Generator, n: int, by_outcome: float) -> PartlyObserved:
    """Draw scans; those of low risk and of the young are seldom followed by another."""
    level, old = rng.normal(-0.8, 1.3, n), rng.integers(0, 2, n)
    truth = rng.random(n) < expit(level + 0.5 * (old - 0.5))
    seen = rng.random(n) < expit(0.4 + 0.9 * level + 1.2 * (old - 0.5) + by_outcome * truth)
    return PartlyObserved(Cases(truth, expit(level)), seen, old[:, None].astype(float))


def main() -> None:
    """Print one line for each way of being observed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print_where()
    start = time.process_time()
    heads = (
        "who is scanned again depends on", "observed", "true AUC", "plain: mean", "holds",
        "weighted: mean", "holds", "true O/E", "plain: mean", "weighted: mean", "holds",
    )  # fmt: skip
    print(f"\n| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for name, by_outcome in SEEN.items():
        whole = sample(np.random.default_rng(0), 400_000, by_outcome).cases
        area, ratio = auc(whole), whole.truth.mean() / whole.score.mean()
        rng, rows = np.random.default_rng(1), []
        for seed in range(runs):
            found = sample(rng, SCANS, by_outcome)
            own = found.cases.part(found.observed)
            plain = auc_interval(own)
            weighted = dict(weighted_metrics(found, THRESHOLD, Resampling(RESAMPLES, seed)))
            one, two = weighted["auc"], weighted["observed_expected"]
            rows.append((
                found.observed.mean(), plain.value, plain.ci_low <= area <= plain.ci_high,
                one.value, one.ci_low <= area <= one.ci_high,
                own.truth.mean() / own.score.mean(), two.value, two.ci_low <= ratio <= two.ci_high,
            ))  # fmt: skip
        seen, a, b, c, d, e, f, g = np.mean(rows, axis=0)
        cells = (
            name, f"{100 * seen:.0f} %", f"{area:.3f}", f"{a:.3f}", f"{100 * b:.1f} %", f"{c:.3f}",
            f"{100 * d:.1f} %", f"{ratio:.2f}", f"{e:.2f}", f"{f:.2f}", f"{100 * g:.1f} %",
        )  # fmt: skip
        print(f"| {' | '.join(cells)} |", flush=True)
    print(
        f"\n{runs} samples of {SCANS} scans; {time.process_time() - start:.0f} s of processor time"
    )


if __name__ == "__main__":
    main()
