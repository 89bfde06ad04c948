"""The cohort's tables, read and checked all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.layout import Dataset
from hemocast.dataset.tables.columns import Fault, parse_table, refuse, rows_of
from hemocast.dataset.tables.schema import REQUIRED, SCHEMAS
from hemocast.errors import NothingThere

if TYPE_CHECKING:
    import pandas as pd

HOURS_AGREE = 0.1  # two ways to say one time may differ by rounding, hours


@dataclass(frozen=True)
class Tables:
    """The dataset's tables, checked, with typed columns; missing cells are missing values.

    Parameters
    ----------
    participants, clinical, labels : DataFrame
        At most one row per participant.
    scans : DataFrame
        One row per scan; ``hours_from_onset`` filled from the time of the first scan where only
        that is known.
    nihss : DataFrame
        One row per examination: the NIHSS series.
    reviews : DataFrame
        One row per participant and reviewer.
    """

    participants: pd.DataFrame
    scans: pd.DataFrame
    clinical: pd.DataFrame
    labels: pd.DataFrame
    nihss: pd.DataFrame
    reviews: pd.DataFrame


def read_tables(root: Path) -> Tables:
    """Read and check all tables of a dataset.

    Parameters
    ----------
    root : Path
        The dataset folder. ``clinical.tsv``, ``nihss.tsv`` and ``reviews.tsv`` need not be there.

    Raises
    ------
    NothingThere
        ``participants.tsv``, ``scans.tsv`` or ``labels.tsv`` is missing.
    TableError
        Bad cells, columns, keys; all of all tables at once, with table, row, column and what is
        allowed.
    """
    import pandas as pd

    dataset = Dataset(root)
    text = {}
    for schema in SCHEMAS:
        try:
            text[schema.name] = dataset.table(schema.name)
        except NothingThere:
            if schema.name in REQUIRED:
                raise
            names = [column.name for column in schema.columns]
            text[schema.name] = pd.DataFrame(columns=names, dtype="str")
    return check_tables(text)


def check_tables(text: Mapping[str, pd.DataFrame]) -> Tables:
    """Check tables whose cells are all text, by name; see `read_tables`.

    Raises
    ------
    TableError
        All faults of all tables at once.
    """
    parsed = {schema.name: parse_table(schema, text[schema.name]) for schema in SCHEMAS}
    faults = [fault for result in parsed.values() for fault in result.faults]
    tables = Tables(**{name: result.table for name, result in parsed.items()})
    faults += _strangers(tables)
    hours, fault = _hours_from_onset(tables)
    refuse((*faults, *fault))
    tables.scans["hours_from_onset"] = hours
    return tables


def _strangers(tables: Tables) -> list[Fault]:
    """Rows of other tables whose participant ``participants.tsv`` does not hold."""
    known = tables.participants["participant_id"]
    faults = []
    for schema in SCHEMAS[1:]:
        person = getattr(tables, schema.name)["participant_id"]
        bad = person.notna() & ~person.isin(known)
        if bad.any():
            allowed = "a participant_id of participants.tsv"
            faults.append(Fault(schema.name, "participant_id", rows_of(bad), allowed))
    return faults


def _hours_from_onset(tables: Tables) -> tuple[pd.Series, list[Fault]]:
    """Scan times after onset: given, or the first scan's time plus the hours since that scan."""
    scans = tables.scans
    clinical = tables.clinical.drop_duplicates("participant_id").set_index("participant_id")
    first = scans["participant_id"].map(clinical["onset_to_first_scan_hours"])
    derived = first + scans["hours_from_first"]
    given = scans["hours_from_onset"]
    bad = (given - derived).abs() > HOURS_AGREE
    allowed = "hours_from_onset = onset_to_first_scan_hours (clinical.tsv) + hours_from_first"
    fault = [Fault("scans", "hours_from_onset", rows_of(bad), allowed)] if bad.any() else []
    return given.fillna(derived), fault
