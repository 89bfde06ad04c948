"""The model's results for the aided arm, from ``hemocast predict`` or from any model's table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.errors import TableError
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.readers.study.design import ModelAid
from hemocast.tables import read_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ModelResults:
    """What a model said of scans.

    Parameters
    ----------
    folder : Path or None
        Of ``hemocast predict``, with heatmaps; None: a table alone.
    name : str
        The model's.
    simulated_training_data : bool
        Whether any result says so.
    threshold : float or None
        None where there is none, or several.
    probabilities : dict
        scan_id -> probability of HT.
    """

    folder: Path | None
    name: str
    simulated_training_data: bool
    threshold: float | None
    probabilities: dict[str, float]

    def heatmap(self, scan_id: str) -> Path | None:
        """Find a scan's heatmap, if there is one."""
        path = self.folder / scan_id / "heatmap.nii.gz" if self.folder else None
        return path if path and path.is_file() else None

    def aid(self, scan_ids: Sequence[str], *, simulated: bool) -> ModelAid:
        """Take the results of a study's cases.

        Parameters
        ----------
        scan_ids : sequence of str
            The cases.
        simulated : bool
            Whether the dataset is; so then is what was predicted from it.

        Raises
        ------
        TableError
            A case has no result.
        """
        lacking = sum(scan not in self.probabilities for scan in scan_ids)
        if lacking:
            raise _unfit([f"{lacking} of {len(scan_ids)} case(s) have none"])
        return ModelAid(
            name=self.name,
            simulated_training_data=simulated or self.simulated_training_data,
            threshold=self.threshold,
            probabilities={scan: self.probabilities[scan] for scan in scan_ids},
            heatmaps=all(self.heatmap(scan) for scan in scan_ids),
        )


def read_results(path: Path, scan_ids: Sequence[str]) -> ModelResults:
    """Read a model's results of some scans.

    Parameters
    ----------
    path : Path
        The output folder of ``hemocast predict``, or a ``predictions.csv`` alone.
    scan_ids : sequence of str
        Other rows are passed over, and scans that have none: they may not be shown in the end.

    Raises
    ------
    NothingThere
        There is no such table.
    TableError
        A column is missing, a probability is no fraction, a scan has several results, or heatmaps
        are an earlier version's, in another unit, or do not say in which.
    """
    folder = path if path.is_dir() else None
    table_path = folder / "predictions.csv" if folder else path
    table = read_table(table_path, "The table of the model's results")
    missing = [f"no column {name}" for name in ("scan_id", "probability") if name not in table]
    if missing:
        raise _unfit(missing)
    done = table["status"] == "done" if "status" in table else True
    table = table[table["scan_id"].isin(scan_ids) & done]
    faults = _faults(table)
    if faults:
        raise _unfit(faults)
    records = {scan: _record(folder, scan) for scan in table["scan_id"]} if folder else {}
    told = [record for record in records.values() if record is not None]
    models = {name for name, _, _ in told} or set(table.get("model", ()))
    thresholds = set(table["threshold"].astype(float)) if "threshold" in table else set()
    values = table["probability"].astype(float).round(6)
    results = ModelResults(
        folder=folder,
        name=min(models, default="model")[:100],
        simulated_training_data=any(simulated for _, simulated, _ in told),
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
        probabilities=dict(zip(table["scan_id"], values, strict=True)),
    )
    mapped = [record for scan, record in records.items() if results.heatmap(scan)]
    if any(record is None or record[2] != HEATMAP_UNIT for record in mapped):
        raise _unfit([f"heatmaps not said to be in {HEATMAP_UNIT}, as earlier versions made"])
    return results


def _faults(table: pd.DataFrame) -> list[str]:
    import pandas as pd

    bad = {"scan_id": table["scan_id"].duplicated()}
    for name in sorted({"probability", "threshold"} & set(table)):
        bad[name] = ~pd.to_numeric(table[name], errors="coerce").between(0, 1)
    return [f"{rows.sum()} bad cell(s) in {name}" for name, rows in bad.items() if rows.any()]


def _unfit(faults: list[str]) -> TableError:
    return TableError(
        f"The model's results do not fit: {'; '.join(faults)}",
        "columns scan_id and probability in [0, 1], one row for every case, of one model",
        "Predict the study's scans with one model and name that folder",
    )


def _record(folder: Path, scan_id: str) -> tuple[str, bool, str] | None:
    """Read the model's name, whether it learned from simulated data, and the heatmap's unit."""
    try:
        record = json.loads((folder / scan_id / "prediction.json").read_text(encoding="utf-8"))
        name, simulated = str(record["model"]["name"]), bool(record["simulated_training_data"])
        return name, simulated, str(record.get("heatmap_unit", "logit"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
