"""Readings as tables: one row per reading for the analysis, and the whole log for the record."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hemocast.files import Output
from hemocast.readers.store.answers import Store, StoredAnswer, last_finals

KIND = "readings of a reader study"
"""Of a folder made by an export; see `files.claim`."""

READINGS, LOG = "readings.csv", "readings_log.csv"
_WHO, _WHAT = ["reader_id", "participant_id", "scan_id"], ["probability", "decision", "confidence"]
COLUMNS = [*_WHO, *_WHAT, "seconds", "arm", "order", "repeat", "read_at"]
LOG_COLUMNS = ["row", *COLUMNS, "final", "regions", "answer_id"]


def export_readings(store: Store, output: Output, *, simulated: bool = False) -> tuple[int, int]:
    """Write ``readings.csv`` and ``readings_log.csv``.

    In ``readings.csv`` stands the last submitted answer of every reading; in the log every
    answer that was ever kept, drafts included, in the order they came.

    Parameters
    ----------
    store : Store
    output : Output
        The folder. An earlier export there is replaced.
    simulated : bool
        The scans show no patients: a column ``simulated`` of ``readings.csv`` then says so.

    Returns
    -------
    tuple of int
        Rows of the two files.

    Raises
    ------
    OutputExists
        A file of one of the two names is not an export, or was changed since; both stay.
    """
    answers = store.answers()
    tables = _tables(answers, simulated=simulated)
    if _is_of_version_0_1(output.folder, answers, simulated=simulated):
        for name in tables:
            (output.folder / name).unlink()
    output.check(tables)
    for name, table in tables.items():
        output.write_table(name, table.rows, table.columns)
    return len(tables[READINGS].rows), len(answers)


@dataclass(frozen=True)
class _Table:
    rows: list[dict[str, object]]
    columns: list[str]


def _tables(answers: Sequence[StoredAnswer], *, simulated: bool) -> dict[str, _Table]:
    finals = sorted(last_finals(answers).items())
    more = {"simulated": 1} if simulated else {}
    return {
        READINGS: _Table([_row(last) | more for _, last in finals], [*COLUMNS, *more]),
        LOG: _Table([_row(stored) for stored in answers], LOG_COLUMNS),
    }


def _is_of_version_0_1(folder: Path, answers: Sequence[StoredAnswer], *, simulated: bool) -> bool:
    """Tell an unchanged export of version 0.1, which kept no record, by what it must hold."""
    try:
        n = (folder / LOG).read_bytes().count(b"\r\n") - 1
        for name, table in _tables(answers[: max(n, 0)], simulated=simulated).items():
            text = io.StringIO()
            writer = csv.DictWriter(text, table.columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(table.rows)
            if (folder / name).read_bytes() != text.getvalue().encode():
                return False
    except OSError:
        return False
    return True


def _row(stored: StoredAnswer) -> dict[str, object]:
    return {
        **asdict(stored.reading),
        **asdict(stored.answer),
        "row": stored.row,
        "final": int(stored.answer.final),
        "seconds": round(stored.answer.seconds, 1),
        "read_at": stored.read_at.isoformat(timespec="seconds"),
    }
