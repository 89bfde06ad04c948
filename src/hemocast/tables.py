"""The only reader of tables, ours or anyone's: CSV, TSV or Excel, each fault of their form named.

What the cells must hold is the business of whoever asks. Here a file becomes a table of text, or a
refusal that says which rows cannot be read. No cell is ever repeated in a message: it may identify
a patient. A table that a user names is called as its file is.
"""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hemocast.errors import NothingThere, TableError
from hemocast.workbook import OLD_START, START, read_rows

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


_CHINESE = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]*")
_WITH_COMMAS = r"[+-]?\d+(?:,\d+)? ?%?"
_MAYBE_THOUSANDS = r"[+-]?[1-9]\d{0,2},\d{3}"


class ReadAs(UserWarning):
    """A table was written in another way than ours, and this is what it was taken to say."""


@dataclass(frozen=True)
class _Form:
    """How a file is written: its encoding, its delimiter and the names in its first row."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]


def called(path: Path) -> str:
    """Give the name by which messages call a user's table: the file's own, on one line."""
    return shown(path.name)


def shown(name: str) -> str:
    """Give a name from outside as messages show it: on one line, without control characters."""
    return re.sub(r"[^ -~\u00a1-\ud7ff\ue000-\ufffd]", "?", name)[:80]


def read_table(path: Path, name: str = "", *, may_be_empty: bool = False) -> pd.DataFrame:
    """Read a table, all cells as text; a missing cell is "".

    Parameters
    ----------
    path : Path
        A header row, then rows: UTF-8 text (with or without a byte-order mark) with commas or tabs
        between columns; an Excel workbook (``.xlsx``) of which one sheet is filled. Also read, each
        with a warning `ReadAs`, where nothing else can be meant: semicolons between columns, with
        decimal commas; UTF-16 with its mark; GBK (GB 18030).
    name : str, optional
        What the table is called in messages; the file's own name where left out.
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
    name = name or called(path)
    if not path.is_file():
        raise NothingThere(f"There is no file where {name} should be", "a file", "Check the path")
    table = _table(path, name).fillna("")
    filled = (table != "").any(axis=1).to_numpy()
    last = int(filled.nonzero()[0][-1]) + 1 if filled.any() else 0
    if not last and not may_be_empty:
        _refuse(name, "has a header and no rows", "at least one row", "Check what wrote the table")
    return table.iloc[:last]


def tell(note: str) -> None:
    """Warn that a table was taken to say something that it says in another way."""
    warnings.warn(note, ReadAs, stacklevel=3)


def _table(path: Path, name: str) -> pd.DataFrame:
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
    except OSError as error:
        raise TableError(
            f"{name} could not be read ({type(error).__name__})", "a readable file", "Check it"
        ) from error
    if start == START:
        return _of_workbook(path, name)
    if start == OLD_START:
        _refuse(
            name, "is a workbook of Excel 97 to 2003", "an .xlsx or 'CSV UTF-8'", "Save it as one"
        )
    if not start.startswith(_UTF16) and b"\0" in start:
        _refuse_encoding(name)
    encoding = "utf-16" if start.startswith(_UTF16) else "utf-8-sig"
    try:
        return _of_text(path, name, encoding)
    except UnicodeError:
        return _of_chinese(path, name)


def _of_text(path: Path, name: str, encoding: str) -> pd.DataFrame:
    form = _form(path, name, encoding)
    table = _read(path, form, name)
    return table if form.delimiter == "," else _with_points(table, name)


def _of_chinese(path: Path, name: str) -> pd.DataFrame:
    _check_chinese(path, name)
    tell(f"{name} was read as Chinese text in GBK")
    return _of_text(path, name, "gb18030")


def _of_workbook(path: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    rows = read_rows(path, name)
    if not rows:
        _refuse_empty(name)
    names = _checked([cell.strip() for cell in rows[0]], name)
    return pd.DataFrame(rows[1:], columns=list(names), dtype=str)


def _form(path: Path, name: str, encoding: str) -> _Form:
    """Tell delimiter and columns from the first row."""
    with path.open(encoding=encoding, newline="") as file:
        header = file.readline(_LONGEST_HEADER)
    if not header.strip():
        _refuse_empty(name)
    counts = {mark: header.count(mark) for mark in (",", "\t", ";")}
    if counts[";"] and not counts[","] and not counts["\t"]:
        return _Form(encoding, ";", _names(header, ";", name))
    # The only column of a TSV has no tab behind it.
    tabs = counts["\t"] > counts[","] or (path.suffix == ".tsv" and not counts[","])
    delimiter = "\t" if tabs else ","
    return _Form(encoding, delimiter, _names(header, delimiter, name))


def _check_chinese(path: Path, name: str) -> None:
    """Refuse bytes that are not Chinese text beyond doubt: a Latin-1 text may pass for GBK, too."""
    try:
        text = path.read_bytes().decode("gb18030")
    except (UnicodeError, OSError):
        _refuse_encoding(name)
    foreign = re.sub(r"[\x00-\x7f]", "", text)
    usual = len(foreign.encode("gb2312", "ignore")) / 2  # the 6,763 characters of everyday writing
    if not _CHINESE.fullmatch(foreign) or usual < 0.8 * len(foreign):
        _refuse_encoding(name)


def _with_points(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Put points for decimal commas, column by column, where all cells are such numbers."""
    found: dict[str, pd.Series] = {}
    sure = False
    for column in table.columns:
        cells = table[column].fillna("").str.strip()
        commas = cells[cells.str.contains(",", regex=False)]
        if len(commas) and cells[cells != ""].str.fullmatch(_WITH_COMMAS).all():
            found[str(column)] = cells.str.replace(",", ".", regex=False)
            sure = sure or not commas.str.fullmatch(_MAYBE_THOUSANDS).all()
    if not found:
        return table
    columns = ", ".join(map(shown, found))
    if not sure:
        _refuse(
            name,
            f"has numbers such as 1,234 in {columns}, which may mean 1.234 or 1234",
            "decimal points and no marks of thousands",
            "Write the numbers so",
        )
    tell(f"{name}: decimal commas were read in {columns}")
    return table.assign(**found)


def _names(header: str, delimiter: str, table: str) -> tuple[str, ...]:
    try:
        names = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        names = []
    return _checked([text.strip() for text in names], table)


def _checked(names: list[str], table: str) -> tuple[str, ...]:
    """Refuse names of columns by which cells could not be told apart."""
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
                encoding=form.encoding,
            )
    except pd.errors.EmptyDataError:
        return pd.DataFrame({text: [] for text in form.names}, dtype=str)
    except UnicodeError:  # a ValueError too
        raise
    except (ValueError, OverflowError, pd.errors.ParserWarning, OSError):
        _refuse_rows(path, form, name)


def _refuse_rows(path: Path, form: _Form, name: str) -> NoReturn:
    """Find, the slow way, all rows that have more cells than there are columns."""
    faults: list[str] = []
    width = len(form.names)
    try:
        with path.open(encoding=form.encoding, newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter=form.delimiter), start=1):
                if len(row) > width:
                    faults.append(f"{number} ({len(row)})")
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


def _refuse_empty(name: str) -> NoReturn:
    _refuse(name, "is empty", "a header row and at least one row", "Check what wrote it")


def _refuse(name: str, seen: str, expected: str, action: str) -> NoReturn:
    raise TableError(f"{name} {seen}", expected, action)
