"""A study on one page, its checklists on another, and its tables for a paper."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from hemocast.report.checklists.checklist import Filled, Flag, Statement, checklist_csv
from hemocast.report.evaluation.tables import Table
from hemocast.report.latex import latex_table
from hemocast.report.page import render
from hemocast.report.paper.page import PaperTable

PAGE, CHECKLISTS = "study.html", "checklists.html"


@dataclass(frozen=True)
class Picture:
    """A figure that another command drew.

    Parameters
    ----------
    name : str
        Of its file, without the ending.
    svg : bytes
        Shown as a picture, so that no script in it runs.
    caption : str
        What it shows.
    """

    name: str
    svg: bytes
    caption: str

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg).decode('ascii')}"


@dataclass(frozen=True)
class Study:
    """Everything on the pages of a study.

    Parameters
    ----------
    simulated : bool
        Any of its data are.
    methods, results : tuple of Statement
        In the order of a paper.
    flags : tuple of Flag
        What may bias it, the gravest first.
    tables : tuple of PaperTable
        All cells text.
    pictures : tuple of Picture
        Figures.
    checklists : tuple of Filled
        With their answers.
    """

    simulated: bool
    methods: tuple[Statement, ...]
    results: tuple[Statement, ...]
    flags: tuple[Flag, ...]
    tables: tuple[PaperTable, ...]
    pictures: tuple[Picture, ...]
    checklists: tuple[Filled, ...]


def study_files(study: Study) -> dict[str, str | bytes]:
    """Return the pages, ``checklists.csv``, and ``tables/*.csv`` and ``*.tex``.

    Parameters
    ----------
    study : Study
        What they show; every text is escaped.
    """
    files: dict[str, str | bytes] = {
        PAGE: render("study.html", style="evaluation.css", s=study, checklists=CHECKLISTS),
        CHECKLISTS: render("checklists.html", style="evaluation.css", s=study, page_of=PAGE),
        "checklists.csv": checklist_csv(study.checklists, PAGE, simulated=study.simulated),
    }
    said = "SIMULATED data, not clinical evidence. " if study.simulated else ""
    for table in study.tables:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        files[f"tables/{table.name}.csv"] = Table(table.columns, rows).csv(
            simulated=study.simulated
        )
        files[f"tables/{table.name}.tex"] = latex_table(
            table.columns, table.rows, said + table.title, table.notes
        )
    return files
