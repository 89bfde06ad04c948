"""Tables of patients that a user brings, taken into a dataset: each column where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.layout import Dataset
from hemocast.dataset.tables.columns import (
    Column,
    TableSchema,
    columns_found,
    named_as,
    parse_table,
    refuse,
)
from hemocast.dataset.tables.patients import PERSON, by_participant, key_of_dataset, refuse_nobody
from hemocast.dataset.tables.schema import CLINICAL, LABELS, PARTICIPANTS
from hemocast.dataset.tables.update import update_table
from hemocast.errors import TableError
from hemocast.tables import MISSING, called, read_table

if TYPE_CHECKING:
    import pandas as pd

_HOMES = (PARTICIPANTS, CLINICAL, LABELS)


@dataclass(frozen=True)
class Taken:
    """What a dataset took from a table.

    Parameters
    ----------
    table : str
        The table's name.
    patients, strangers : int
        Its rows of patients of the dataset, and of others.
    columns : tuple of str
        Those that were taken, as ``labels.tsv: label``.
    left : tuple of str
        Those that no table of the dataset has.
    """

    table: str
    patients: int
    strangers: int
    columns: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        """One line for the user."""
        said = f"{self.table}: {self.patients} patient(s) of the dataset; {', '.join(self.columns)}"
        if self.strangers:
            said += f"; {self.strangers} row(s) of others left out"
        return said + (f"; columns not taken: {', '.join(self.left)}" if self.left else "")


def take_tables(root: Path, tables: Sequence[Path], key: Path | None = None) -> tuple[Taken, ...]:
    """Bring a dataset's ``participants.tsv``, ``clinical.tsv`` and ``labels.tsv`` up to date.

    What a table says of a patient replaces what was there; where it is empty or says ``n/a``, what
    was there stays, and so do other patients and the user's own columns. All tables are checked
    before the first is written.

    Parameters
    ----------
    root : Path
        The dataset folder.
    tables : sequence of Path
        One row a patient, by ``patient_id`` (as in the DICOM files) or ``participant_id``, with any
        columns of the three tables (``docs/reference/dataset.md``).
    key : Path, optional
        Of the pseudonyms; see `key_of_dataset`.

    Raises
    ------
    NothingThere, DatasetError
        There is no such dataset or table.
    TableError
        A table has faults, or none of the columns.
    NobodyMatched
        A table names no patient of the dataset.
    UsageError
        The key is not the dataset's.
    NotWritable, InUse
        The dataset cannot be written to.
    """
    if not tables:
        return ()
    dataset = Dataset(root)
    dataset.refuse_foreign()
    secret = key_of_dataset(root, key)
    people = list(dict.fromkeys(dataset.table("scans")[PERSON]))
    read = [(called(path), _read(path, secret, people)) for path in tables]
    with dataset.writing():
        return tuple(_take(dataset, name, text, people) for name, text in read)


def _read(path: Path, key: bytes | None, people: Sequence[str]) -> pd.DataFrame:
    """Return a checked table by participant."""
    name = called(path)
    text = by_participant(read_table(path, name), name, key, people)
    known = [column for home in _HOMES for column in home.columns if column.name != PERSON]
    text = named_as(text, [column.name for column in known], name)
    there = [replace(column, required=False) for column in known if column.name in text.columns]
    if not there:
        raise TableError(
            f"{name} has none of the columns that a dataset takes; {columns_found(text.columns)}",
            "some of " + ", ".join(column.name for column in known),
            "Name its columns so",
        )
    person = Column(PERSON, required=True, blank=False, described="a patient in every row")
    schema = TableSchema(name, (person, *there), (PERSON,))
    parsed = parse_table(schema, text)
    refuse(parsed.faults)
    text = parsed.text.apply(lambda column: column.str.strip())
    refuse_nobody(text[PERSON], people, (name, "the dataset"))
    keyed: pd.DataFrame = text.set_index(PERSON)
    return keyed


def _known(cell: str) -> str | None:
    return None if cell in ("", MISSING) else cell


def _take(dataset: Dataset, name: str, text: pd.DataFrame, people: Sequence[str]) -> Taken:
    inside = [person for person in people if person in text.index]
    taken: list[str] = []
    for home in _HOMES:
        columns = [c.name for c in home.columns if c.name in text.columns]
        if not columns:
            continue
        cells = text.loc[inside, columns]
        rows = [
            {PERSON: person, **{str(column): _known(cell) for column, cell in row.items()}}
            for person, row in zip(inside, cells.to_dict("records"), strict=True)
        ]
        update_table(dataset, home.name, rows, (PERSON, *columns), key=PERSON, anew=columns)
        taken.append(f"{home.name}.tsv: {', '.join(columns)}")
    known = {column.name for home in _HOMES for column in home.columns}
    left = tuple(str(column) for column in text.columns if column not in known)
    return Taken(name, len(inside), len(text) - len(inside), tuple(taken), left)
