"""The labels that a user brings, by the identifiers in the source files."""

from __future__ import annotations

from pathlib import Path

from hemocast.errors import TableError
from hemocast.tables import read_table


def read_labels(path: Path) -> dict[str, int]:
    """Read a CSV of ``patient_id, label``.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        The file cannot be read, a column is missing, a label is neither 0 nor 1, or a patient comes
        twice. All faults at once, by row; identifiers are not repeated in the message.
    """
    expected = "columns patient_id and label, one row per patient, label 1 (HT) or 0 (no HT)"
    table = read_table(path, "The table of labels")
    missing = [name for name in ("patient_id", "label") if name not in table.columns]
    faults = [f"no column {name}" for name in missing]
    if not missing:
        table = table[["patient_id", "label"]].apply(lambda cells: cells.str.strip())
        again = table["patient_id"].duplicated()
        for row, (patient, label, twice) in enumerate(
            zip(table["patient_id"], table["label"], again, strict=True), start=2
        ):
            if label not in {"0", "1"}:
                faults.append(f"row {row}: label {label[:20]!r}")
            if twice:
                faults.append(f"row {row}: a patient_id that came before")
            if not patient:
                faults.append(f"row {row}: an empty patient_id")
    if faults:
        raise TableError(
            f"The labels have {len(faults)} fault(s): {'; '.join(faults[:20])}",
            expected,
            "Correct what is named and run again",
        )
    return dict(zip(table["patient_id"], table["label"].astype(int), strict=True))
