"""``hemocast check-paper``: what the numbers that a paper prints prove about each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave_if_found
from hemocast.cli.options import output

PAPER_CHECK = "paper check"
WORDS = {"error": "ERROR", "warning": "WARNING", "note": "note"}


def check_paper(
    table: Annotated[
        Path | None,
        typer.Argument(help="CSV of printed numbers. Default: those of the CTNet paper."),
    ] = None,
    out: Annotated[Path | None, output("Folder for findings.csv.", PAPER_CHECK)] = None,
) -> None:
    """Check a paper's printed metrics and counts against each other, without its data.

    Exit code: 0 nothing found (notes aside), 5 found, 4 a table that cannot be used.
    """
    import textwrap

    from hemocast.files import claim
    from hemocast.papercheck import PAPER, check, findings_csv, read_printed

    printed = read_printed(table or PAPER)
    if table is None:
        print("Printed numbers of Zhang 2026, 10.3389/fnins.2025.1753071\n")
    findings = check(printed)
    for finding in findings:
        print(f"{WORDS[finding.severity]} [{finding.code}] {finding.where}")
        for text in (
            finding.sentence,
            f"Printed: {finding.seen}",
            f"Shown by: {finding.arithmetic}",
        ):
            print(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    "))
        print()
    counts = {word: sum(f.severity == word for f in findings) for word in WORDS}
    print(
        f"{len(printed)} printed numbers: {counts['error']} error(s), {counts['warning']} "
        f"warning(s), {counts['note']} note(s)"
    )
    if out:
        with claim(out, PAPER_CHECK) as folder:
            folder.write_text("findings.csv", findings_csv(findings))
        print(f"Table: {out / 'findings.csv'}")
    leave_if_found(counts["error"] or counts["warning"])
