"""The paper's tables and figures, made again on simulated patients: files for print, and a page."""

from __future__ import annotations

from dataclasses import dataclass

from hemocast.files import table_text
from hemocast.report.figures.drawing import Drawing, drawing_files
from hemocast.report.latex import latex_table
from hemocast.report.page import render

PAGE = "report.html"


@dataclass(frozen=True)
class PaperTable:
    """A table, all cells text.

    Parameters
    ----------
    name : str
        Of its files, such as ``table2``.
    title : str
        What it shows.
    columns : tuple of str
        Headings.
    rows : tuple of tuple of str
        As many cells as columns each.
    notes : tuple of str
        Under the table.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.name} has another number of cells than columns")


@dataclass(frozen=True)
class PaperResult:
    """Everything on the page.

    Parameters
    ----------
    facts : tuple of (str, str)
        The run in figures: name and value.
    tables : tuple of PaperTable
        In the paper's order.
    figures : tuple of Drawing
        In the paper's order.
    limits : tuple of str
        What it does not show.
    seconds : tuple of (str, float)
        Stages and how long each took.
    """

    facts: tuple[tuple[str, str], ...]
    tables: tuple[PaperTable, ...]
    figures: tuple[Drawing, ...]
    limits: tuple[str, ...]
    seconds: tuple[tuple[str, float], ...]


def paper_files(result: PaperResult) -> dict[str, str | bytes]:
    """Return ``report.html``, ``tables/*.csv``, ``*.tex``, ``figures/*.svg`` and ``*.png``.

    Title and notes of a table go into the LaTeX only.

    Parameters
    ----------
    result : PaperResult
        What they show.
    """
    files: dict[str, str | bytes] = {PAGE: render("paper.html", r=result)}
    for table in result.tables:
        rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
        files[f"tables/{table.name}.csv"] = table_text(rows, table.columns)
        files[f"tables/{table.name}.tex"] = latex_table(
            table.columns, table.rows, table.title, table.notes
        )
    return files | drawing_files(result.figures)
