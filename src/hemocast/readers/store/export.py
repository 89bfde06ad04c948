"""Readings as tables: one row per reading for the analysis, and the whole log for the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hemocast.dataset.layout import replacing
from hemocast.readers.store.answers import Kept, Store, last_finals

COLUMNS = [
    "reader_id",
    "participant_id",
    "scan_id",
    "probability",
    "decision",
    "confidence",
    "seconds",
    "arm",
    "order",
    "repeat",
    "read_at",
]
LOG_COLUMNS = ["row", *COLUMNS, "final", "regions", "answer_id"]


def export_readings(store: Store, folder: Path, *, simulated: bool = False) -> tuple[int, int]:
    """Write ``readings.csv`` and ``readings_log.csv``.

    In ``readings.csv`` stands the last submitted answer of every presentation; in the log every
    answer that was ever kept, drafts included, in the order they came.

    Parameters
    ----------
    store : Store
    folder : Path
        Made if missing.
    simulated : bool
        The scans show no patients: a column ``simulated`` of ``readings.csv`` then says so.

    Returns
    -------
    tuple of int
        Rows of the two files.
    """
    answers = store.answers()
    finals = last_finals(answers)
    readings = [_row(finals[place]) for place in sorted(finals)]
    log = [
        _row(kept)
        | {
            "row": kept.row,
            "final": int(kept.answer.final),
            "regions": kept.answer.regions,
            "answer_id": kept.answer.answer_id,
        }
        for kept in answers
    ]
    folder.mkdir(parents=True, exist_ok=True)
    more = {"simulated": 1} if simulated else {}
    _write(folder / "readings.csv", [row | more for row in readings], [*COLUMNS, *more])
    _write(folder / "readings_log.csv", log, LOG_COLUMNS)
    return len(readings), len(log)


def _row(kept: Kept) -> dict[str, object]:
    answer = kept.answer
    return {
        "reader_id": kept.reader_id,
        "participant_id": kept.participant_id,
        "scan_id": kept.scan_id,
        "probability": answer.probability,
        "decision": answer.decision,
        "confidence": answer.confidence,
        "seconds": round(answer.seconds, 1),
        "arm": kept.arm,
        "order": kept.order,
        "repeat": kept.repeat,
        "read_at": kept.read_at.isoformat(timespec="seconds"),
    }


def _write(path: Path, rows: Iterable[Mapping[str, object]], columns: list[str]) -> None:
    import csv

    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
