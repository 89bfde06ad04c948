"""A table of the numbers that a paper prints, one number a row: read, and its findings written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hemocast.dataset.tables.columns import Column, Rule, TableSchema, parse_table
from hemocast.errors import TableError
from hemocast.files import table_text
from hemocast.papercheck.numbers import MEANS, PARTS, SHARES, Finding, Printed, Rounded, Unit
from hemocast.tables import called, read_table

if TYPE_CHECKING:
    import pandas as pd

WORDS, LINE = r"[^\x00-\x1f\x7f-\x9f]+", "text in one line"
NUMBER = r"\d{1,9}(\.\d{1,6})?"
UNITS = ("percent", "fraction", "count", "value")
METRICS = (*SHARES, "auc", "share")
MAX_BYTES = 1_000_000
MAX_ROWS = 2_000
WIDEST = 20
PAPER = Path(__file__).parents[1] / "assets" / "paper_tables.csv"
"""The printed numbers of Zhang 2026 (10.3389/fnins.2025.1753071), as far as they are held."""


def _number(column: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.to_numeric(column, errors="coerce")


def _above(table: pd.DataFrame, unit: str, limit: float) -> pd.Series:
    metric = (table["unit"] == unit) & table["column"].isin(METRICS)
    return metric & (_number(table["value"]) > limit)


def _limits_turned(table: pd.DataFrame) -> pd.Series:
    low, high = (_number(table[name]) for name in ("ci_low", "ci_high"))
    return (low > high) | (low.isna() != high.isna())


def _n_turned(table: pd.DataFrame) -> pd.Series:
    ends = table["n"].str.split("-", expand=True).reindex(columns=[0, 1])
    low, high = (_number(ends[k]) for k in (0, 1))
    return (low > high) | (low < 1) | (high - low > WIDEST)


def _count_without_n(table: pd.DataFrame) -> pd.Series:
    count = table["count"].astype("float64")
    return count.notna() & ~(count <= _number(table["n"]))


def _odd_unit(table: pd.DataFrame) -> pd.Series:
    counted = table["column"].isin(["total", *PARTS]) & (table["unit"] != "count")
    share = table["column"].isin(METRICS) & ~table["unit"].isin(["percent", "fraction"])
    return (counted | share) & table["unit"].notna()


def _broken_count(table: pd.DataFrame) -> pd.Series:
    return (table["unit"] == "count") & table["value"].str.contains(".", regex=False).fillna(False)


TABLE = TableSchema(
    "table.csv",
    (
        Column("table", required=True, blank=False, pattern=WORDS, described=LINE),
        Column("row", required=True, blank=False, pattern=WORDS, described=LINE),
        Column("stratum", pattern=r"[^:\x00-\x1f\x7f-\x9f]+: [^:\x00-\x1f\x7f-\x9f]+",
               described="what is counted and its value, as in 'sex: male'"),
        Column("column", required=True, blank=False, pattern=r"[a-z0-9_]+"),
        Column("value", required=True, blank=False, pattern=NUMBER, hint="digits as printed"),
        Column("unit", "choice", required=True, blank=False, choices=UNITS),
        Column("ci_low", pattern=NUMBER),
        Column("ci_high", pattern=NUMBER),
        Column("n", pattern=r"\d{1,7}(-\d{1,7})?", hint="61, or 60-63 where it is in doubt"),
        Column("count", "whole", low=0, high=9_999_999),
        Column("mean_of", pattern=WORDS, described=LINE, hint="rows of the table, joined by ';'"),
        Column("mean_over", "choice", choices=MEANS),
        Column("note", pattern=WORDS, described=LINE),
    ),
    ("table", "row", "stratum", "column"),
    (
        Rule(("value", "unit"), lambda t: _above(t, "percent", 100), "at most 100 percent"),
        Rule(("value", "unit"), lambda t: _above(t, "fraction", 1), "a fraction is at most 1"),
        Rule(("ci_low", "ci_high"), _limits_turned, "both limits, the lower one first"),
        Rule(("n",), _n_turned, f"from the smaller to the larger n, at most {WIDEST} wide"),
        Rule(("n", "count"), _count_without_n, "a count with one n, not above it"),
        Rule(("column", "unit"), _odd_unit, "count for total and parts of a set; percent or "
             "fraction for metrics"),
        Rule(("value", "unit"), _broken_count, "a count is a whole number"),
    ),
)  # fmt: skip


def read_printed(path: Path) -> tuple[Printed, ...]:
    """Read a table of printed numbers; its columns are in docs/how-to/paper-check.md.

    Raises
    ------
    TableError
        The file cannot be read, or holds faults: all of them at once, by row and column.
    """
    expected = "a UTF-8 CSV of printed numbers as docs/how-to/paper-check.md describes it"
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise TableError(
            "The table is too large",
            f"{expected}, at most {MAX_BYTES // 1_000_000} MB",
            "Check the path and the file",
        )
    text = read_table(path)
    name = called(path)
    table, faults = _with_blank_keys(text, name)
    if len(text) > MAX_ROWS:
        faults = (f"{name}: more than {MAX_ROWS} rows", *faults)
    if faults:
        raise TableError(
            f"The table has {len(faults)} kind(s) of fault: {'; '.join(faults)}",
            expected,
            "Correct the cells named and run again",
        )
    cells = table.astype(object).where(table.notna(), "").astype(str)
    return tuple(_printed(row) for row in cells.to_dict("records"))


def _with_blank_keys(text: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Parse; a row without a stratum still has a key, so repeats are looked for here."""
    parsed = parse_table(replace(TABLE, name=name), text)
    faults = [str(fault) for fault in parsed.faults]
    table = parsed.table
    key = table[list(TABLE.key)].fillna("")
    named = (key[["table", "row", "column"]] != "").all(axis=1)
    again = key.duplicated() & (key["stratum"] == "") & named
    if again.any():
        rows = ", ".join(str(row + 2) for row in again.to_numpy().nonzero()[0])
        faults.append(f"{name}, rows {rows}, column table + row + stratum + column: every "
                      "number once; it came before")  # fmt: skip
    return table, tuple(faults)


def _printed(row: Mapping[Hashable, str]) -> Printed:
    cell = {name: text.strip() for name, text in row.items()}
    unit = cast("Unit", cell["unit"])
    ends = [int(end) for end in cell["n"].split("-") if end]
    # Limits above 1 beside a fraction can only be percentages; the check says so.
    limits = [
        Rounded(text, "percent" if unit == "fraction" and float(text) > 1 else unit)
        for text in (cell["ci_low"], cell["ci_high"])
        if text
    ]
    return Printed(
        cell["table"],
        cell["row"],
        cell["column"],
        Rounded(cell["value"], unit),
        (limits[0], limits[1]) if limits else None,
        (ends[0], ends[-1]) if ends else None,
        int(cell["count"]) if cell["count"] else None,
        cell["stratum"],
        tuple(name.strip() for name in cell["mean_of"].split(";") if name.strip()),
        cell["note"],
        cell["mean_over"],
    )


def findings_csv(findings: Sequence[Finding]) -> str:
    """Return findings as a CSV, one a row, with their fields as columns."""
    return table_text(map(vars, findings), [field.name for field in fields(Finding)])
