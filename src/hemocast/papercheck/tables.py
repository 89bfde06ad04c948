"""What rows of metrics say of each other: one test set, one kind of AUC, means, trivial rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby

from scipy.stats import binom

from hemocast.papercheck.metrics import Row, check_single_point, implied_prevalence, is_macro_f1
from hemocast.papercheck.numbers import (
    Finding,
    Interval,
    Printed,
    disjoint,
    mean_of,
    numbers_words,
    percent,
)
from hemocast.papercheck.sets import set_counts

NEAR_TRIVIAL = Fraction(2, 100)
"""An F1 less than this above that of the all-positive rule is worth a warning; ours."""

UNLIKELY = 0.05
P_VALUES = ("p", "p_value")
"""Columns that hold the result of a test."""
_SIGNIFICANT = re.compile(r"(?<!not )(?<!no )\bsignifican(t|tly|ce)\b", re.I)


def gather_rows(printed: Sequence[Printed]) -> tuple[Row, ...]:
    """Group metrics by table and row, in the order in which they are printed."""
    rows: dict[tuple[str, str], list[Printed]] = {}
    for p in printed:
        if p.number.unit != "count":
            rows.setdefault((p.table, p.row), []).append(p)
    return tuple(Row(table, name, tuple(cells)) for (table, name), cells in rows.items())


def check_tables(printed: Sequence[Printed], rows: Sequence[Row]) -> Iterator[Finding]:
    """All checks that need more than one row.

    Parameters
    ----------
    printed : sequence of Printed
        Everything.
    rows : sequence of Row
        Those of it that are no means.
    """
    yield from _check_means(printed)
    yield from _check_all_positive(rows)
    yield from _check_claims(printed)
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
        loose = mean_of([q.loosened().number.interval for q in parts])
        if mean.meets(p.number.interval) or loose.meets(p.loosened().number.interval):
            continue
        scale = 100 if p.number.unit == "percent" else 1
        said = f"{float(scale * mean.midpoint):.{len(p.number.text.partition('.')[2])}f}"
        arithmetic = (
            f"({' + '.join(q.number.text for q in parts)}) / {len(parts)} = {said}"
            if len(parts) > 1 else f"{p.mean_of[0]}: {said}"
        )  # fmt: skip
        notes = " ".join(dict.fromkeys(q.note for q in parts if q.note))
        if _weighted(parts, p):
            yield Finding(
                "weighted-mean", "note", p.where, f"{p.column} {p.number}", arithmetic,
                f"The printed mean {p.column} weighs the rows by their numbers of cases.",
            )  # fmt: skip
            continue
        yield Finding(
            "mean", "error", p.where, f"{p.column} {p.number}",
            arithmetic + (f" ({notes})" if notes else ""),
            f"The printed mean {p.column} is {p.number}; the rows give {said}.",
        )  # fmt: skip


def _weighted(parts: Sequence[Printed], mean: Printed) -> bool:
    """Whether it is the mean of the rows weighted by their cases."""
    sizes = [q.n[0] if q.n and q.n[0] == q.n[1] else 0 for q in parts]
    if not all(sizes):
        return False
    ends = [q.loosened().number.interval for q in parts]
    low, high = (
        sum((n * end for n, end in zip(sizes, side, strict=True)), Fraction(0)) / sum(sizes)
        for side in zip(*ends, strict=True)
    )
    return Interval(low, high).meets(mean.loosened().number.interval)


def _check_all_positive(rows: Sequence[Row]) -> Iterator[Finding]:
    """Find F1s that calling everybody positive nearly reaches, or beats: one finding for all."""
    rules = [
        (f"{row.where}, {accuracy.number} positive", accuracy.number.value)
        for row in rows
        if row.all_positive and (accuracy := row.get("accuracy"))
    ]
    reached: list[tuple[Fraction, Row, list[tuple[str, Fraction]]]] = []
    for row in rows:
        f1 = row.get("f1")
        if f1 is None or row.all_positive or is_macro_f1(row):
            continue
        shares = list(rules)
        if implied := implied_prevalence(row):
            own = f"the prevalence the row implies, {percent(implied.midpoint, 1)} %"
            shares.insert(0, (own, implied.midpoint))
        trivial = [(words, 2 * p / (1 + p)) for words, p in shares if 0 < p <= 1]
        if any(f1.number.value - value < NEAR_TRIVIAL for _, value in trivial):
            reached.append((f1.number.value, row, trivial))
    if not reached:
        return
    best, row, trivial = max(reached, key=lambda one: one[0])
    values = dict.fromkeys(percent(value) for _, value in trivial)
    others = [f"{other.where} ({percent(f1)})" for f1, other, _ in reached if other is not row]
    yield Finding(
        "all-positive", "warning", row.where,
        row.seen("f1") + (f"; so it is for {numbers_words(others)}" if others else ""),
        "; ".join(f"2p / (1 + p) at {words} = {percent(value)} %" for words, value in trivial),
        f"Calling every case positive has an F1 of {' or '.join(values)} % beside the printed "
        f"{percent(best)} %: F1 cannot show that the row is better than no test at all.",
    )  # fmt: skip


def _check_claims(printed: Sequence[Printed]) -> Iterator[Finding]:
    """Find differences that a note calls significant in a table that prints no test."""
    tested = {p.table for p in printed if p.column in P_VALUES}
    for p in printed:
        if _SIGNIFICANT.search(p.note) and p.table not in tested:
            yield Finding(
                "untested", "note", p.where, f"{p.column} {p.number}", p.note,
                "Called significant, but no p value is printed with it.",
            )  # fmt: skip


def _check_one_test_set(rows: Sequence[Row]) -> Iterator[Finding]:
    """Rows of one table that imply different shares of cases with the outcome."""
    implied = [(row, found) for row in rows if (found := implied_prevalence(row))]
    if not implied or not disjoint([interval for _, interval in implied]):
        return
    low, high = (way(implied, key=lambda pair: pair[1].midpoint) for way in (min, max))
    # Internal and external rows of one table are honest: only one and the same n is a claim.
    same = low[0].n is not None and low[0].n == high[0].n
    yield Finding(
        "prevalence-differs", "warning" if same else "note", rows[0].table,
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
        "AUCs from continuous scores and from yes/no decisions are in one column. Compared by "
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
    tests = [size for line in lines for part, size in line.parts if part == "test"]
    seen: set[str] = set()
    for row in rows:
        implied = implied_prevalence(row)
        if not cohort or implied is None or row.n is None or row.table in seen:
            continue
        low, high = row.n
        if tests and not any(low <= size <= high for size in tests):
            continue  # an external set, say, which nobody drew from this cohort
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
