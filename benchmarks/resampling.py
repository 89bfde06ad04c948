"""Bootstrap of many raters against a loop over scikit-learn, and DeLong for a million cases.

The loop is timed for a part of its resamples and extrapolated: all of it takes minutes.

    python benchmarks/resampling.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import sklearn.metrics as sk
from timing import interleaved, print_where

from hemocast.stats import Cases, Resampling, auc_interval, evaluate_raters

RATERS, CASES, PATIENTS, RESAMPLES = 9, 613, 474, 2000
LOOPED = 10


def main() -> None:
    """Time both in turn, and print the ratio."""
    warnings.filterwarnings("ignore")
    print_where()
    rng = np.random.default_rng(0)
    label = rng.random(CASES) < 0.5
    scores = 1 / (1 + np.exp(-rng.normal(label, 1, (RATERS, CASES))))
    patient = rng.integers(0, PATIENTS, CASES)
    members = [np.flatnonzero(patient == one) for one in np.unique(patient)]

    def ours() -> None:
        evaluate_raters(Cases(label, scores, patient), 0.5, resampling=Resampling(RESAMPLES))

    def bca() -> None:
        evaluate_raters(
            Cases(label, scores, patient), 0.5, resampling=Resampling(RESAMPLES, interval="bca")
        )

    def loop() -> None:
        draws = np.random.default_rng(0)
        for _ in range(LOOPED):
            drawn = draws.integers(0, len(members), len(members))
            rows = np.concatenate([members[one] for one in drawn])
            truth = label[rows]
            for score in scores:
                chance = score[rows]
                called = chance >= 0.5
                sk.accuracy_score(truth, called)
                sk.recall_score(truth, called)
                sk.precision_score(truth, called)
                sk.recall_score(~truth, ~called)
                sk.precision_score(~truth, ~called)
                sk.f1_score(truth, called)
                sk.roc_auc_score(truth, chance)
                sk.brier_score_loss(truth, chance)

    seconds, ratio = interleaved({"ours": ours, "bca": bca, "loop": loop}, 5)
    times = RESAMPLES / LOOPED
    print(
        f"{RESAMPLES} resamples of {PATIENTS} patients, {CASES} cases, {RATERS} raters\n"
        f"  all 15 metrics, percentile: {seconds['ours']:.2f} s; BCa: {seconds['bca']:.2f} s\n"
        f"  scikit-learn, 8 metrics, {LOOPED} resamples timed: {seconds['loop']:.2f} s, "
        f"so {seconds['loop'] * times:.0f} s for all\n"
        f"  ratio {ratio('loop', 'ours') * times:.0f} (median of 5 rounds)"
    )
    many = rng.random(1_000_000) < 0.3
    score = rng.normal(many, 1)
    start = time.perf_counter()
    auc_interval(Cases(many, score))
    print(f"DeLong interval, 1,000,000 cases: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
