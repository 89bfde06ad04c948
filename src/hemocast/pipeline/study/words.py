"""Words that methods and results share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from hemocast.errors import TableError
from hemocast.pipeline.study.records import EstimateRecord, ModelRecord, Records
from hemocast.report.checklists.checklist import Statement
from hemocast.report.words import METRIC_TITLES, number

MOST = 8

Say = Callable[[Records], str]


def said(parts: Mapping[str, tuple[str, Say]], records: Records) -> Iterator[Statement]:
    """Say every part of which there is something to say."""
    for key, (title, say) in parts.items():
        if text := say(records):
            yield Statement(key, title, text)


def plural(count: int, one: str, many: str = "") -> str:
    """Say how many, in the right number."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Say a part, and its share of a whole."""
    return f"{part:,} ({100 * part / whole:.1f} %)" if whole else f"{part:,}"


def listed(counts: Mapping[str, int]) -> str:
    """Say values with how often each is, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = len(ordered) - MOST
    words = ", ".join(f"{name} ({count:,})" for name, count in ordered[:MOST])
    return words + (f" and {rest} more" if rest > 0 else "")


def estimate_words(value: EstimateRecord | None, digits: int = 3) -> str:
    """Say a number of a record with its limits, as the evaluation's own page does."""
    if value is None or value.value is None:
        return "undefined"
    middle = number(value.value, digits)
    found = limits_words(value, digits)
    return f"{middle} (no interval)" if found == "none" else f"{middle} ({found})"


def limits_words(value: EstimateRecord, digits: int = 3) -> str:
    """Say the limits of a number; JSON has no infinity, so that one limit alone means that."""
    if value.ci_low is None:
        return "none"
    high = "infinite" if value.ci_high is None else number(value.ci_high, digits)
    return f"{number(value.ci_low, digits)} to {high}"


def cell_value(cell: str) -> float:
    """Read a number of a table; NaN where it is undefined.

    Raises
    ------
    TableError
        The cell holds something else.
    """
    try:
        return float(cell or "nan")
    except ValueError as error:
        raise TableError(
            "A table of the study's records holds a word where a number belongs",
            "the table as Hemocast wrote it",
            "Make it again with its command",
        ) from error


def cell_number(cell: str) -> str:
    """Say a number of a table; "" where it is undefined or infinite."""
    value = cell_value(cell)
    return number(value, 3) if math.isfinite(value) else ""


def cell_limits(row: Mapping[str, str]) -> str:
    """Say the limits in a row of a table."""
    ends = [cell_number(row[end]) for end in ("ci_low", "ci_high")]
    return " to ".join(ends) if all(ends) else "none"


def cell_words(row: Mapping[str, str]) -> str:
    """Say the value in a row of a table, with its limits where it has any."""
    value, limits = cell_number(row["value"]) or "undefined", cell_limits(row)
    return value if limits == "none" else f"{value} ({limits})"


def models_of(records: Records) -> list[tuple[str, ModelRecord]]:
    """Give the first models of the evaluation, each with its name."""
    return list(records.evaluation.models.items())[:MOST] if records.evaluation else []


def title_of(metric: str) -> str:
    """Call a metric as pages do."""
    return METRIC_TITLES.get(metric, metric.replace("_", " "))


def groupings_of(records: Records) -> list[str]:
    """Name the groupings of the subgroups."""
    return list(dict.fromkeys(row["grouping"] for row in records.tables.get("subgroups", ())))
