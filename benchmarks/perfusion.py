"""Compare kernel regression with and without a simulated map, on fresh simulated patients.

    python benchmarks/perfusion.py LEARNED FRESH

Both are cohorts of ``hemocast simulate --format stacks --maps``. SIMULATED: the map was drawn from
the true risk (`hemocast.simulate.disease.permeability`), so that this shows whether a model finds
what is in a map, and nothing about how much real maps hold. Intervals: 2,000 resamples of patients.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.recipes import RECIPES, measure
from hemocast.stats import Cases, auc
from hemocast.train import StackTable
from hemocast.train.measured import cohort_of

NAMES = ("kernel-regression", "perfusion-regression")
RESAMPLES = 2000


def risks(learned: StackTable, fresh: StackTable) -> dict[str, NDArray[np.float64]]:
    """Learn from the one cohort, ask about the other; by model."""
    found = {}
    for name in NAMES:
        recipe = RECIPES[name]
        told, asked = (
            measure(recipe.views, table.frames, None, table.maps()) for table in (learned, fresh)
        )
        found[name] = recipe.fit(cohort_of(learned, told)).risk(asked)
    return found


def main() -> None:
    """Print AUCs and their difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("learned", type=Path)
    parser.add_argument("fresh", type=Path)
    asked = parser.parse_args()
    learned, fresh = (StackTable.of_folder(one / "stacks") for one in (asked.learned, asked.fresh))
    found = risks(learned, fresh)
    label = np.array(fresh.label)
    names, patient = np.unique(fresh.participant_id, return_inverse=True)
    scans = [np.flatnonzero(patient == one) for one in range(len(names))]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        pick = np.concatenate([scans[one] for one in rng.integers(0, len(names), len(names))])
        drawn.append([auc(Cases(label[pick], risk[pick])) for risk in found.values()])
    spread = np.array(drawn)
    point = [auc(Cases(label, risk)) for risk in found.values()]
    print(f"learned from {len(learned.participants)} patients, {len(learned)} scans; tested on "
          f"{len(names)}, {len(label)} scans")  # fmt: skip
    for at, name in enumerate(NAMES):
        low, high = np.percentile(spread[:, at], [2.5, 97.5])
        print(f"{name}: AUC {point[at]:.3f} ({low:.3f} to {high:.3f})")
    low, high = np.percentile(spread[:, 1] - spread[:, 0], [2.5, 97.5])
    print(f"what the map adds: {point[1] - point[0]:+.3f} ({low:+.3f} to {high:+.3f})")


if __name__ == "__main__":
    main()
