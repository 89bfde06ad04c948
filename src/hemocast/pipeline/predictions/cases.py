"""What is to be predicted: paths, all scans of datasets, rows of tables of paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.dataset.layout import nifti_of
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.tables.columns import Column, TableSchema, parse_table, refuse
from hemocast.tables import called, read_table

# 16 hexadecimal digits alone are what version 0.1 called a scan, and would get another name; `all`
# is the row of all scans of a patient.
_ID = r"(?![0-9a-f]{16}$|all$)[0-9A-Za-z][0-9A-Za-z_-]{0,99}"
_WORDS = (
    "up to 100 letters, digits, _ and -, the first a letter or digit, not 16 hexadecimal digits "
    "alone, nor all; nothing that names a patient"
)
_PATHS = TableSchema(
    "paths.csv",
    (
        Column("path", required=True, blank=False, described="the path of a scan"),
        Column("participant_id", pattern=_ID, described=_WORDS),
        Column("scan_id", pattern=_ID, described=_WORDS),
    ),
    ("scan_id",),
)


@dataclass(frozen=True, repr=False)
class Case:
    """One path, which may name a patient and is not shown.

    Parameters
    ----------
    path : Path
        A DICOM folder or file, a zip, a NIfTI or a folder of such.
    participant_id, scan_id : str or None
        Names that it has already.
    number : int
        Counted from 1: which of the paths given, where a dataset stands for all its scans and a
        table for all its rows.
    """

    path: Path
    participant_id: str | None = None
    scan_id: str | None = None
    number: int = 0


def cases_of(sources: Sequence[Path]) -> tuple[Case, ...]:
    """List what is to be predicted; reads no scan.

    Parameters
    ----------
    sources : sequence of Path
        Scans; dataset folders of Hemocast's; tables (``.csv``, ``.tsv``, ``.xlsx``) with a column
        ``path`` (relative to the table's folder) and, where known, ``participant_id`` and
        ``scan_id``.

    Raises
    ------
    TableError
        A table has faults.
    """
    found = [case for source in sources for case in _cases(Path(source))]
    return tuple(replace(case, number=number) for number, case in enumerate(found, start=1))


def _cases(source: Path) -> Iterator[Case]:
    if _is_table(source):
        yield from _rows(source)
    elif scans := _scans_of_dataset(source):
        for path in scans:
            scan = ScanId.of_file(path.name)
            yield Case(path, scan.participant_id, str(scan)) if scan else Case(path)
    else:
        yield Case(source)


def _is_table(source: Path) -> bool:
    with suppress(OSError):
        return source.suffix.lower() in (".csv", ".tsv", ".xlsx") and source.is_file()
    return False


def _scans_of_dataset(source: Path) -> list[Path]:
    """Every scan of a dataset of ours; none of what is something else, or may not be looked at."""
    with suppress(OSError):
        if source.is_dir() and Dataset(source).is_ours():
            return [nifti_of(path) for path in Dataset(source).sidecars()]
    return []


def _rows(table: Path) -> Iterator[Case]:
    parsed = parse_table(replace(_PATHS, name=called(table)), read_table(table))
    refuse(parsed.faults)
    columns = ["path", "participant_id", "scan_id"]
    for path, *names in parsed.table[columns].itertuples(index=False, name=None):
        person, scan = (name if isinstance(name, str) else None for name in names)
        yield Case(table.parent / path, person, scan)
