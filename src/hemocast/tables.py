"""The only reader of tables, ours or anyone's: CSV or TSV, with every fault of their form named.

What the cells must hold is the business of whoever asks. Here a file becomes a table of text, or a
refusal that says which rows cannot be read. No cell, and no name of a file, is ever repeated in a
message: either may identify a patient.
"""

from __future__ import annotations

import codecs
import csv
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hemocast.errors import NothingThere, TableError

if TYPE_CHECKING:
    import pandas as pd

MISSING = "n/a"
"""How a dataset's table says that a value is not known, as BIDS asks."""

PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\ufffe\uffff]{1,200}"
PRINTABLE_WORDS = "text of 1 to 200 printable characters"
_ROWS_NAMED = 20
_MOST_COLUMNS = 500
_LONGEST_HEADER = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class _Form:
    """How a file is written: its delimiter and the names in its first row."""

    delimiter: str
    names: tuple[str, ...]


def read_table(path: Path, name: str, *, may_be_empty: bool = False) -> pd.DataFrame:
    """Read a table, all cells as text; a missing cell is "".

    Parameters
    ----------
    path : Path
        UTF-8 (with or without a byte-order mark), a header row, commas or tabs between columns.
    name : str
        What the table is called in messages, such as ``predictions.csv``.
    may_be_empty : bool
        A header alone is a table too.

    Returns
    -------
    DataFrame of str
        Its index counts from 0; row i is row i + 2 of a spreadsheet. Empty rows at the end are
        dropped.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        An empty file, another encoding or delimiter, a column named twice, rows with more cells
        than columns, or no row where there must be one.
    """
    if not path.is_file():
        raise NothingThere(f"There is no file where {name} should be", "a file", "Check the path")
    form = _form(path, name)
    table = _read(path, form, name).fillna("")
    filled = (table != "").any(axis=1).to_numpy()
    last = int(filled.nonzero()[0][-1]) + 1 if filled.any() else 0
    if not last and not may_be_empty:
        _refuse(name, "has a header and no rows", "at least one row", "Check what wrote the table")
    return table.iloc[:last]


def _form(path: Path, name: str) -> _Form:
    """Tell delimiter and columns from the first row."""
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        if start.startswith(_UTF16) or b"\0" in start:
            _refuse_encoding(name)
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(_LONGEST_HEADER)
    except UnicodeDecodeError:
        _refuse_encoding(name)
    except OSError as error:
        raise TableError(
            f"{name} could not be read ({type(error).__name__})", "a readable file", "Check it"
        ) from error
    if not header.strip():
        _refuse(name, "is empty", "a header row and at least one row", "Check what wrote it")
    counts = {mark: header.count(mark) for mark in (",", "\t", ";")}
    if counts[";"] and not counts[","] and not counts["\t"]:
        _refuse(
            name,
            "has semicolons between its columns, as some spreadsheets write where the comma is "
            "the decimal mark",
            "commas or tabs between columns, and points in decimal numbers",
            "Save it as 'CSV UTF-8 (comma delimited)', with decimal points",
        )
    # The only column of a TSV has no tab behind it.
    tabs = counts["\t"] > counts[","] or (path.suffix == ".tsv" and not counts[","])
    delimiter = "\t" if tabs else ","
    return _Form(delimiter, _names(header, delimiter, name))


def _names(header: str, delimiter: str, table: str) -> tuple[str, ...]:
    try:
        names = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        names = []
    names = [text.strip() for text in names]
    if not names or len(names) > _MOST_COLUMNS:
        _refuse(
            table,
            f"has a header row of {len(names)} readable names",
            f"a header row of at most {_MOST_COLUMNS} names",
            "Check the first row",
        )
    twice = sum(names.count(text) > 1 for text in set(names))
    if twice:
        _refuse(
            table, f"names {twice} column(s) twice", "every column once", "Rename or remove them"
        )
    return tuple(names)


def _read(path: Path, form: _Form, name: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Told to expect an index nowhere, pandas warns and drops what is too much in a row.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=form.delimiter,
                header=None,
                names=list(form.names),
                index_col=False,
                skiprows=1,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                encoding="utf-8-sig",
            )
    except pd.errors.EmptyDataError:
        return pd.DataFrame({text: [] for text in form.names}, dtype=str)
    except UnicodeDecodeError:
        _refuse_encoding(name)
    except (ValueError, OverflowError, pd.errors.ParserWarning, OSError):
        _refuse_rows(path, form, name)


def _refuse_rows(path: Path, form: _Form, name: str) -> NoReturn:
    """Find, the slow way, all rows that have more cells than there are columns."""
    faults: list[str] = []
    width = len(form.names)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter=form.delimiter), start=1):
                if len(row) > width:
                    faults.append(f"{number} ({len(row)})")
    except UnicodeDecodeError:
        _refuse_encoding(name)
    except csv.Error:
        faults.append("one with a stray quotation mark or a cell without end")
    named = ", ".join(faults[:_ROWS_NAMED]) or "one with a quotation mark that is never closed"
    more = f" and {len(faults) - _ROWS_NAMED} more" if len(faults) > _ROWS_NAMED else ""
    _refuse(
        name,
        f"has rows that do not fit its {width} columns; row (and its cells): {named}{more}",
        "as many cells in every row as the header has names, with quotation marks around cells "
        "that hold the delimiter",
        "Correct the rows named and run again",
    )


def _refuse_encoding(name: str) -> NoReturn:
    _refuse(name, "is not UTF-8 text", "UTF-8 text", "Save it as 'CSV UTF-8'")


def _refuse(name: str, seen: str, expected: str, action: str) -> NoReturn:
    raise TableError(f"{name} {seen}", expected, action)
