"""All tables of an evaluation, read and checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hemocast.evaluate.inputs.clinical import Clinical, read_clinical
from hemocast.evaluate.inputs.predictions import PredictionTable, read_predictions
from hemocast.evaluate.inputs.readings import read_readings
from hemocast.readers.analysis.data import ReadingTable
from hemocast.stats import GroupVariable


@dataclass(frozen=True)
class Tables:
    """The files that an evaluation takes; see ``docs/evaluation.md``.

    Parameters
    ----------
    predictions : Path
        Of one or more models.
    readings, clinical : Path, optional
        Of the same scans by clinicians; of their patients.
    labels : Path, optional
        For predictions without labels; else those beside `clinical` are taken.
    """

    predictions: Path
    readings: Path | None = None
    clinical: Path | None = None
    labels: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that were given."""
        given = (self.predictions, self.readings, self.clinical, self.labels)
        return tuple(path for path in given if path is not None)


@dataclass(frozen=True)
class Inputs:
    """What the tables hold, checked.

    Parameters
    ----------
    predictions : PredictionTable
        With the cases of every model.
    readings : ReadingTable or None
        Of its scans.
    clinical : Clinical or None
        Of its patients.
    """

    predictions: PredictionTable
    readings: ReadingTable | None
    clinical: Clinical | None

    @property
    def simulated(self) -> bool:
        """Whether one of the tables says that it is simulated."""
        given = (self.predictions, self.readings, self.clinical)
        return any(table is not None and table.simulated for table in given)

    @property
    def groupings(self) -> tuple[GroupVariable, ...]:
        """Return the table's own groupings, then those that the clinical table adds."""
        own = self.predictions.groupings
        names = {grouping.name for grouping in own}
        more = () if self.clinical is None else self.clinical.groupings
        return (*own, *(grouping for grouping in more if grouping.name not in names))


def read_inputs(tables: Tables, threshold: float | None = None) -> Inputs:
    """Read and check all tables.

    Parameters
    ----------
    tables : Tables
        The files.
    threshold : float, optional
        For all models, whatever the table says.

    Raises
    ------
    NothingThere, TableError
        A table that cannot be used, with all its faults.
    """
    clinical = tables.clinical
    beside = None if clinical is None else clinical.parent / "labels.tsv"
    table = read_predictions(
        tables.predictions,
        threshold=threshold,
        labels=tables.labels,
        spare_labels=beside if beside is not None and beside.is_file() else None,
    )
    return Inputs(
        predictions=table,
        readings=None if tables.readings is None else read_readings(tables.readings, table),
        clinical=(
            None if clinical is None else read_clinical(clinical, table.participant, table.scan)
        ),
    )
