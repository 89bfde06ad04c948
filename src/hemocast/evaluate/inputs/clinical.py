"""Subgroups: from extra columns, from the clinical table, and from the tables beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.description import says_simulated
from hemocast.dataset.tables.columns import Column, TableSchema, parse_table, refuse
from hemocast.dataset.tables.patients import by_participant, refuse_nobody
from hemocast.dataset.tables.schema import CLINICAL, PARTICIPANTS, SCANS, TREATMENTS
from hemocast.stats import GroupVariable, bands, categories
from hemocast.stats.subgroups.analyse import MISSING
from hemocast.tables import called, read_table

if TYPE_CHECKING:
    import pandas as pd

MOST_LEVELS = 12
UNKNOWN = ""
_CONTROL = r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]"
_AGE_EDGES, _AGE_BANDS = (60.0, 70.0, 80.0), ("< 60", "60-69", "70-79", ">= 80")
_HOUR_EDGES, _HOUR_BANDS = (6.0, 24.0), ("< 6 h", "6-24 h", ">= 24 h")
_BANDS = {
    "age": ("age, years", _AGE_EDGES, _AGE_BANDS),
    "hours_from_onset": ("time from onset", _HOUR_EDGES, _HOUR_BANDS),
    "onset_to_first_scan_hours": ("onset to first scan", _HOUR_EDGES, _HOUR_BANDS),
}


def groupings_of(table: pd.DataFrame) -> tuple[tuple[GroupVariable, ...], tuple[str, ...]]:
    """Make a grouping of every column that can be one.

    Parameters
    ----------
    table : DataFrame of str
        One row per scan; empty cells and ``n/a`` mean not known.

    Returns
    -------
    groupings : tuple of GroupVariable
        ``age`` and the hours in bands, ``treatment`` as one yes/no grouping per treatment.
    unused : tuple of str
        Columns that give none, with the reason.
    """
    groupings: list[GroupVariable] = []
    unused: list[str] = []
    for name in map(str, table.columns):
        # Names and levels go into pages and figures, which control characters would break.
        cells = table[name].astype(str).str.replace(_CONTROL, " ", regex=True).str.strip()
        cells = cells.mask(cells.isin(["n/a", "nan", "<NA>"]), UNKNOWN)
        made = list(_groupings(re.sub(_CONTROL, " ", name).strip() or "unnamed", cells))
        for grouping in made:
            reason = _useless(grouping)
            if reason:
                unused.append(f"{grouping.name}: {reason}")
            else:
                groupings.append(grouping)
    return tuple(groupings), tuple(unused)


def _groupings(name: str, cells: pd.Series) -> Iterator[GroupVariable]:
    import pandas as pd

    if name == "treatment":
        words = cells.str.split(";").map(lambda found: {word.strip() for word in found})
        known = (cells != UNKNOWN) & (cells != "unknown")
        for treatment in TREATMENTS[:4]:
            given = words.map(lambda found, one=treatment: one in found)
            yield categories(treatment, np.where(known, np.where(given, "yes", "no"), UNKNOWN))
    elif name in _BANDS:
        title, edges, names = _BANDS[name]
        yield bands(title, pd.to_numeric(cells, errors="coerce"), edges, names)
    else:
        yield categories(name, cells)


def _useless(grouping: GroupVariable) -> str:
    n = len(set(grouping.order) - {MISSING})
    if n < 2:
        return "the same in all scans" if n else "not known of any scan"
    if n > MOST_LEVELS:
        return f"{n} different values, more than {MOST_LEVELS}"
    return ""


@dataclass(frozen=True)
class Clinical:
    """What the clinical tables add.

    Parameters
    ----------
    groupings, unused
        As `groupings_of` gives them.
    simulated : bool
        The dataset that the table lies in says that it is simulated.
    n_unknown : int
        Participants of the predictions that the table does not know.
    """

    groupings: tuple[GroupVariable, ...]
    unused: tuple[str, ...]
    simulated: bool
    n_unknown: int


def _loosened(schema: TableSchema, file: str, key: str) -> TableSchema:
    """Our own schema without its pattern of keys, which others need not follow."""
    columns = tuple(
        Column(
            column.name, column.kind, column.name == key, column.blank and column.name != key,
            column.low, column.high, column.unit, column.choices, hint=column.hint,
            words=column.words,
            described="text in one line",
        )
        for column in schema.columns
    )  # fmt: skip
    return TableSchema(file, columns, (key,))


_PEOPLE = ("sex", "age", "site", "treatment", "onset_to_first_scan_hours")
_WIDE = TableSchema(
    "clinical.tsv",
    (
        *_loosened(CLINICAL, "", "participant_id").columns,
        *(
            column
            for column in _loosened(PARTICIPANTS, "", "participant_id").columns
            if column.name in ("sex", "age", "site")
        ),
    ),
    ("participant_id",),
)


def read_clinical(
    path: Path,
    participant: NDArray[np.object_],
    scan: NDArray[np.object_],
    key: bytes | None = None,
) -> Clinical:
    """Read ``clinical.tsv``, and ``participants.tsv`` and ``scans.tsv`` where they lie beside it.

    Parameters
    ----------
    path : Path
        A table by ``participant_id`` (with the key, ``patient_id``) with any of ``sex, age, site,
        treatment, onset_to_first_scan_hours``.
    participant, scan : ndarray of object (str), shape (n,)
        Of the scans with predictions.
    key : bytes, optional
        Of the pseudonyms.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in one of them; all its faults at once.
    NobodyMatched
        The table knows none of the participants.
    """
    import pandas as pd

    name = called(path)
    text = by_participant(read_table(path), name, key, participant)
    people = _keyed(text, replace(_WIDE, name=name))
    refuse_nobody(people.index, participant, (name, "the predictions"))
    rows = people.index.get_indexer(pd.Index(participant))
    columns = {name: people[name] for name in _PEOPLE if name in people.columns}
    found = {name: _at(column, rows) for name, column in columns.items()}
    beside = path.parent / "participants.tsv"
    if beside.is_file() and beside != path:
        schema = _loosened(PARTICIPANTS, "participants.tsv", "participant_id")
        more = _keyed(read_table(beside, schema.name), schema)
        at = more.index.get_indexer(pd.Index(participant))
        for name in ("sex", "age", "site"):
            if name in more.columns and name not in found:
                found[name] = _at(more[name], at)
    beside = path.parent / "scans.tsv"
    if beside.is_file() and beside != path:
        found |= _of_scans(beside, scan)
    groupings, unused = groupings_of(pd.DataFrame(found, dtype=str))
    return Clinical(
        groupings=groupings,
        unused=unused,
        simulated=says_simulated(path.parent),
        n_unknown=len({str(one) for one in participant[rows < 0]}),
    )


def _of_scans(path: Path, scan: NDArray[np.object_]) -> dict[str, NDArray[np.object_]]:
    import pandas as pd

    schema = _loosened(SCANS, "scans.tsv", "scan_id")
    scans = _keyed(read_table(path, schema.name), schema)
    at = scans.index.get_indexer(pd.Index(scan))
    found = {}
    if {"manufacturer", "model"} & set(scans.columns):
        empty = pd.Series(UNKNOWN, index=scans.index)
        maker, model = scans.get("manufacturer", empty), scans.get("model", empty)
        found["scanner"] = _at((maker + " " + model).str.strip(), at)
    if "hours_from_onset" in scans.columns:
        found["hours_from_onset"] = _at(scans["hours_from_onset"], at)
    return found


def _keyed(text: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return a checked table as text, by its key, without columns that are not there."""
    parsed = parse_table(schema, text)
    refuse(parsed.faults)
    text = parsed.text.apply(lambda column: column.str.strip())
    text = text.mask(text == "n/a", UNKNOWN)
    keyed: pd.DataFrame = text.set_index(schema.key[0])
    return keyed


def _at(column: pd.Series, rows: NDArray[Any]) -> NDArray[np.object_]:
    values = column.to_numpy(dtype=object)
    return np.where(rows >= 0, values[rows], UNKNOWN).astype(object)
