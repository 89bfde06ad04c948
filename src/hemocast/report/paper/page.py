"""The paper's tables and figures, made again on simulated patients: files for print, and a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.report.figures.inline import inline_svg
from hemocast.report.figures.style import save_figure
from hemocast.report.page import render, write_text
from hemocast.report.words import RESEARCH_NOTICE

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.figure import Figure


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
class PaperFigure:
    """A figure, drawn under `hemocast.report.figures.style.STYLE`.

    Parameters
    ----------
    name : str
        Of its files, such as ``figure2``.
    title, caption : str
        What it shows, and how to read it.
    figure : Figure
        The drawing.
    """

    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class PaperResult:
    """Everything on the page.

    Parameters
    ----------
    facts : tuple of (str, str)
        The run in figures: name and value.
    tables : tuple of PaperTable
        In the paper's order.
    figures : tuple of PaperFigure
        In the paper's order.
    limits : tuple of str
        What it does not show.
    seconds : tuple of (str, float)
        Stages and how long each took.
    """

    facts: tuple[tuple[str, str], ...]
    tables: tuple[PaperTable, ...]
    figures: tuple[PaperFigure, ...]
    limits: tuple[str, ...]
    seconds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class _Drawn:
    figure: PaperFigure
    svg: Markup


def write_paper(result: PaperResult, folder: Path) -> Path:
    """Write ``tables/*.csv`` and ``*.tex``, ``figures/*.svg`` and ``*.png``, and ``report.html``.

    Parameters
    ----------
    result : PaperResult
        What to write.
    folder : Path
        Must be there.

    Returns
    -------
    Path
        The page.
    """
    for name in ("tables", "figures"):
        (folder / name).mkdir(exist_ok=True)
    for table in result.tables:
        write_table_files(table, folder / "tables")
    for item in result.figures:
        save_figure(item.figure, folder / "figures", item.name)
    drawn = [
        _Drawn(item, inline_svg(item.figure, item.name, item.title)) for item in result.figures
    ]
    page = folder / "report.html"
    write_text(
        render("paper.html", script=False, r=result, drawn=drawn, research_notice=RESEARCH_NOTICE),
        page,
    )
    return page


def write_table_files(table: PaperTable, folder: Path) -> tuple[Path, Path]:
    """Write ``NAME.csv`` and ``NAME.tex``; title and notes go into the LaTeX only.

    Parameters
    ----------
    table : PaperTable
        What to write.
    folder : Path
        Must be there.
    """
    import pandas as pd

    frame = pd.DataFrame([[*row] for row in table.rows], columns=[*table.columns])
    csv, tex = folder / f"{table.name}.csv", folder / f"{table.name}.tex"
    write_text(frame.to_csv(index=False, lineterminator="\n"), csv)
    write_text(_latex(frame, table), tex)
    return csv, tex


def _latex(frame: pd.DataFrame, table: PaperTable) -> str:
    body = frame.to_latex(index=False, escape=True)
    notes = "".join(f"\\par {escape_latex(note)}\n" for note in table.notes)
    return (
        f"\\begin{{table}}\n\\caption{{{escape_latex(table.title)}}}\n\\small\n{body}"
        f"{notes}\\end{{table}}\n"
    )


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def escape_latex(text: str) -> str:
    """Escape the characters that LaTeX reads as commands."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
