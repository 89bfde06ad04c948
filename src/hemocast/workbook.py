"""Excel workbooks (.xlsx): one sheet as rows of text in, tables of text out."""

from __future__ import annotations

import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hemocast.errors import TableError

START = b"PK\x03\x04"
"""First bytes of every .xlsx, which is a zip."""
OLD_START = b"\xd0\xcf\x11\xe0"
"""First bytes of an .xls of Excel 97 to 2003."""
_MOST_BYTES = 300_000_000
_MOST_CELLS = 20_000_000
_DATE = datetime.datetime(2000, 1, 1)
_ZERO_PADDED = re.compile("0{2,40}")
_ERRORS = ("#N/A", "#NULL!")


def read_rows(path: Path, table: str) -> list[list[str]]:
    """Read the only sheet of a workbook that holds anything.

    Parameters
    ----------
    path : Path
        An ``.xlsx``. Of formulas the values that Excel kept are read; macros, links and hidden
        marks are not looked at.
    table : str
        What it is called in messages.

    Returns
    -------
    list of list of str
        The rows from the first on, the header among them; whole numbers without a decimal point,
        dates as in ISO 8601, a missing cell "".

    Raises
    ------
    TableError
        It is no workbook, or several of its sheets hold something.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())
        if size > _MOST_BYTES:
            raise _refusal(table, f"unpacks to {size / 1e6:.0f} MB", "a table of at most 300 MB")
        sheets = _sheets(path, table)
    except TableError:
        raise
    # Of a damaged file openpyxl lets out whatever its XML and zip readers raise.
    except Exception as error:
        raise _refusal(
            table, f"is no Excel workbook that can be read ({type(error).__name__})", "an .xlsx"
        ) from error
    if len(sheets) > 1:
        raise _refusal(table, f"has {len(sheets)} sheets that hold something", "one sheet")
    return sheets[0] if sheets else []


def workbook(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """Write tables as a workbook; the same tables give the same bytes.

    Parameters
    ----------
    sheets : mapping of str to sequence of sequence of str
        Name (cut to 31 characters, as Excel asks) -> rows. Text that is a number becomes one; no
        text becomes a formula.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = _DATE
    for name, rows in sheets.items():
        sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", "-", name)[:31])
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows):
            cells = []
            for text in row:
                value = _number(text)
                cell = WriteOnlyCell(sheet, value)
                if isinstance(value, str):
                    cell.data_type = "s"
                if number == 0:
                    cell.font = Font(bold=True)
                cells.append(cell)
            sheet.append(cells)
    made = io.BytesIO()
    book.save(made)
    return _without_times(made)


def _sheets(path: Path, table: str) -> list[list[list[str]]]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of drawings and validation, not kept here
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            found = [_rows(sheet, table) for sheet in book.worksheets]
        finally:
            book.close()
    return [rows for rows in found if rows]


def _rows(sheet: Any, table: str) -> list[list[str]]:
    rows: list[list[str]] = []
    seen = 0
    for cells in sheet.iter_rows():
        seen += len(cells)
        if seen > _MOST_CELLS:  # one cell at the far end of a sheet makes 17,000 million of them
            raise _refusal(
                table,
                f"spreads over more than {_MOST_CELLS // 1_000_000} million cells",
                "a table, and nothing far to the right of it or below",
            )
        row = [_text(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _text(cell: Any) -> str:
    value = cell.value
    if value is None or value in _ERRORS:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and _ZERO_PADDED.fullmatch(cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))  # an id shown as 0017
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return value.isoformat() if isinstance(value, datetime.date) else str(value).strip()


def _number(text: str) -> str | float | int:
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d{1,15}(e-?\d{1,2})?", text) else text


def _without_times(made: io.BytesIO) -> bytes:
    """Pack a zip anew without the time at which it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "docProps/core.xml":
                when = f"{_DATE.isoformat()}Z".encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when, content)
            new.writestr(zipfile.ZipInfo(item.filename), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _refusal(table: str, seen: str, expected: str) -> TableError:
    return TableError(f"{table} {seen}", expected, "Save the sheet alone, or as 'CSV UTF-8'")
