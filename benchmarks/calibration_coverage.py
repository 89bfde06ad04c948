"""How often the limits of calibration measures hold the truth, of rare outcomes too.

    python benchmarks/calibration_coverage.py [--runs 300] [--rare-runs 200]

Simulated: logits of the true risk are normal, and the probabilities are the true ones, or shifted
or stretched on the logit scale.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from scipy.special import expit
from timing import print_where

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, Estimate, Resampling, calibration_curve

COHORTS = {
    "300 scans, 38 % with HT": (300, -0.6, 1.2),
    "12,820 scans, some 24 with HT": (12_820, -6.87, 1.1),
}
MODELS = {"right": (0.0, 1.0), "odds doubled": (np.log(2), 1.0), "odds halved": (-np.log(2), 1.0),
          "too extreme (logits x 1.6)": (0.0, 1.6)}  # fmt: skip
RESAMPLES = 200


def sample(
    rng: np.random.Generator, cohort: tuple[int, float, float], model: tuple[float, float]
) -> tuple[Cases, np.ndarray]:
    """Draw patients; return what the model says of them, and their true risks."""
    n, middle, spread = cohort
    level = rng.normal(middle, spread, n)
    shift, stretch = model
    said = expit(middle + stretch * (level - middle) + shift)
    return Cases(rng.random(n) < expit(level), said), expit(level)


def held(cases: Cases, risk: np.ndarray, model: tuple[float, float], seed: int) -> Iterator[bool]:
    """Say of each measure whether its limits hold the truth."""
    found = calibration_curve(cases, Resampling(RESAMPLES, seed))
    plain = found.measured or found
    far = np.abs(risk - cases.score)
    truths: list[tuple[Estimate, float]] = [
        (found.ici, far.mean()), (found.e50, np.quantile(far, 0.5)),
        (found.e90, np.quantile(far, 0.9)), (found.emax, far.max()), (plain.slope, 1 / model[1]),
        (plain.observed_expected, risk.sum() / cases.score.sum()),
    ]  # fmt: skip
    for estimate, truth in truths:
        yield estimate.ci_low - 1e-12 <= truth <= estimate.ci_high


def main() -> None:
    """Print one line for each cohort and model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--rare-runs", type=int, default=200)
    asked = parser.parse_args()
    print_where()
    start = time.process_time()
    heads = ("ICI", "E50", "E90", "Emax", "slope, Wald", "O/E")
    print(f"\n| cohort | probabilities | samples | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    for (title, cohort), runs in zip(COHORTS.items(), (asked.runs, asked.rare_runs), strict=True):
        for name, model in MODELS.items():
            rng, rows = np.random.default_rng(1), []
            for seed in range(runs):
                cases, risk = sample(rng, cohort, model)
                try:
                    rows.append(list(held(cases, risk, model, seed)))
                except StatisticsError:
                    continue
            cells = " | ".join(f"{100 * share:.1f}" for share in np.mean(rows, axis=0))
            print(f"| {title} | {name} | {len(rows)} | {cells} |", flush=True)
    print(f"\n{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
