"""Check the numbers a paper prints against each other: what they prove, and what they cannot be.

Nothing here needs the data. Every check allows for rounding, half up or half to even, and for
digits cut off::

    findings = check(read_printed(path))
"""

from __future__ import annotations

from hemocast.papercheck.check import check, summarise, table_of
from hemocast.papercheck.numbers import Finding, Printed, Rounded
from hemocast.papercheck.printed import PAPER, findings_csv, read_printed

__all__ = [
    "PAPER",
    "Finding",
    "Printed",
    "Rounded",
    "check",
    "findings_csv",
    "read_printed",
    "summarise",
    "table_of",
]
