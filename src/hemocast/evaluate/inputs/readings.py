"""``readings.csv`` checked cell by cell, and matched to the scans of the predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.tables.columns import (
    Column,
    Fault,
    TableSchema,
    parse_table,
    plain,
    refuse,
    rows_of,
)
from hemocast.evaluate.inputs.predictions import PredictionTable, key_column
from hemocast.readers.analysis.data import AIDED, UNAIDED, ReadingTable
from hemocast.stats.estimate import BoolArray
from hemocast.tables import MISSING, called, read_table

if TYPE_CHECKING:
    import pandas as pd

READINGS = TableSchema(
    "readings.csv",
    (
        key_column("reader_id"),
        key_column("participant_id"),
        key_column("scan_id"),
        Column(
            "probability", "number", required=True, low=0, high=1,
            hint="divide percentages by 100; leave empty where the reader only decided",
        ),
        Column("decision", "flag", required=True, blank=False, hint="1 HT, 0 no HT"),
        Column("seconds", "number", low=0, high=7 * 86_400, unit="seconds"),
        Column("arm", "choice", choices=(UNAIDED, AIDED), blank=False),
        Column("order", "whole", low=0),
        Column("repeat", "whole", low=0, high=100, blank=False, hint="0 the first time"),
        Column("simulated", "flag"),
    ),
    ("reader_id", "scan_id", "arm", "repeat"),
)  # fmt: skip


def read_readings(path: Path, predictions: PredictionTable) -> ReadingTable:
    """Read and check ``readings.csv`` against the scans of the predictions.

    Parameters
    ----------
    path : Path
        A table with the columns of `READINGS`.
    predictions : PredictionTable
        Whose scans the readings are of.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in it, such as scans that the predictions do not know; all faults at once.
    """
    import pandas as pd

    schema = replace(READINGS, name=called(path))
    text = plain(schema, read_table(path))
    if "arm" not in text.columns:
        text = text.assign(arm=UNAIDED)
    if "repeat" not in text.columns:
        text = text.assign(repeat="0")
    text["repeat"] = text["repeat"].where(~text["repeat"].str.strip().isin(["", MISSING]), "0")
    parsed = parse_table(schema, text)
    table = parsed.table
    rows = pd.Index(predictions.scan).get_indexer(pd.Index(table["scan_id"]))
    unseen = table["scan_id"].isin(list(predictions.unseen[1])).to_numpy(dtype=bool)
    refuse((*parsed.faults, *_strangers(table, rows, unseen, predictions, schema.name)))
    table, rows = table[~unseen], rows[~unseen]
    return ReadingTable(
        reader=table["reader_id"].to_numpy(dtype=object),
        arm=table["arm"].to_numpy(dtype=object),
        row=rows.astype(np.int64),
        truth=predictions.truth[rows],
        patient=predictions.patient[rows],
        probability=table["probability"].to_numpy(dtype=np.float64),
        decision=table["decision"].to_numpy(dtype=bool),
        seconds=table["seconds"].to_numpy(dtype=np.float64),
        repeat=table["repeat"].to_numpy(dtype=np.int64),
        simulated=bool(table["simulated"].fillna(False).any()),
        n_unobserved=int(unseen.sum()),
    )


def _strangers(
    table: pd.DataFrame,
    rows: NDArray[np.intp],
    unseen: BoolArray,
    predictions: PredictionTable,
    name: str,
) -> list[Fault]:
    known = table["scan_id"].notna() & ~unseen
    unknown = known & (rows < 0)
    faults = []
    if unknown.any():
        why = "a scan of the predictions; this one is not there"
        faults.append(Fault(name, "scan_id", rows_of(unknown), why))
    owner = predictions.participant[rows]
    other = known & (rows >= 0) & table["participant_id"].notna()
    other &= table["participant_id"].to_numpy(dtype=object) != owner
    if other.any():
        why = "the participant that the predictions give for the scan"
        faults.append(Fault(name, "participant_id", rows_of(other), why))
    like = table["reader_id"].isin([model.name for model in predictions.models])
    if like.any():
        why = "a name that is not a model's"
        faults.append(Fault(name, "reader_id", rows_of(like), why))
    late = _without_first(table)
    if late.any():
        why = "a repeat only of a scan that the reader read before in the same arm (repeat 0)"
        faults.append(Fault(name, "repeat", rows_of(late), why))
    return faults


def _without_first(table: pd.DataFrame) -> pd.Series:
    keys = ["reader_id", "scan_id", "arm"]
    first = table.assign(first=table["repeat"].fillna(0) == 0).groupby(keys, dropna=False)["first"]
    return ~first.transform("any")
