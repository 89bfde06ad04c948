"""Signs measured on a scan, as a classical model takes them: from a table, or as just measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.errors import NoSigns, TableError
from hemocast.tables import MISSING, read_table

TABLE = Path("derivatives") / "signs" / "measurements.csv"
"""In a dataset: what ``hemocast measure DATASET --out DATASET/derivatives/signs`` writes."""

IN_WORDS = {
    "infarct_ml": "acute infarct, mL",
    "infarct_mca_share": "share of the MCA territory",
    "water_uptake": "net water uptake",
    "aspects": "ASPECTS",
    "midline_shift_mm": "midline shift, mm",
    "fluid_share": "share of fluid",
    "calcification_ml": "calcification, mL",
    "ventricles_ml": "lateral ventricles, mL",
    "bicaudate_ratio": "bicaudate ratio",
    "van_swieten": "van Swieten's grade",
    "old_infarct_ml": "old infarct, mL",
}
"""Columns of the table, all numbers, and what a page calls them."""
NAMES = tuple(IN_WORDS)
VARIABLES = tuple(Variable(name, "spline") for name in NAMES)


def read_signs(folder: Path, scans: Sequence[str]) -> Measurements:
    """Read the signs of scans from a dataset's `TABLE`, one row a scan.

    Parameters
    ----------
    folder : Path
        Of the dataset, or of stacks.
    scans : sequence of str
        scan_ids.

    Raises
    ------
    NoSigns
        There is no table, or a scan was not measured.
    TableError
        A cell that is no number, or a scan with two rows.
    """
    path = folder / TABLE
    if not path.is_file():
        raise NoSigns(
            "The dataset has no table of signs",
            f"{TABLE.as_posix()} in the dataset",
            f"Write it: hemocast measure DATASET --out DATASET/{TABLE.parent.as_posix()}",
        )
    table = read_table(path, TABLE.as_posix())
    if lacking := sorted({"scan_id", "status", *NAMES} - set(table.columns)):
        raise TableError(
            f"{TABLE.as_posix()} lacks column(s) {', '.join(lacking)}",
            "the table of 'hemocast measure'",
            "Measure the scans again",
        )
    done = table[table["status"] == "done"]
    rows = {
        str(row["scan_id"]): {name: str(row[name]) for name in NAMES}
        for row in done.to_dict("records")
    }
    if len(rows) < len(done):
        raise TableError("A scan has two rows of signs", "one row a scan", "Measure again")
    if missing := [scan for scan in scans if scan not in rows]:
        raise NoSigns(
            f"{len(missing)} scan(s) were not measured, {missing[0]} for one",
            "signs of every scan",
            "Measure them with 'hemocast measure --resume'",
        )
    return Measurements(VARIABLES, np.array([_numbers(rows[scan]) for scan in scans]))


def signs_of(cells: Mapping[str, str]) -> Measurements:
    """Take the signs of one scan from its row of a table, shape (1, len(NAMES)).

    Parameters
    ----------
    cells : mapping
        Column -> cell; a sign that was not measured has none, or an empty one.
    """
    return Measurements(VARIABLES, _numbers(cells)[None])


def _numbers(row: Mapping[str, str]) -> Float64Array:
    found = np.full(len(NAMES), np.nan)
    for place, name in enumerate(NAMES):
        text = row.get(name, "").strip()
        if text in ("", MISSING, "nan"):
            continue
        with suppress(ValueError):
            found[place] = float(text)
        if not np.isfinite(found[place]):
            raise TableError(
                f"{name} of a scan is no number", "a number or an empty cell", "Measure again"
            )
    return found
