"""``hemocast check-paper``: what the numbers that a paper prints prove about each other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hemocast.cli.exits import leave_if_found
from hemocast.cli.options import output

if TYPE_CHECKING:
    from hemocast.papercheck import Finding, Printed

PAPER_CHECK = "paper check"
OURS = "Zhang 2026, 10.3389/fnins.2025.1753071"
WORDS = {"error": "ERROR", "warning": "WARNING", "note": "note"}


def check_paper(
    table: Annotated[
        Path | None,
        typer.Argument(help="CSV of printed numbers. Default: those of the CTNet paper."),
    ] = None,
    out: Annotated[
        Path | None, output("Folder for findings.csv and letter.html.", PAPER_CHECK)
    ] = None,
    lang: Annotated[
        Literal["en", "zh"], typer.Option(help="Of the letter: English or Chinese.")
    ] = "en",
    paper: Annotated[
        str, typer.Option(help="Title or number of the manuscript, for the letter.")
    ] = "",
) -> None:
    """Check a paper's printed metrics and counts against each other, without its data.

    With --out a letter is written that a reviewer can attach.

    Exit code: 0 nothing found (notes aside), 5 found, 4 a table that cannot be used.
    """
    from hemocast.files import claim
    from hemocast.papercheck import PAPER, check, findings_csv, read_printed, summarise

    printed = read_printed(table or PAPER)
    if table is None:
        paper = paper or OURS
        print(f"Printed numbers of {OURS}\n")
    findings = check(printed)
    for line in summarise(printed, findings):
        print(line)
    _details(printed, findings)
    if out:
        from hemocast.report.letter.page import PAGE, letter_page

        with claim(out, PAPER_CHECK) as folder:
            folder.write_text("findings.csv", findings_csv(findings))
            folder.write_text(PAGE, letter_page(printed, findings, paper=paper, lang=lang))
        print(f"Table: {out / 'findings.csv'}")
        print(f"Letter: {out / PAGE}")
    leave_if_found([finding for finding in findings if finding.severity != "note"])


def _details(printed: Sequence[Printed], findings: Sequence[Finding]) -> None:
    """Print the findings table by table, in the order of the paper."""
    from hemocast.papercheck import table_of

    places = [table_of(finding, printed) for finding in findings]
    for place in dict.fromkeys([*(p.table for p in printed), *places]):
        mine = [finding for at, finding in zip(places, findings, strict=True) if at == place]
        if mine:
            print(f"\n== {place} ==")
        for finding in mine:
            print(f"{WORDS[finding.severity]} [{finding.code}] {finding.where}")
            for text in (
                finding.sentence,
                f"Printed: {finding.seen}",
                f"Shown by: {finding.arithmetic}",
            ):
                print(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    "))
