"""Analyse a reader study of 2 treatments, 9 readers and 613 cases, against a loop that leaves out.

Run: ``python benchmarks/mrmc.py [ROUNDS]``. The loop is what the jackknife says: each case is left
out, and every reader's AUC is computed anew by ranks (SciPy). Readings are generated.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.stats import rankdata
from timing import interleaved, print_where

from hemocast.stats import (
    Cases,
    ReaderStudy,
    case_covariance,
    compare_with_readers,
    crossed_study,
    obuchowski_rockette,
)

TREATMENTS, READERS, CASES = 2, 9, 613
MOST_SECONDS = 1.0


def readings() -> tuple[np.ndarray, ...]:
    """Generate the columns of a list of readings: whole per cents, so that there are ties."""
    rng = np.random.default_rng(0)
    truth = rng.random(CASES) < 0.4
    shared = rng.normal(1.2 * truth, 1, CASES)
    ratings = shared + rng.normal(0, 0.8, (TREATMENTS, READERS, CASES))
    grid = np.indices(ratings.shape).reshape(3, -1)
    per_cent = np.round(100 / (1 + np.exp(0.6 - ratings))).ravel()
    return truth[grid[2]], grid[0], grid[1], grid[2], per_cent


def rank_auc(truth: np.ndarray, rating: np.ndarray) -> float:
    """AUC by Mann and Whitney's formula."""
    n = int(truth.sum())
    return (rankdata(rating)[truth].sum() - n * (n + 1) / 2) / (n * (truth.size - n))


def leave_out(study: ReaderStudy) -> np.ndarray:
    """Jackknife covariance the plain way."""
    flat = study.ratings.reshape(TREATMENTS * READERS, CASES)
    keep = ~np.eye(CASES, dtype=bool)
    left = [[rank_auc(study.cases.truth[rows], row[rows]) for rows in keep] for row in flat]
    return np.cov(np.array(left), ddof=0) * (CASES - 1)


def main(rounds: int) -> None:
    """Time the whole analysis, from the list of readings, and the loop."""
    columns = readings()
    study = crossed_study(*columns)
    flat = study.ratings.reshape(TREATMENTS * READERS, CASES)
    print_where()
    print(f"{TREATMENTS} treatments x {READERS} readers x {CASES} cases, medians of {rounds}")
    np.testing.assert_allclose(
        leave_out(study), case_covariance(Cases(study.cases.truth, flat))[1], rtol=1e-8, atol=1e-14
    )
    seconds, ratio = interleaved(
        {
            "jackknife": lambda: obuchowski_rockette(crossed_study(*columns)),
            "DeLong": lambda: obuchowski_rockette(crossed_study(*columns), covariance="delong"),
            "unbiased": lambda: obuchowski_rockette(crossed_study(*columns), covariance="unbiased"),
            "model against readers": lambda: compare_with_readers(
                Cases(study.cases.truth, np.vstack([flat[0], flat[READERS:]]))
            ),
            "loop": lambda: leave_out(study),
        },
        rounds,
    )
    for name, value in seconds.items():
        print(f"{name:22s} {value * 1000:9.1f} ms  {ratio('loop', name):8.1f} x the loop")
    both = seconds["jackknife"] + seconds["DeLong"]
    verdict = "ok" if both < MOST_SECONDS else "MISSED"
    print(f"jackknife and DeLong together: {both:.3f} s; wanted < {MOST_SECONDS:.0f} s: {verdict}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
