"""All checks of a paper's printed numbers, and what they come to in three lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hemocast.papercheck.metrics import (
    Row,
    check_f1,
    check_matrix,
    check_prevalence,
    check_single_point,
    fitting_matrices,
)
from hemocast.papercheck.numbers import Finding, Printed, numbers_words
from hemocast.papercheck.sets import check_sets
from hemocast.papercheck.shares import check_interval, check_share
from hemocast.papercheck.tables import check_tables, gather_rows

_ORDER = ("error", "warning", "note")
_LINE = 100
_PROVED = {
    "overlap": "cases in more than one part",
    "no-matrix": "metrics of no one set of cases",
    "counts-swapped": "two counts exchanged",
    "macro-f1": "a macro-F1 as F1",
    "mean": "a mean that its rows do not give",
    "counts-differ": "one count with several values",
    "count-percent": "a count that is not its percentage",
    "f1": "an F1 that does not follow from its row",
    "prevalence-contradiction": "metrics that contradict each other",
    "impossible-share": "a share that no whole number of cases gives",
    "ci-outside": "a value outside its own limits",
    "no-part": "cases in no part",
    "strata-sum": "levels that do not add up",
    "all-positive": "an F1 no better than calling everybody positive",
    "prevalence-differs": "rows on different cases",
    "auc-kinds": "AUCs of two kinds in one column",
    "single-point-auc": "an AUC of yes/no decisions",
    "unlikely-draw": "a test part unlike the cohort",
    "ci-unit": "limits in another unit",
}
"""What an error or a warning comes to, in a few words; the gravest first."""


def check(printed: Sequence[Printed]) -> tuple[Finding, ...]:
    """Find what printed numbers prove: overlap, impossible numbers, mislabeled or mixed metrics.

    Parameters
    ----------
    printed : sequence of Printed
        The numbers, in the order of the paper.

    Returns
    -------
    tuple of Finding
        Errors first, then warnings, then notes. Metrics printed from any one confusion matrix of
        whole numbers give no error, whether rounded, cut off or rounded up; nor do declared means.
    """
    rows = gather_rows(printed)
    found = [*check_sets(printed)]
    settled = []
    for row in rows:
        if row.mean_over:
            found += _mean_row(row)
            continue
        kept, findings = _settle(row)
        settled.append(kept)
        found += findings
    found += check_tables(printed, settled)
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def _settle(row: Row) -> tuple[Row, list[Finding]]:
    """Check one row; where only digits cut off or rounded up explain it, say that and no more."""
    if not _contradicts(row):
        return row, list(_of_row(row))
    loose = row.loosened()
    if _contradicts(loose):
        return row, list(_of_row(row))
    note = Finding(
        "digits-cut", "note", row.where, ", ".join(f"{p.column} {p.number}" for p in row.printed),
        "read as rounded they contradict each other; read as less than one unit of the last digit "
        "off they do not",
        "These numbers fit if digits were cut off, or rounded up, instead of rounded.",
    )  # fmt: skip
    return loose, [*_of_row(loose), note]


def _contradicts(row: Row) -> bool:
    """Whether a row has an error: as `_of_row` finds, without the search for explanations."""
    if fitting_matrices(row) == ():
        return True
    cheap = (check_f1(row), check_prevalence(row), *map(_of_cell, row.printed))
    return any(finding.severity == "error" for found in cheap for finding in found)


def _of_row(row: Row) -> Iterator[Finding]:
    yield from check_f1(row)
    yield from check_matrix(row)
    yield from check_prevalence(row)
    yield from check_single_point(row)
    for cell in row.printed:
        yield from _of_cell(cell)


def _of_cell(cell: Printed) -> Iterator[Finding]:
    if cell.count is None:
        yield from check_share(cell)
    yield from check_interval(cell)


def _mean_row(row: Row) -> Iterator[Finding]:
    """Check what holds of means too; the rest holds of one confusion matrix alone."""
    for cell in row.printed:
        yield from check_interval(cell)
    yield Finding(
        "mean-row", "note", row.where, ", ".join(f"{p.column} {p.number}" for p in row.printed),
        f"a mean over {row.mean_over}",
        "Means need not come from one confusion matrix: they were not set against each other.",
    )  # fmt: skip


def summarise(printed: Sequence[Printed], found: Sequence[Finding]) -> tuple[str, str, str]:
    """Say in three lines what the findings come to.

    Parameters
    ----------
    printed : sequence of Printed
        What was checked.
    found : sequence of Finding
        From `check`.

    Returns
    -------
    tuple of str
        How much was checked; what cannot be right as printed; what misleads or needs explaining.
    """
    tables = len({p.table for p in printed})
    counts = [sum(f.severity == word for f in found) for word in _ORDER]
    return (
        f"{len(printed)} printed numbers in {tables} table(s) or passage(s): {counts[0]} error(s), "
        f"{counts[1]} warning(s), {counts[2]} note(s)",
        _line("Cannot be right as printed: ", found, "error"),
        _line("May be right, but needs explaining: ", found, "warning"),
    )


def _line(start: str, found: Sequence[Finding], severity: str) -> str:
    """Say the kinds of findings of one severity, the gravest first, as many as a line holds."""
    codes = {f.code for f in found if f.severity == severity}
    words = [text for code, text in _PROVED.items() if code in codes]
    most = len(words)
    while most > 1 and len(start + numbers_words(words, most)) > _LINE:
        most -= 1
    return start + (numbers_words(words, most) if words else "nothing found")


def table_of(finding: Finding, printed: Sequence[Printed]) -> str:
    """Return the table that a finding is about; "Several places" where it is none alone."""
    names = dict.fromkeys(p.table for p in printed)
    fits = [
        name for name in names if finding.where == name or finding.where.startswith(f"{name}, ")
    ]
    return max(fits, key=len) if fits else "Several places"
