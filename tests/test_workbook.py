"""Excel workbooks: what people's sheets hold, told as text; and ours, which hold no formula."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from hemocast.errors import TableError
from hemocast.workbook import read_rows, workbook


def save(path: Path, *sheets: list[list[object]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_cells_are_read_as_they_are_meant(tmp_path: Path) -> None:
    day = datetime.datetime(2018, 1, 2)
    rows = [["id", "x", None], [1.0, 0.25, None], [True, day, None], [None, "#N/A"], [None, None]]
    path = save(tmp_path / "a.xlsx", rows, [])
    assert read_rows(path, "a") == [["id", "x"], ["1", "0.25"], ["True", "2018-01-02"]]
    book = Workbook()
    book.active.append(["id"])
    book.active.append([17])
    book.active["A2"].number_format = "0000"
    book.save(path)
    assert read_rows(path, "a") == [["id"], ["0017"]]


def test_two_filled_sheets_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [["x"]], [["y"]])
    with pytest.raises(TableError, match="labels has 2 sheets that hold something"):
        read_rows(path, "labels")
    path.write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(TableError, match="no Excel workbook that can be read"):
        read_rows(path, "labels")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", b" " * 301_000_000)
    with pytest.raises(TableError, match="unpacks to 301 MB"):
        read_rows(path, "labels")


def test_a_cell_at_the_far_end_of_a_sheet_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemocast.workbook._MOST_CELLS", 1_000_000)
    book, path = Workbook(), tmp_path / "a.xlsx"
    book.active.append(["id"])
    book.active["XFD1048576"] = " "
    book.save(path)
    with pytest.raises(TableError, match="labels spreads over more than 1 million cells"):
        read_rows(path, "labels")


def test_tables_go_out_as_numbers_and_text_never_as_formulas() -> None:
    rows = [["name", "value"], ["=1+1", "0.50"], ["007", "12"], ["-", "1e400"]]
    made = workbook({"metrics/all": rows, "other": [["a"]]})
    assert made == workbook({"metrics/all": rows, "other": [["a"]]})
    book = load_workbook(io.BytesIO(made))
    assert book.sheetnames == ["metrics-all", "other"]
    cells = [[cell.value for cell in row] for row in book["metrics-all"].iter_rows()]
    assert cells == [["name", "value"], ["=1+1", 0.5], ["007", 12], ["-", "1e400"]]
    assert book["metrics-all"]["A2"].data_type == "s"
