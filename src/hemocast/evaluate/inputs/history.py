"""The history of a silent trial: every scan that arrived, what became of it, and its outcome.

`HISTORY` and `OUTCOMES` are what a service exports and ``hemocast monitor`` reads. Every further
column of a history that holds numbers alone is a feature whose drift is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.tables.columns import (
    HT_OR_NOT,
    Column,
    Fault,
    Rule,
    TableSchema,
    parse_table,
    refuse,
    rows_of,
)
from hemocast.dataset.tables.patients import refuse_nobody
from hemocast.dataset.tables.schema import GRADES
from hemocast.evaluate.inputs.predictions import key_column
from hemocast.stats.estimate import Float64Array
from hemocast.tables import MISSING, PRINTABLE, PRINTABLE_WORDS, called, read_table

if TYPE_CHECKING:
    import pandas as pd

ObjectArray = NDArray[np.object_]
TimeArray = NDArray[np.datetime64]

DONE, REFUSED, FAILED, WAITING = STATUSES = ("done", "refused", "failed", "waiting")
_WORDS = {
    **dict.fromkeys(("predicted", "delivered", "skipped"), DONE),
    **dict.fromkeys(("received", "settled", "read"), WAITING),
}
GROUPS = ("site", "scanner")
_TIMES = ("arrived_at", "last_slice_at", "predicted_at")
_NO_FEATURE = frozenset(
    {"case", "label", "probability_low", "probability_high", "threshold", "logit", "revision"}
)
"""Columns of numbers that follow from the probability, or are no property of a scan."""


def _time(name: str, *, required: bool = False) -> Column:
    return Column(
        name, required=required, blank=not required,
        pattern=r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?",
        described="a date and time such as 2026-03-01T14:05:00, or with its offset, +08:00",
    )  # fmt: skip


def _name(name: str) -> Column:
    return Column(name, pattern=PRINTABLE, described=PRINTABLE_WORDS)


_PROBABILITY = Column("probability", "number", low=0, high=1, hint="divide percentages by 100")


def _odd_probability(table: pd.DataFrame) -> pd.Series:
    return table["status"].notna() & ((table["status"] == DONE) != table["probability"].notna())


HISTORY = TableSchema(
    "history",
    (
        key_column("scan_id"),
        _name("participant_id"),
        _time("arrived_at", required=True),
        _time("last_slice_at"),
        _time("predicted_at"),
        Column("status", "choice", choices=STATUSES, words=_WORDS, required=True, blank=False),
        _name("code"),
        _PROBABILITY,
        *map(_name, GROUPS),
        Column("simulated", "flag"),
    ),
    ("scan_id",),
    (
        Rule(
            ("status", "probability"), _odd_probability,
            f"a probability where the status is {DONE}, and nowhere else",
        ),
    ),
)  # fmt: skip
"""One row a scan, by the latest revision of its result."""

OUTCOMES = TableSchema(
    "outcomes",
    (
        key_column("scan_id"),
        Column("label", "flag", words=HT_OR_NOT, required=True, hint="1 HT, 0 no HT"),
        Column("grade", "choice", choices=GRADES),
        _time("observed_at"),
        Column("simulated", "flag"),
    ),
    ("scan_id",),
)
"""What was seen on a follow-up scan; a label that is not known may be left out."""

_REFERENCE = TableSchema(
    "reference",
    (
        _name("scan_id"), _name("participant_id"), _PROBABILITY, *map(_name, GROUPS),
        Column("simulated", "flag"),
    ),
    ("scan_id",),
)  # fmt: skip


@dataclass(frozen=True)
class Feature:
    """What is known of every scan, such as its scanner or the size of the infarct.

    Parameters
    ----------
    name : str
        As in the header row.
    values : ndarray of float64, or of object (str), shape (n,)
        Numbers, NaN where missing; or words, "" where missing.
    """

    name: str
    values: Float64Array | ObjectArray

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.values.dtype == np.float64

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Feature:
        """Return the values of some scans."""
        return Feature(self.name, self.values[chosen])


@dataclass(frozen=True)
class Scans:
    """Scans, in rows, with what drift is looked for in.

    Parameters
    ----------
    patient : ndarray of object (str), shape (n,)
        Whose scan each is; the scan's own name where that is not known.
    probability : ndarray of float64, shape (n,)
        NaN where there is no result.
    features : tuple of Feature
        ``site`` and ``scanner`` where the table has them, and all other columns of numbers.
    simulated : bool
        A row says that it is.
    """

    patient: ObjectArray
    probability: Float64Array
    features: tuple[Feature, ...]
    simulated: bool

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Scans:
        """Return some of the rows."""
        return Scans(
            self.patient[chosen],
            self.probability[chosen],
            tuple(feature.part(chosen) for feature in self.features),
            self.simulated,
        )

    def feature(self, name: str) -> Feature | None:
        """Return the feature of a name, where there is one."""
        return next((one for one in self.features if one.name == name), None)


@dataclass(frozen=True)
class Outcomes:
    """What became of patients, row by row of a history.

    Parameters
    ----------
    label : ndarray of float64, shape (n,)
        1 HT, 0 none, NaN not known.
    grade : ndarray of object (str), shape (n,)
        "" where not known.
    known_at : ndarray of datetime64, shape (n,)
        When the outcome was seen, or else when the scan arrived.
    unmatched : int
        Outcomes of scans that the history does not have.
    """

    label: Float64Array
    grade: ObjectArray
    known_at: TimeArray
    unmatched: int


@dataclass(frozen=True)
class History:
    """All scans of a trial in the order of their arrival.

    Parameters
    ----------
    scans : Scans
        What drift is looked for in.
    arrived, last_slice, predicted : ndarray of datetime64, shape (n,)
        NaT where not known.
    status, code : ndarray of object (str), shape (n,)
        One of `STATUSES`; the code of a refusal, or "".
    outcomes : Outcomes or None
        Where a table of them was given.
    """

    scans: Scans
    arrived: TimeArray
    last_slice: TimeArray
    predicted: TimeArray
    status: ObjectArray
    code: ObjectArray
    outcomes: Outcomes | None


def read_history(path: Path, outcomes: Path | None = None) -> History:
    """Read a history, and the outcomes of its scans.

    Parameters
    ----------
    path : Path
        A table as `HISTORY` says, in any order.
    outcomes : Path, optional
        A table as `OUTCOMES` says.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in the tables, all rows at once.
    NobodyMatched
        No outcome is of a scan of the history.
    """
    name = called(path)
    table, text = _parsed(HISTORY, path)
    times = {column: _times(table[column], name, column) for column in _TIMES}
    order = np.argsort(times["arrived_at"], kind="stable")
    scan = _text(table["scan_id"])
    person = _text(table["participant_id"])
    found = None
    if outcomes is not None:
        found = _outcomes(outcomes, name, scan[order], times["arrived_at"][order])
    scans = _scans(HISTORY, table, text, np.where(person == "", scan, person))
    return History(
        scans.part(order),
        times["arrived_at"][order],
        times["last_slice_at"][order],
        times["predicted_at"][order],
        _text(table["status"])[order],
        _text(table["code"])[order],
        found,
    )


def read_reference(path: Path) -> Scans:
    """Read scans that later ones are to be like, such as those that a model was tested on.

    Parameters
    ----------
    path : Path
        A table with the columns of a history that are to be compared; no time is needed.

    Raises
    ------
    NothingThere, TableError
        As `read_history` does.
    """
    table, text = _parsed(_REFERENCE, path)
    own = np.array([f"row {k}" for k in range(len(table))], dtype=object)
    person = _text(table["participant_id"])
    return _scans(_REFERENCE, table, text, np.where(person == "", own, person))


def _parsed(schema: TableSchema, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    parsed = parse_table(replace(schema, name=called(path)), read_table(path))
    refuse(parsed.faults)
    return parsed.table, parsed.text


def _scans(
    schema: TableSchema, table: pd.DataFrame, text: pd.DataFrame, patient: ObjectArray
) -> Scans:
    import pandas as pd

    known = {column.name for column in schema.columns} | {c.name for c in HISTORY.columns}
    features = [Feature(name, _text(table[name])) for name in GROUPS if name in text.columns]
    for name in (str(column) for column in text.columns):
        cells = text[name].str.strip()
        cells = cells.mask(cells.isin(["", MISSING]))
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
        whole = bool((np.isfinite(numbers) | cells.isna().to_numpy()).all())
        if name not in known | _NO_FEATURE and whole and np.isfinite(numbers).any():
            features.append(Feature(name, numbers))
    return Scans(
        patient,
        table["probability"].to_numpy(np.float64),
        tuple(features),
        bool((table["simulated"] == True).any()),  # noqa: E712 - a missing flag is not True
    )


def _outcomes(path: Path, history: str, scan: ObjectArray, arrived: TimeArray) -> Outcomes:
    name = called(path)
    table, _ = _parsed(OUTCOMES, path)
    seen = _times(table["observed_at"], name, "observed_at")
    given = _text(table["scan_id"])
    refuse_nobody(given, scan, (name, history))
    place = {one: row for row, one in enumerate(given)}
    rows = np.array([place.get(one, -1) for one in scan])
    matched = rows >= 0
    label = table["label"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    known_at = np.where(matched, seen[rows], np.datetime64("NaT"))
    return Outcomes(
        np.where(matched, label[rows], np.nan),
        np.where(matched, _text(table["grade"])[rows], ""),
        np.where(np.isnat(known_at), arrived, known_at),
        len(given) - int(matched.sum()),
    )


def _text(cells: pd.Series) -> ObjectArray:
    return np.asarray(cells.fillna("").astype(str), dtype=object)


def _times(cells: pd.Series, table: str, column: str) -> TimeArray:
    """Read times, in UTC where all name their offset; else as the clocks on the wall went."""
    import pandas as pd

    text = cells.dropna().astype(str)
    offset = text.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$")
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    bad = times.isna() | (offset != offset.any())
    if bad.any():
        rows = rows_of(bad.reindex(cells.index, fill_value=False))
        why = "a time that exists; in all rows with its offset from UTC, or in none"
        refuse((Fault(table, column, rows, why),))
    return np.asarray(times.reindex(cells.index).to_numpy("datetime64[s]"))
