"""A table that grows by a row a scan and is whole at any moment, with what users wrote kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hemocast import files
from hemocast.errors import OutputExists
from hemocast.tables import MISSING

Row = dict[str, str]


@dataclass(frozen=True)
class Form:
    """What a table holds.

    Parameters
    ----------
    columns : tuple of str
        Ours; others are the users'. The last one is filled in every row.
    key : tuple of str
        Columns that say which scan a row is of; ``n/a`` in the last of them: of none.
    private : bool
        For its owner only.
    shared : tuple of str or None
        A name in the last of `key` that several rows have, and the column that tells these apart.
    quoted : bool
        Cells stand in quotation marks; else the last of ours has one character. By either a row
        that a kill cut off is told from a whole one.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    private: bool = False
    quoted: bool = False
    shared: tuple[str, str] | None = None

    def of(self, row: Row) -> tuple[str, ...] | None:
        """Which scan a row is of; None where of none."""
        found = tuple(row.get(name, "") for name in self.key)
        if self.shared and found[-1] == self.shared[0]:
            found = (row.get(self.shared[1], ""), *found)
        return None if found[-1] in ("", MISSING) else found


class GrowingTable:
    """A CSV to which every scan adds a row, in a time that does not grow with the rows before.

    A row is appended and on the disk before the next scan begins. The file is written anew, whole
    or not at all, only when the first row of a run comes, when a row that is there says something
    else now, and in the end.

    Parameters
    ----------
    path : Path
        The file; need not be there.
    form : Form
        What it holds.

    Raises
    ------
    OutputExists
        It was changed so that its rows cannot be told apart.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form = path, form
        self.earlier, self.found = _read(path, form)
        self._columns = (
            *self.found, *(name for name in form.columns if name not in self.found)
        )  # fmt: skip
        self._own = [name for name in self._columns if name not in form.columns]
        self._known = {scan: row for row in self.earlier if (scan := form.of(row)) is not None}
        self._new: list[Row] = []
        self._now: dict[tuple[str, ...] | None, Row] = {}
        self._stale = False

    def earlier_of(self, *scan: str) -> Row | None:
        """Row that an earlier run wrote of a scan."""
        return self._known.get(scan)

    def add(self, row: Row) -> None:
        """Add a scan's row; users' cells of its earlier row go with it."""
        scan = self._form.of(row)
        old = self._known.get(scan) if scan else None
        row = {name: (old or {}).get(name, "") for name in self._own} | row
        self._new.append(row)
        self._now[scan] = row
        if len(self._new) == 1 or (old and _says(old) != _says(row)):
            self.write()
        elif old:
            self._stale = True
        else:
            line = self._text([row])
            files.append_line(self._path, line[:-1], private=self._form.private)

    def put(self, row: Row) -> None:
        """Add a row, or say in it what holds now, one of this run too."""
        scan = self._form.of(row)
        if scan in self._now:
            old = self._now[scan]
            if _says(old) != _says(old | row):
                old |= row
                self.write()
            return
        known = self._known.get(scan) if scan else None
        if known is None or _says(known) != _says(known | row):
            self.add(row)

    def close(self) -> None:
        """Bring rows that were there before into the order and under the numbers of this run."""
        if self._stale:
            self.write()

    def write(self) -> None:
        """Write all: rows of earlier runs and other scans, then this run's.

        An earlier row of no scan goes, unless a user wrote in it.
        """
        kept = [row for row in self.earlier if self._stays(row)]
        header = dict(zip(self._columns, self._columns, strict=True))
        text = self._text([header, *kept, *self._new])
        files.write_text(self._path, text, private=self._form.private)
        self._stale = False

    def _text(self, rows: Iterable[Row]) -> str:
        """Give rows as text; users' cells go out as they came in, also formulas."""
        text = io.StringIO()
        dialect = csv.unix_dialect if self._form.quoted else csv.excel  # the first quotes all
        writer = csv.writer(text, dialect, lineterminator="\n")
        writer.writerows([row.get(name, "") for name in self._columns] for row in rows)
        return text.getvalue()

    def _stays(self, row: Row) -> bool:
        scan = self._form.of(row)
        return any(row.get(name) for name in self._own) if scan is None else scan not in self._now


def _says(row: Row) -> Row:
    """All but which of a run's cases it is, which differs from run to run."""
    return {name: value for name, value in row.items() if name != "case" and value}


def _read(path: Path, form: Form) -> tuple[list[Row], tuple[str, ...]]:
    if not path.exists():
        return [], ()
    rows: list[Row] = []
    columns: tuple[str, ...] = ()
    with suppress(OSError, UnicodeDecodeError, csv.Error):
        text = _whole(path.read_bytes(), form)
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        rows, columns = list(reader), tuple(reader.fieldnames or ())
    if not {*form.key} <= {*columns} or any(None in row for row in rows):
        raise OutputExists(
            f"{path.name} in the output folder was changed, so that its rows cannot be kept",
            f"a comma-separated table with {' and '.join(form.key)} among its columns and no row "
            "longer than its header",
            "Move it, or name another folder with --out",
        )
    return rows, columns


def _whole(content: bytes, form: Form) -> str:
    """Give the text without a last row that a kill cut off; that of a user's editor stays."""
    before, _, last = content.rpartition(b"\n")
    if last and before and before.count(b'"') % 2 == 0 and not _is_whole(before, last, form):
        content = before + b"\n"
    return content.decode("utf-8-sig")


def _is_whole(before: bytes, last: bytes, form: Form) -> bool:
    """Tell by the number of its cells, the quotation marks, and our last cell, never empty."""
    header, _, _ = before.partition(b"\n")
    try:
        named, row = csv.reader([header.decode("utf-8-sig"), last.decode("utf-8")], strict=True)
    except (csv.Error, UnicodeDecodeError, ValueError):
        return False
    cells = dict(zip(named, row, strict=False))
    return len(row) >= len(named) and cells.get(form.columns[-1], "-") != ""
