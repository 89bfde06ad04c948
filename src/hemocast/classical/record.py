"""The clinical record of a dataset's patients, as classical models take it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.dataset.layout import Dataset
from hemocast.dataset.tables.patients import by_participant, refuse_nobody
from hemocast.dataset.tables.schema import TREATMENTS
from hemocast.errors import NothingThere, TableError
from hemocast.tables import called, read_table

if TYPE_CHECKING:
    import pandas as pd

NUMBERS: Mapping[str, tuple[float, float]] = {
    "age": (0, 120),
    "nihss": (0, 42),
    "glucose_mmol_l": (1, 40),
    "systolic_mmhg": (40, 320),
    "onset_to_first_scan_hours": (0, 8784),
}
"""Columns that act by a smooth curve, and what they can be."""
FLAGS: Mapping[str, Mapping[str, float]] = {
    "sex": {"F": 0.0, "M": 1.0},
    "atrial_fibrillation": {"0": 0.0, "1": 1.0},
}
GIVEN = TREATMENTS[:4]
IN_WORDS: Mapping[str, str] = {
    "age": "age, years",
    "nihss": "NIHSS",
    "glucose_mmol_l": "glucose, mmol/L",
    "systolic_mmhg": "systolic pressure, mmHg",
    "onset_to_first_scan_hours": "onset to first scan, hours",
    "sex": "male",
    "atrial_fibrillation": "atrial fibrillation",
}
"""What a page calls a variable; a treatment by its own name."""
_UNKNOWN = ("", "n/a", "unknown", "O")
VARIABLES = (
    *(Variable(name, "spline") for name in NUMBERS),
    *(Variable(name, "binary") for name in FLAGS),
    *(Variable(name, "binary") for name in GIVEN),
)


def read_record(dataset: Dataset, patients: Sequence[str]) -> Measurements:
    """Read what ``participants.tsv`` and ``clinical.tsv`` say, one row for each patient asked for.

    Parameters
    ----------
    dataset : Dataset
        A column that it does not have is missing for everybody; so is a patient's row.
    patients : sequence of str
        participant_id; may come more than once.

    Returns
    -------
    Measurements
        Of `VARIABLES`: treatment given is one of them for each kind, as it is known when the risk
        is asked for.

    Raises
    ------
    TableError
        A cell that cannot be, or a patient twice in a table.
    """
    return _record(_of_dataset(dataset), patients)


def read_record_file(path: Path, patients: Sequence[str], key: bytes | None = None) -> Measurements:
    """Read the same from one table, such as the ``clinical.csv`` of `hemocast score`.

    Parameters
    ----------
    path : Path
        With ``participant_id`` (with the key, ``patient_id``) and any of the columns; or a
        dataset's folder.
    patients : sequence of str
        participant_id; may come more than once.
    key : bytes, optional
        Of the pseudonyms.

    Raises
    ------
    NothingThere, TableError
        There is no such table; a cell that cannot be, or a patient twice.
    NobodyMatched
        It knows none of the patients.
    """
    tables = ClinicalTables.read(path, key, patients)
    if not path.is_dir():
        known = tables.tables[0][1]["participant_id"]
        refuse_nobody(known, patients, (called(path), "the predictions"))
    return tables.of(patients)


@dataclass(frozen=True, eq=False)
class ClinicalTables:
    """What is known of patients, read once.

    Parameters
    ----------
    tables : tuple of (str, DataFrame)
        Each with its name for messages, and ``participant_id``.
    """

    tables: tuple[tuple[str, pd.DataFrame], ...]

    @classmethod
    def read(
        cls, path: Path, key: bytes | None = None, known: Collection[str] = ()
    ) -> ClinicalTables:
        """Read a dataset's tables, or one table; see `read_record_file`.

        Parameters
        ----------
        path : Path
            Of either.
        key : bytes, optional
            Of the pseudonyms, for a table by ``patient_id``.
        known : collection of str
            The pseudonyms that it is to be joined with, where they are known.

        Raises
        ------
        NothingThere, TableError
            There is no such table; a cell that cannot be, or a patient twice.
        """
        if path.is_dir():
            read = cls(_of_dataset(Dataset(path)))
        else:
            name = called(path)
            table = by_participant(read_table(path), name, key, known)
            if "participant_id" not in table.columns:
                raise TableError(
                    f"{name} has no participant_id", "that column, or patient_id", "Add it"
                )
            read = cls(((name, table),))
        for _, table in read.tables:
            read.of(list(table["participant_id"]))
        return read

    def of(self, patients: Sequence[str]) -> Measurements:
        """Return their record, a row each; who is in no table has nothing but gaps."""
        return _record(self.tables, patients)


def _of_dataset(dataset: Dataset) -> tuple[tuple[str, pd.DataFrame], ...]:
    tables = []
    for name in ("participants", "clinical"):
        with suppress(NothingThere):
            tables.append((f"{name}.tsv", dataset.table(name)))
    return tuple(tables)


def _record(tables: Iterable[tuple[str, pd.DataFrame]], patients: Sequence[str]) -> Measurements:
    columns: dict[str, pd.Series] = {}
    for name, table in tables:
        if table["participant_id"].duplicated().any():
            raise TableError(f"{name} has a patient twice", "one row a patient", "Drop one")
        rows = table.set_index("participant_id").reindex(list(patients)).fillna("")
        columns |= {str(column): rows[column] for column in rows.columns}
    values = [_numbers(name, columns.get(name), len(patients)) for name in NUMBERS]
    values += [_flags(name, columns.get(name), len(patients)) for name in FLAGS]
    treatment = columns.get("treatment")
    values += [_given(name, treatment, len(patients)) for name in GIVEN]
    return Measurements(VARIABLES, np.column_stack(values))


def treatments_of(record: Measurements) -> np.ndarray:
    """Name every patient's treatment, joined by "+"; "none", or "unknown"."""
    places = [i for i, one in enumerate(record.variables) if one.name in GIVEN]
    names = []
    for row in record.values[:, places]:
        given = "+".join(name for name, yes in zip(GIVEN, row, strict=True) if yes == 1)
        names.append("unknown" if np.isnan(row).any() else given or "none")
    return np.array(names)


def _numbers(name: str, column: pd.Series | None, n: int) -> Float64Array:
    found = np.full(n, np.nan)
    if column is None:
        return found
    known = ~column.isin(_UNKNOWN).to_numpy()
    try:
        found[known] = column[known].astype(float)
    except ValueError:
        raise _refusal(name, "numbers") from None
    low, high = NUMBERS[name]
    if not bool(((found[known] >= low) & (found[known] <= high)).all()):
        raise _refusal(name, f"numbers from {low:g} to {high:g}")
    return found


def _flags(name: str, column: pd.Series | None, n: int) -> Float64Array:
    if column is None:
        return np.full(n, np.nan)
    words = FLAGS[name]
    if not column.isin([*words, *_UNKNOWN]).all():
        raise _refusal(name, " or ".join(words))
    return np.array([words.get(cell, np.nan) for cell in column])


def _given(name: str, column: pd.Series | None, n: int) -> Float64Array:
    if column is None:
        return np.full(n, np.nan)
    if not column.map(lambda cell: cell in _UNKNOWN or set(cell.split(";")) <= {*TREATMENTS}).all():
        raise _refusal("treatment", "; between any of " + ", ".join(TREATMENTS))
    return np.array([np.nan if x in _UNKNOWN else float(name in x.split(";")) for x in column])


def _refusal(name: str, expected: str) -> TableError:
    return TableError(f"Column {name} has cells that cannot be right", expected, "Correct them")
