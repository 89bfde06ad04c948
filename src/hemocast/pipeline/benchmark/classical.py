"""Rows of models from measurements: the clinical record, plain pictures of the brain, and both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.boosting import learn_boosting
from hemocast.classical.fusion import learn_fusion
from hemocast.classical.images import histograms_of, voxels_of
from hemocast.classical.learning import Cohort, Fit, predict_out_of_fold
from hemocast.classical.logistic import learn_firth, learn_ridge
from hemocast.classical.measurements import Measurements
from hemocast.classical.network import learn_network
from hemocast.classical.record import read_record
from hemocast.classical.svm import learn_svm
from hemocast.dataset import Dataset
from hemocast.pipeline.benchmark.data import BenchmarkData, Progress, Scored
from hemocast.train import StackTable
from hemocast.volume import from_levels

_VERSION = 1
"""Of what the rows are: higher when the numbers change."""

See = Callable[[StackTable], Measurements]
"""What a model is told of the scans of a table, one row a scan."""


def see_record(table: StackTable) -> Measurements:
    """Give the clinical record of every scan's patient."""
    return read_record(Dataset(table.array.parent), table.participant_id)


def see_histogram(table: StackTable) -> Measurements:
    """Give the histogram and asymmetry of every scan."""
    return histograms_of(_frames(table))


def see_voxels_and_nihss(table: StackTable) -> Measurements:
    """Give coarse voxels, and the NIHSS of the scan's patient."""
    voxels, record = voxels_of(_frames(table)), see_record(table)
    (at,) = (i for i, one in enumerate(record.variables) if one.name == "nihss")
    return Measurements(
        (*voxels.variables, record.variables[at]),
        np.column_stack([voxels.values, record.values[:, at]]),
    )


def _frames(table: StackTable) -> Iterator[NDArray[np.floating]]:
    """Read stacks one at a time: all together would not fit into memory."""
    levels = table.open()
    return (from_levels(levels[row]) for row in table.rows)


@dataclass(frozen=True)
class ClassicalEntry:
    """A model from measurements; nothing in it is drawn.

    Parameters
    ----------
    name : str
        In the table.
    see : See
        What it is told.
    fit : Fit
        How it learns; scans of a patient stay together in its folds.
    """

    name: str
    see: See
    fit: Fit
    seed: None = None

    @property
    def settings(self) -> str:
        """See `Entry`."""
        return f"classical {_VERSION} {self.name}"

    def check(self, data: BenchmarkData) -> None:
        """Refuse too few events, or a clinical table that cannot be read."""
        cohort_of(data.learned, see_record(data.learned)).require_events()
        see_record(data.fresh.table)

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Learn from all scans of the one cohort, score those of the other."""
        began = time.process_time()
        learned, fresh = self.see(data.learned), self.see(data.fresh.table)
        risk = self.fit(cohort_of(data.learned, learned)).risk(fresh)
        return Scored(risk, data.prevalence, round(time.process_time() - began, 1))


@dataclass(frozen=True)
class FusionEntry:
    """Two of them joined by their out-of-fold risks.

    Parameters
    ----------
    name : str
        In the table.
    clinical, image : ClassicalEntry
    """

    name: str
    clinical: ClassicalEntry
    image: ClassicalEntry
    seed: None = None

    @property
    def settings(self) -> str:
        """See `Entry`."""
        return f"{self.clinical.settings}, {self.image.settings}"

    def check(self, data: BenchmarkData) -> None:
        """See `ClassicalEntry.check`."""
        self.clinical.check(data)

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Learn both, and how to join them, from the one cohort; score the other."""
        began = time.process_time()
        fresh, out_of_fold = [], []
        for entry in (self.clinical, self.image):
            cohort = cohort_of(data.learned, entry.see(data.learned))
            fresh.append(entry.fit(cohort).risk(entry.see(data.fresh.table)))
            out_of_fold.append(predict_out_of_fold(entry.fit, cohort))
        fusion = learn_fusion(cohort.outcome, *out_of_fold)
        risk = fusion.risk(*fresh).risk
        return Scored(risk, data.prevalence, round(time.process_time() - began, 1))


def cohort_of(table: StackTable, seen: Measurements) -> Cohort:
    """Return the scans of a table as a cohort: the scans of a patient are a group."""
    _, group = np.unique(np.array(table.participant_id), return_inverse=True)
    return Cohort(seen, np.array(table.label, dtype=np.float64), group)


_RECORD = ClassicalEntry("clinical record, ridge", see_record, learn_ridge)
_HISTOGRAM = ClassicalEntry("histogram + asymmetry, ridge", see_histogram, learn_ridge)
CLASSICAL: tuple[ClassicalEntry | FusionEntry, ...] = (
    _HISTOGRAM,
    ClassicalEntry("voxels + NIHSS, SVM", see_voxels_and_nihss, learn_svm),
    _RECORD,
    ClassicalEntry("clinical record, Firth", see_record, learn_firth),
    ClassicalEntry("clinical record, boosting", see_record, learn_boosting),
    ClassicalEntry("clinical record, small network", see_record, learn_network),
    FusionEntry("fusion of record and histogram", _RECORD, _HISTOGRAM),
)
"""In the order of the table; those with the record know more than the image's ceiling."""
