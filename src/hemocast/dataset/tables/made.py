"""The tables that are made from the sidecars, completed by what users wrote in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from hemocast.dataset.layout import Dataset, nifti_of
from hemocast.dataset.sidecar import Sidecar
from hemocast.dataset.tables.update import read_kept, update_table
from hemocast.tables import MISSING

PARTICIPANT_COLUMNS = ("participant_id", "age", "sex")
LABEL_COLUMNS = ("participant_id", "label")
SCAN_COLUMNS = (
    "participant_id", "session", "scan_id", "filename", "acq_time", "hours_from_first",
    "manufacturer", "model", "kernel", "slices", "slice_mm", "pixel_mm", "blood", "corrected",
    "doubts",
)  # fmt: skip
_KEYS = {"participants": "participant_id", "labels": "participant_id", "scans": "scan_id"}


def check_tables(dataset: Dataset) -> None:
    """Refuse tables that `write_tables` could not complete.

    Raises
    ------
    TableError
        As `hemocast.dataset.tables.update.update_table`.
    """
    for name, key in _KEYS.items():
        read_kept(dataset, name, key)


def write_tables(
    dataset: Dataset, labels: Mapping[str, int], sidecars: Sequence[tuple[Path, Sidecar]]
) -> int:
    """Bring ``participants.tsv``, ``scans.tsv`` and ``labels.tsv`` up to date.

    Parameters
    ----------
    dataset : Dataset
        Whose.
    labels : mapping
        participant_id -> 1 or 0, as given now: they replace what the table says of these patients.
    sidecars : sequence of (Path, Sidecar)
        Of all scans.

    Returns
    -------
    int
        Participants with a scan and without a label.
    """
    people: dict[str, dict[str, object]] = {}
    for _, scan in sidecars:
        name = scan.participant_id
        people.setdefault(name, {"participant_id": name, "age": scan.age, "sex": scan.sex})
    scans = _with_hours(dataset, [_scan_row(dataset, *scan) for scan in sidecars])
    rows = [{"participant_id": name, "label": labels.get(name)} for name in people]
    person = _KEYS["labels"]
    update_table(dataset, "participants", [*people.values()], PARTICIPANT_COLUMNS, key=person)
    update_table(dataset, "scans", scans, SCAN_COLUMNS, key="scan_id", anew={"hours_from_first"})
    written = update_table(dataset, "labels", rows, LABEL_COLUMNS, key=person, anew={"label"})
    return sum(
        row["participant_id"] in people and row.get("label") in (None, "", MISSING)
        for row in written
    )


def _scan_row(dataset: Dataset, path: Path, scan: Sidecar) -> dict[str, object]:
    blood = scan.signs.blood
    return {
        "scan_id": str(scan.scan),
        "participant_id": scan.participant_id,
        "session": scan.session,
        "filename": nifti_of(path).relative_to(dataset.root).as_posix(),
        "acq_time": scan.acq_time and scan.acq_time.isoformat(timespec="seconds"),
        "manufacturer": scan.facts.get("manufacturer"),
        "model": scan.facts.get("model"),
        "kernel": scan.facts.get("kernel"),
        "slices": scan.shape and scan.shape[0],
        "slice_mm": scan.spacing_mm and scan.spacing_mm[0],
        "pixel_mm": scan.spacing_mm and scan.spacing_mm[2],
        "blood": None if blood is None else int(blood),
        "corrected": "; ".join(scan.corrected) or None,
        "doubts": "; ".join(scan.doubts) or None,
    }


def _with_hours(dataset: Dataset, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Add the hours since each participant's first scan, by times that users may have corrected."""
    before, _ = read_kept(dataset, "scans", "scan_id")
    times: dict[object, datetime] = {}
    first: dict[object, datetime] = {}
    for row in rows:
        told = before.get(str(row["scan_id"]), {}).get("acq_time")
        with suppress(TypeError, ValueError):
            text = row["acq_time"] if told in (None, "", MISSING) else told
            time = datetime.fromisoformat(text).replace(tzinfo=None)  # type: ignore[arg-type]
            times[row["scan_id"]] = time
            person = row["participant_id"]
            first[person] = min(first.get(person, time), time)
    for row in rows:
        if (at := times.get(row["scan_id"])) is not None:
            hours = (at - first[row["participant_id"]]).total_seconds() / 3600
            row["hours_from_first"] = round(hours, 2)
    return rows
