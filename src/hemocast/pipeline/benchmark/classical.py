"""Rows of models from measurements: the clinical record, plain pictures of the brain, and both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from hemocast.classical.learning import Cohort, Fitted
from hemocast.classical.measurements import Measurements
from hemocast.classical.recipes import RECIPES, MeasuredRecipe, measure, needs_map, needs_signs
from hemocast.pipeline.benchmark.data import BenchmarkData, Progress, Scored
from hemocast.train import StackTable
from hemocast.train.measured import cohort_of

_VERSION = 2
"""Of what the rows are: higher when the numbers change."""


@dataclass(frozen=True)
class ClassicalEntry:
    """A model from measurements; nothing in it is drawn.

    Parameters
    ----------
    recipe : MeasuredRecipe
        What it is told and how it learns; scans of a patient stay together in its folds.
    """

    recipe: MeasuredRecipe
    seed: None = None

    @property
    def name(self) -> str:
        """In the table."""
        return self.recipe.title

    def see(self, table: StackTable) -> Measurements:
        """Give what the model is told of the scans of a table, one row a scan."""
        return measure(self.recipe.views, table.frames, table.record())

    def fit(self, cohort: Cohort) -> Fitted:
        """Learn."""
        return self.recipe.fit(cohort)

    @property
    def settings(self) -> str:
        """See `Entry`."""
        return f"classical {_VERSION} {self.name}"

    def check(self, data: BenchmarkData) -> None:
        """Refuse too few events, or a clinical table that cannot be read."""
        cohort_of(data.learned, data.learned.record()).require_events()
        data.fresh.table.record()

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Learn from all scans of the one cohort, score those of the other."""
        began = time.process_time()
        learned, fresh = self.see(data.learned), self.see(data.fresh.table)
        risk = self.fit(cohort_of(data.learned, learned)).risk(fresh)
        return Scored(risk, data.prevalence, round(time.process_time() - began, 1))


CLASSICAL = tuple(
    ClassicalEntry(one)
    for one in RECIPES.values()
    if not needs_map(one.views) and not needs_signs(one.views)
)
"""In the order of the table; those with the record know more than the image's ceiling."""
