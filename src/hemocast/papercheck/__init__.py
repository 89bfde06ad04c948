"""Check the numbers a paper prints against each other: what they prove, and what they cannot be.

Nothing here needs the data. Every check allows for rounding, half up or half to even::

    findings = check(read_printed(path))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hemocast.papercheck.metrics import (
    check_f1,
    check_matrix,
    check_prevalence,
    check_single_point,
)
from hemocast.papercheck.numbers import Finding, Printed, Rounded
from hemocast.papercheck.printed import PAPER, findings_csv, read_printed
from hemocast.papercheck.sets import check_sets
from hemocast.papercheck.shares import check_interval, check_share
from hemocast.papercheck.tables import check_tables, gather_rows

__all__ = ["PAPER", "Finding", "Printed", "Rounded", "check", "findings_csv", "read_printed"]

_ORDER = ("error", "warning", "note")


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
        whole numbers give no error.
    """
    found = [*check_sets(printed), *check_tables(printed), *_rows(printed)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def _rows(printed: Sequence[Printed]) -> Iterator[Finding]:
    for row in gather_rows(printed):
        yield from check_f1(row)
        yield from check_matrix(row)
        yield from check_prevalence(row)
        yield from check_single_point(row)
        for cell in row.printed:
            if cell.count is None:
                yield from check_share(cell)
            yield from check_interval(cell)
