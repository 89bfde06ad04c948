"""Which settings each network of the benchmark learns best with, found on inner validation alone.

    python benchmarks/tune_recipes.py OUT COHORT [ROW ...]

COHORT: a folder of ``hemocast simulate --format stacks``, the one the benchmark's networks learn
from. Each network gets the same search: 8 trials of a quarter of its epochs (`hemocast tune`), the
first with the settings it has. Prints a line a network; a search that was stopped goes on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.pipeline.benchmark.recipes import RECIPES
from hemocast.pipeline.tune import TuneOptions, tune


def main() -> None:
    """Search, one network after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("row", nargs="*", help="Names in the table. Default: all networks.")
    args = parser.parse_args()
    recipes = {one.name: one for one in RECIPES}
    print("row  before  found  settings  CPU, s")
    for name in args.row or recipes:
        began = time.process_time()
        folder = args.out / "".join(one if one.isalnum() else "-" for one in name)
        # 1 % is left out: the benchmark tests on other patients, whom nobody here has seen.
        options = TuneOptions(trials=8, length=0.25, test_fraction=0.01)
        found = tune(Dataset(args.cohort / "stacks"), recipes[name].config(0), folder, options)
        best = ", ".join(f"{key} {value:.3g}" for key, value in found.best.items())
        took = time.process_time() - began
        print(f"{name}  {found.loss_before:.4f}  {found.loss:.4f}  {best}  {took:.0f}", flush=True)


if __name__ == "__main__":
    main()
