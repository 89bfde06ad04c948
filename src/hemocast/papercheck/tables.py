"""What rows of metrics say of each other: one test set, one kind of AUC, means, trivial rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from scipy.stats import binom

from hemocast.papercheck.metrics import Row, check_single_point, implied_prevalence, is_macro_f1
from hemocast.papercheck.numbers import Finding, Printed, disjoint, mean_of, percent
from hemocast.papercheck.sets import set_counts

NEAR_TRIVIAL = Fraction(2, 100)
"""An F1 less than this above that of the all-positive rule is worth a warning; ours."""

UNLIKELY = 0.05


def gather_rows(printed: Sequence[Printed]) -> tuple[Row, ...]:
    """Group metrics by table and row, in the order in which they are printed."""
    rows: dict[tuple[str, str], list[Printed]] = {}
    for p in printed:
        if p.number.unit != "count":
            rows.setdefault((p.table, p.row), []).append(p)
    return tuple(Row(table, name, tuple(cells)) for (table, name), cells in rows.items())


def check_tables(printed: Sequence[Printed]) -> Iterator[Finding]:
    """All checks that need more than one row."""
    rows = gather_rows(printed)
    yield from _check_means(printed)
    yield from _check_all_positive(rows)
    for _, group in groupby(rows, key=lambda row: row.table):
        table = tuple(group)
        yield from _check_one_test_set(table)
        yield from _check_two_kinds_of_auc(table)
    yield from _check_draw(rows, printed)


def _check_means(printed: Sequence[Printed]) -> Iterator[Finding]:
    """Means that the rows do not give."""
    for p in printed:
        if not p.mean_of:
            continue
        keys = [(p.table, name, p.column, p.stratum) for name in p.mean_of]
        parts = [q for key in keys for q in printed if (q.table, q.row, q.column, q.stratum) == key]
        if len(parts) != len(p.mean_of):
            continue
        mean = mean_of([q.number.interval for q in parts])
        if mean.meets(p.number.interval):
            continue
        scale = 100 if p.number.unit == "percent" else 1
        said = f"{float(scale * mean.midpoint):.{len(p.number.text.partition('.')[2])}f}"
        notes = " ".join(dict.fromkeys(q.note for q in parts if q.note))
        yield Finding(
            "mean", "error", p.where, f"{p.column} {p.number}",
            f"({' + '.join(q.number.text for q in parts)}) / {len(parts)} = {said}"
            if len(parts) > 1 else f"{p.mean_of[0]}: {said}" + (f" ({notes})" if notes else ""),
            f"The printed mean {p.column} is {p.number}; the rows give {said}.",
        )  # fmt: skip


def _check_all_positive(rows: Sequence[Row]) -> Iterator[Finding]:
    """Find an F1 that calling everybody positive nearly reaches, or beats."""
    rules = [
        (f"{row.where}, {accuracy.number} positive", accuracy.number.value)
        for row in rows
        if row.all_positive and (accuracy := row.get("accuracy"))
    ]
    for row in rows:
        f1 = row.get("f1")
        if f1 is None or row.all_positive or is_macro_f1(row):
            continue
        shares = list(rules)
        if implied := implied_prevalence(row):
            own = f"the prevalence the row implies, {percent(implied.midpoint, 1)} %"
            shares.insert(0, (own, implied.midpoint))
        trivial = [(words, 2 * p / (1 + p)) for words, p in shares if 0 < p <= 1]
        if not any(f1.number.value - value < NEAR_TRIVIAL for _, value in trivial):
            continue
        values = dict.fromkeys(percent(value) for _, value in trivial)
        yield Finding(
            "all-positive", "warning", row.where, row.seen("f1"),
            "; ".join(f"2p / (1 + p) at {words} = {percent(value)} %" for words, value in trivial),
            f"Calling every case positive has an F1 of {' or '.join(values)} % beside the printed "
            f"{f1.number}: F1 cannot show that the row is better than no test at all.",
        )  # fmt: skip


def _check_one_test_set(rows: Sequence[Row]) -> Iterator[Finding]:
    """Rows of one table that imply different shares of cases with the outcome."""
    implied = [(row, found) for row in rows if (found := implied_prevalence(row))]
    if implied and disjoint([interval for _, interval in implied]):
        low, high = (way(implied, key=lambda pair: pair[1].midpoint) for way in (min, max))
        yield Finding(
            "prevalence-differs", "warning", rows[0].table,
            f"{low[0].where}; {high[0].where}",
            f"implied prevalence {low[1].words()} and {high[1].words()}",
            "The rows of this table do not rest on one and the same set of cases.",
        )  # fmt: skip


def _check_two_kinds_of_auc(rows: Sequence[Row]) -> Iterator[Finding]:
    """One-point AUCs beside others in one column: how far the balanced accuracies lie apart."""
    balanced = {row.name: found.midpoint for row in rows if (found := row.balanced_accuracy)}
    points = [row for row in rows if any(check_single_point(row))]
    whole = [
        (auc.number.value, row)
        for row in rows
        if row not in points and (auc := row.get("auc")) and row.name in balanced
    ]
    if not points or not whole:
        return
    _, top = max(whole, key=lambda pair: pair[0])
    # The row with the best balanced accuracy may have an AUC printed too coarsely to judge.
    rest = [row for row in rows if row is not top and row.name in balanced]
    best = max(rest, key=lambda row: balanced[row.name])
    here, there = balanced[top.name], balanced[best.name]
    yield Finding(
        "auc-kinds", "warning", rows[0].table,
        f"{top.name}: {top.seen('auc')}; {best.name}: {best.seen('auc') or 'no AUC'}",
        f"(sensitivity + specificity) / 2: {top.name} {percent(here)} %, {best.name} "
        f"{percent(there)} %",
        "AUCs from continuous scores and from yes/no decisions stand in one column. Compared by "
        f"their decisions alone, the rows lie {percent(abs(here - there))} points apart.",
    )  # fmt: skip


def _check_draw(rows: Sequence[Row], printed: Sequence[Printed]) -> Iterator[Finding]:
    """Find a test part whose share of the outcome is no likely draw from the whole cohort."""
    lines = set_counts(printed)
    wholes = {
        line.table: line.total for line in lines if not line.stratum and line.row == "patients"
    }
    cohort = [
        (line.total, whole)
        for line in lines
        if line.row == "patients" and line.variable == "outcome"
        and not line.level.lower().startswith("no")
        and line.total and (whole := wholes.get(line.table))
    ]  # fmt: skip
    seen: set[str] = set()
    for row in rows:
        implied = implied_prevalence(row)
        if not cohort or implied is None or row.n is None or row.table in seen:
            continue
        n = sum(row.n) // 2
        k = round(implied.midpoint * n)
        # The cohort's share that makes the draw most likely speaks for the paper.
        tails = [
            (2 * min(binom.cdf(k, n, a / b), binom.sf(k - 1, n, a / b)), a, b) for a, b in cohort
        ]
        p, positives, of = max(tails)
        if p >= UNLIKELY:
            continue
        seen.add(row.table)
        yield Finding(
            "unlikely-draw", "warning", row.where,
            f"{row.seen('accuracy', 'sensitivity', 'specificity', 'ppv')}; of the cohort "
            f"{positives} of {of} with the outcome",
            f"the row implies about {k} of {n}; two-sided binomial p = {p:.3f}",
            "The test part holds another share of the outcome than a random draw of patients "
            "would: it was drawn otherwise, or counted otherwise (by image, say).",
        )  # fmt: skip
