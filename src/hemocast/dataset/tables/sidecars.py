"""The dataset's tables: the labels that a user brings, and what is made from the sidecars."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hemocast.dataset.layout import Dataset, nifti_of, write_json, write_table
from hemocast.errors import TableError
from hemocast.tables import MISSING, read_table
from hemocast.version import VERSION

SCAN_COLUMNS = [
    "participant_id",
    "session",
    "scan_id",
    "filename",
    "acq_time",
    "hours_from_first",
    "manufacturer",
    "model",
    "kernel",
    "slices",
    "slice_mm",
    "pixel_mm",
    "blood",
    "corrected",
    "doubts",
]


@dataclass(frozen=True)
class Refused:
    """A study, or a whole source, that did not enter the dataset.

    Parameters
    ----------
    participant_id : str
        Pseudonym; ``n/a`` for a whole source.
    code, message : str
        Of the refusal.
    study : str
        Pseudonym of the study; ``n/a`` for a whole source.
    """

    participant_id: str
    code: str
    message: str
    study: str = MISSING


def read_labels(path: Path) -> dict[str, int]:
    """Read a CSV of ``patient_id, label``.

    Raises
    ------
    TableError
        The file cannot be read, a column is missing, a label is neither 0 nor 1, or a patient comes
        twice. All faults at once, by row; identifiers are not repeated in the message.
    """
    expected = "columns patient_id and label, one row per patient, label 1 (HT) or 0 (no HT)"
    table = read_table(path, "The table of labels")
    missing = [name for name in ("patient_id", "label") if name not in table.columns]
    faults = [f"no column {name}" for name in missing]
    if not missing:
        patients = table["patient_id"].str.strip()
        for row, (label, again) in enumerate(
            zip(table["label"].str.strip(), patients.duplicated(), strict=True), start=2
        ):
            if label not in {"0", "1"}:
                faults.append(f"row {row}: label {label[:20]!r}")
            if again:
                faults.append(f"row {row}: a patient_id that came before")
        if (patients == "").any():
            faults.append("an empty patient_id")
    if faults:
        raise TableError(
            f"The labels have {len(faults)} fault(s): {'; '.join(faults[:20])}",
            expected,
            "Correct what is named and run again",
        )
    return dict(zip(patients, table["label"].str.strip().astype(int), strict=True))


def read_sidecar(path: Path) -> dict[str, Any]:
    """Read a scan's sidecar."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_tables(
    dataset: Dataset, labels: Mapping[str, int], sidecars: Sequence[tuple[Path, dict[str, Any]]]
) -> list[str]:
    """Make all tables anew from the sidecars and their paths; return the participants."""
    by_participant: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, content in sidecars:
        by_participant[content["participant_id"]].append(content)
    first = {
        participant: min((c["acq_time"] for c in contents if c["acq_time"]), default=None)
        for participant, contents in by_participant.items()
    }
    scans = [_scan_row(dataset, path, c, first[c["participant_id"]]) for path, c in sidecars]
    people = [
        {"participant_id": participant, "age": contents[0]["age"], "sex": contents[0]["sex"]}
        for participant, contents in by_participant.items()
    ]
    known = _known_labels(dataset) | dict(labels)
    label_rows = [{"participant_id": name, "label": known.get(name)} for name in by_participant]
    write_table(dataset.root / "scans.tsv", scans, SCAN_COLUMNS)
    write_table(dataset.root / "participants.tsv", people, ["participant_id", "age", "sex"])
    write_table(dataset.root / "labels.tsv", label_rows, ["participant_id", "label"])
    simulated = any(content["simulated"] for _, content in sidecars)
    write_json(dataset.root / "dataset_description.json", _description(simulated))
    return list(by_participant)


def _known_labels(dataset: Dataset) -> dict[str, int]:
    return dataset.labels() if (dataset.root / "labels.tsv").is_file() else {}


def _scan_row(
    dataset: Dataset, path: Path, content: Mapping[str, Any], first: str | None
) -> dict[str, object]:
    time = content["acq_time"]
    hours: float | None = None
    if time and first:
        seconds = (datetime.fromisoformat(time) - datetime.fromisoformat(first)).total_seconds()
        hours = round(seconds / 3600, 2)
    facts = content["facts"]
    blood = content.get("signs", {}).get("blood")  # datasets of older versions lack it
    return {
        "participant_id": content["participant_id"],
        "session": content["session"],
        "scan_id": f"{content['participant_id']}_{content['session']}",
        "filename": nifti_of(path).relative_to(dataset.root).as_posix(),
        "acq_time": time,
        "hours_from_first": hours,
        "manufacturer": facts.get("manufacturer"),
        "model": facts.get("model"),
        "kernel": facts.get("kernel"),
        "slices": content["shape"][0],
        "slice_mm": content["spacing_mm"][0],
        "pixel_mm": content["spacing_mm"][2],
        "blood": None if blood is None else int(blood),
        "corrected": "; ".join(content["corrected"]) or MISSING,
        "doubts": "; ".join(content["doubts"]) or MISSING,
    }


def _description(simulated: bool) -> dict[str, object]:
    name = "SIMULATED head CT, not patients" if simulated else "Head CT"
    return {
        "Name": name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "Simulated": simulated,
        "GeneratedBy": [{"Name": "hemocast", "Version": VERSION}],
    }
