"""Readings as tables: one row per reading for the analysis, and the whole log for the record."""

from __future__ import annotations

from dataclasses import asdict

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
    finals = sorted(last_finals(answers).items())
    more = {"simulated": 1} if simulated else {}
    output.check([READINGS, LOG])
    output.write_table(READINGS, [_row(last) | more for _, last in finals], [*COLUMNS, *more])
    output.write_table(LOG, [_row(stored) for stored in answers], LOG_COLUMNS)
    return len(finals), len(answers)


def _row(stored: StoredAnswer) -> dict[str, object]:
    return {
        **asdict(stored.reading),
        **asdict(stored.answer),
        "row": stored.row,
        "final": int(stored.answer.final),
        "seconds": round(stored.answer.seconds, 1),
        "read_at": stored.read_at.isoformat(timespec="seconds"),
    }
