"""The labels that a user brings, by the identifiers in the source files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hemocast.dataset.tables.columns import HT_OR_NOT, Column, TableSchema, parse_table, refuse
from hemocast.tables import PRINTABLE, PRINTABLE_WORDS, called, read_table

GIVEN = TableSchema(
    "labels.csv",
    (
        Column("patient_id", required=True, blank=False, pattern=PRINTABLE,
               described=PRINTABLE_WORDS),
        Column("label", "flag", words=HT_OR_NOT, required=True, blank=False, hint="1 HT, 0 no HT"),
    ),
    ("patient_id",),
)  # fmt: skip


def read_labels(path: Path) -> dict[str, int]:
    """Read a CSV of ``patient_id, label``: 1 (HT) or 0 (no HT), one row for each patient.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        The file cannot be read, a column is missing, a label is neither 0 nor 1, or a patient comes
        twice. All faults at once, by row; identifiers are not repeated in the message.
    """
    parsed = parse_table(replace(GIVEN, name=called(path)), read_table(path))
    refuse(parsed.faults)
    return dict(zip(parsed.table["patient_id"], parsed.table["label"].astype(int), strict=True))
