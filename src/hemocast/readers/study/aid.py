"""The model's results for the aided arm, from ``hemocast predict`` or from any model's table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.errors import TableError
from hemocast.readers.study.design import Case, ModelAid
from hemocast.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = "columns scan_id and probability in [0, 1], one row for every case, of one model"


def heatmap_in(results: Path | None, scan_id: str) -> Path | None:
    """Find a scan's heatmap in the output folder of ``hemocast predict``."""
    path = results / scan_id / "heatmap.nii.gz" if results else None
    return path if path and path.is_file() else None


def read_results(path: Path, cases: Sequence[Case], *, simulated: bool) -> ModelAid:
    """Read a model's results.

    Parameters
    ----------
    path : Path
        The output folder of ``hemocast predict``, or a ``predictions.csv`` alone.
    cases : sequence of Case
        Each must have a result.
    simulated : bool
        Whether the dataset is simulated; so then is what was predicted from it.

    Raises
    ------
    NothingThere
        There is no such table.
    TableError
        A column is missing, a probability is no fraction, a case has no result or several.
    """
    table_path = path / "predictions.csv" if path.is_dir() else path
    table = _table(table_path)
    wanted = [case.scan_id for case in cases]
    table = table[table["scan_id"].isin(wanted)]
    if "status" in table:
        table = table[table["status"] == "done"]
    faults = _faults(table, wanted)
    if faults:
        raise TableError(
            f"The model's results do not fit: {'; '.join(faults)}",
            _COLUMNS,
            "Predict the study's scans with one model and name that folder",
        )
    records = [_record(path / scan / "prediction.json") for scan in wanted]
    models = {str(record["model"]["name"]) for record in records if record}
    named = sorted(models) or sorted(set(table["model"]) if "model" in table else ())
    thresholds = set(table["threshold"].astype(float)) if "threshold" in table else set()
    return ModelAid(
        name=(named[0] if named else "model")[:100],
        simulated_training_data=simulated
        or any(bool(record["simulated_training_data"]) for record in records if record),
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
        probabilities=dict(
            zip(table["scan_id"], table["probability"].astype(float).round(6), strict=True)
        ),
        heatmaps=all(heatmap_in(path, scan) for scan in wanted),
    )


def _table(path: Path) -> pd.DataFrame:
    table = read_table(path, "The table of the model's results")
    missing = [name for name in ("scan_id", "probability") if name not in table]
    if missing:
        raise TableError(
            f"The model's results have no column {' and '.join(missing)}",
            _COLUMNS,
            "Check the file",
        )
    return table


def _faults(table: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    import pandas as pd

    faults = []
    lacking = len(set(wanted) - set(table["scan_id"]))
    if lacking:
        faults.append(f"{lacking} of {len(wanted)} case(s) have none")
    again = int(table["scan_id"].duplicated().sum())
    if again:
        faults.append(f"{again} case(s) have several")
    values = pd.to_numeric(table["probability"], errors="coerce")
    bad = int((~values.between(0, 1)).sum())
    if bad:
        faults.append(f"{bad} probabilit{'y is' if bad == 1 else 'ies are'} not from 0 to 1")
    if "threshold" in table and pd.to_numeric(table["threshold"], errors="coerce").isna().any():
        faults.append("a threshold is no number")
    return faults


def _record(path: Path) -> dict[str, dict[str, str]]:
    """Read a ``prediction.json``; {} where there is none or it is not one."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if {"model", "simulated_training_data"} <= record.keys() else {}
    except (OSError, ValueError, AttributeError):
        return {}
