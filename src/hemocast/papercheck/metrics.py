"""What the metrics of one printed row say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hemocast.papercheck.matrix import MAX_N, Bound, closest_matrix, find_matrices, turn
from hemocast.papercheck.numbers import (
    SHARES,
    Finding,
    Printed,
    Rounded,
    Span,
    cases_words,
    corners,
    middle,
    numbers_words,
    overlap,
    percent,
    range_words,
    span_words,
)
from hemocast.stats.metrics import COUNT_METRICS

_TRIED = 200
_AROUND = 10
_SLOW = 1000
_ONE = Fraction(1)
_FINE = Fraction(1, 2000)
"""An AUC printed more coarsely than to a tenth of a percentage point meets others by chance."""


@dataclass(frozen=True)
class Row:
    """The metrics of one model or rater in one table.

    Parameters
    ----------
    table, name : str
        Where.
    printed : tuple of Printed
        Its metrics.
    """

    table: str
    name: str
    printed: tuple[Printed, ...]

    @property
    def where(self) -> str:
        """Table and row, in words."""
        return f"{self.table}, {self.name}"

    def get(self, metric: str) -> Printed | None:
        """Return a metric, or None where it is not printed."""
        return next((p for p in self.printed if p.column == metric), None)

    def spans(self, *metrics: str) -> list[Span] | None:
        """Spans of several metrics; None unless all are printed."""
        found = [self.get(metric) for metric in metrics]
        return [p.number.share for p in found if p] if all(found) else None

    def seen(self, *metrics: str) -> str:
        """Say those of the metrics that are printed."""
        found = [self.get(metric) for metric in metrics]
        return ", ".join(
            f"{p.column} {p.number}" + (f" [{p.note}]" if p.note else "") for p in found if p
        )

    @property
    def n(self) -> tuple[int, int] | None:
        """Fewest and most cases."""
        return next((p.n for p in self.printed if p.n), None)

    @property
    def all_positive(self) -> bool:
        """Whether it calls everybody positive: sensitivity 1, specificity 0."""
        spans = self.spans("sensitivity", "specificity")
        return bool(spans) and spans[0][1] == 1 and spans[1][0] == 0  # type: ignore[index]


def f1_of(sensitivity: Fraction, ppv: Fraction) -> Fraction:
    """Equation 7 of Zhang 2026 (10.3389/fnins.2025.1753071): the harmonic mean."""
    return 2 * sensitivity * ppv / (sensitivity + ppv)


def binary_f1(sensitivity: Fraction, specificity: Fraction, prevalence: Fraction) -> Fraction:
    """F1 of the positive class: 2 TP / (2 TP + FP + FN)."""
    top = 2 * sensitivity * prevalence
    return top / (top + (1 - specificity) * (1 - prevalence) + (1 - sensitivity) * prevalence)


def prevalences(row: Row) -> list[tuple[str, Span]]:
    """Prevalence that a row implies, by each way there is; an interval each, exact.

    From accuracy = sens P + spec (1 - P); from Bayes' theorem for PPV and NPV.
    """
    ways = (
        (
            ("accuracy", "sensitivity", "specificity"),
            lambda acc, sens, spec: (acc - spec) / (sens - spec),
        ),
        (
            ("sensitivity", "specificity", "ppv"),
            lambda sens, spec, ppv: ppv * (1 - spec) / (ppv * (1 - spec) + sens * (1 - ppv)),
        ),
        (
            ("sensitivity", "specificity", "npv"),
            lambda sens, spec, npv: spec * (1 - npv) / (spec * (1 - npv) + npv * (1 - sens)),
        ),
    )
    found = []
    for names, way in ways:
        spans = row.spans(*names)
        if spans is None:
            continue
        sens, spec = (spans[names.index(name)] for name in ("sensitivity", "specificity"))
        if overlap(sens, spec) and names[0] == "accuracy":
            continue  # every prevalence gives the same accuracy
        span = corners(way, *spans)
        if span is not None:
            found.append((", ".join(names), span))
    return found


def check_prevalence(row: Row) -> Iterator[Finding]:
    """Say the prevalence a row implies, and whether its metrics agree on one."""
    found = prevalences(row)
    seen = row.seen("accuracy", "sensitivity", "specificity", "ppv", "npv")
    words = "; ".join(f"from {names}: {span_words(span, 5)}" for names, span in found)
    apart = any(not overlap(a, b) for i, (_, a) in enumerate(found) for _, b in found[:i])
    if apart or any(not overlap(span, (Fraction(0), _ONE)) for _, span in found):
        yield Finding(
            "prevalence-contradiction", "error", row.where, seen, words,
            "No one prevalence gives these metrics: they do not come from one confusion matrix.",
        )  # fmt: skip
    elif found:
        yield Finding(
            "prevalence", "note", row.where, seen, words,
            f"These metrics imply that about {percent(middle(found[0][1]), 1)} % of the cases have "
            "the outcome.",
        )  # fmt: skip


def _f1_spans(row: Row) -> tuple[Span, Span] | None:
    """Binary and macro-F1 that sensitivity, specificity and the implied prevalence allow."""
    ways = prevalences(row)
    spans = row.spans("sensitivity", "specificity")
    if spans is None or not ways or not overlap(ways[0][1], (Fraction(0), _ONE)):
        return None
    low, high = max(ways[0][1][0], Fraction(0)), min(ways[0][1][1], _ONE)
    plain = corners(binary_f1, *spans, (low, high))
    other = corners(binary_f1, spans[1], spans[0], (1 - high, 1 - low))
    if plain is None or other is None:
        return None
    return plain, ((plain[0] + other[0]) / 2, (plain[1] + other[1]) / 2)


def is_macro_f1(row: Row) -> bool:
    """Whether what is printed as F1 cannot be one, but is the mean of both classes' F1."""
    printed, spans = row.get("f1"), _f1_spans(row)
    if printed is None or spans is None:
        return False
    return not overlap(spans[0], printed.number.share) and overlap(spans[1], printed.number.share)


def check_f1(row: Row) -> Iterator[Finding]:
    """F1 that does not follow from the row's other metrics, or is that of both classes."""
    printed = row.get("f1")
    if printed is None:
        return
    if is_macro_f1(row):
        yield _macro_f1(row, printed)
        return
    names: tuple[str, ...]
    names, follows, how = (
        ("sensitivity", "ppv"),
        None,
        "2 x sensitivity x PPV / (sensitivity + PPV)",
    )
    if spans := row.spans(*names):
        follows = corners(f1_of, *spans)
    elif both := _f1_spans(row):
        names, follows, how = ("accuracy", "sensitivity", "specificity"), both[0], "F1"
    if follows is not None and not overlap(follows, printed.number.share):
        yield Finding(
            "f1", "error", row.where, row.seen(*names, "f1"),
            f"{how} = {percent(follows[0], 3)} to {percent(follows[1], 3)} %, rounding allowed for",
            f"The printed F1, {printed.number}, does not follow from the row's "
            f"{' and '.join(names)}.",
        )  # fmt: skip


def _macro_f1(row: Row, printed: Printed) -> Finding:
    found = [row.get(name) for name in ("sensitivity", "specificity", "accuracy")]
    sens, spec, accuracy = (p.number.value if p else None for p in found)
    prevalence = middle(prevalences(row)[0][1])
    if sens is not None and spec is not None and accuracy is not None and sens != spec:
        prevalence = (accuracy - spec) / (sens - spec)
    plain = binary_f1(sens or Fraction(0), spec or Fraction(0), prevalence)
    other = binary_f1(spec or Fraction(0), sens or Fraction(0), 1 - prevalence)
    return Finding(
        "macro-f1", "error", row.where,
        row.seen("accuracy", "sensitivity", "specificity", "ppv", "f1"),
        f"prevalence {percent(prevalence)} %; F1 of the positive class {percent(plain)} %, of the "
        f"negative class {percent(other)} %, their mean {percent((plain + other) / 2)} %",
        f"The number printed as F1, {printed.number}, is the macro-F1 (the mean over both "
        f"classes). The F1 of the outcome is {percent(plain)} %; the two may not stand in one "
        "column.",
    )  # fmt: skip


def check_matrix(row: Row) -> Iterator[Finding]:
    """Look for a confusion matrix of whole numbers behind the row."""
    names = [(p.column, p.number) for p in row.printed if p.column in SHARES]
    if is_macro_f1(row):
        names = [("macro_f1" if name == "f1" else name, number) for name, number in names]
    if row.n is None or row.n[1] > MAX_N or len(names) < 2:
        return
    bounds = [Bound.of(*name) for name in names]
    low, high = row.n
    if high > _SLOW and turn(bounds) is None and row.get("sensitivity") is None:
        return  # every number of true positives would have to be tried
    fits = [found for n in range(low, high + 1) if (found := find_matrices(n, bounds)).cells.size]
    seen = row.seen(*SHARES) + f", {range_words(row.n)}"
    if not fits:
        tried = range(1, _TRIED + 1) if high <= _TRIED else range(low - _AROUND, high + _AROUND + 1)
        other = [n for n in tried if n <= MAX_N and find_matrices(n, bounds, 1).cells.size]
        yield Finding(
            "no-matrix", "error", row.where, seen,
            f"closest (TP/FN/TN/FP): {_closest(low, high, names)}. n from {tried[0]} to "
            f"{tried[-1]} that fit: {numbers_words(other)}",
            f"No confusion matrix of {cases_words(row.n)} gives these metrics: they are not the "
            "point estimates of one such set.",
        )  # fmt: skip
        return
    cells = [tuple(map(int, cell)) for found in fits for cell in found.cells]
    if len(cells) == 1:
        tp, fn, tn, fp = cells[0]
        yield Finding(
            "one-matrix", "note", row.where, seen, f"TP {tp}, FN {fn}, TN {tn}, FP {fp}",
            "Exactly one confusion matrix gives these metrics.",
        )  # fmt: skip


def _closest(low: int, high: int, names: Sequence[tuple[str, Rounded]]) -> str:
    counted = [name for name in names if name[0] in COUNT_METRICS]
    words = []
    for n in list(range(low, high + 1))[:5]:
        best = closest_matrix(n, counted)
        if best is not None:
            cells, off = best
            words.append(
                f"n = {n}: {'/'.join(map(str, cells.tolist()))}, {100 * off:.2f} points off"
            )
    return "; ".join(words) or "none"


def check_single_point(row: Row) -> Iterator[Finding]:
    """Find an AUC that is the mean of sensitivity and specificity: that of one point."""
    printed = row.get("auc")
    spans = row.spans("sensitivity", "specificity")
    balanced = row.get("balanced_accuracy")
    if printed is None or printed.number.half > _FINE:
        return
    if spans is not None:
        mean = ((spans[0][0] + spans[1][0]) / 2, (spans[0][1] + spans[1][1]) / 2)
        used = row.seen("sensitivity", "specificity", "auc")
    elif balanced is not None:
        mean, used = balanced.number.share, row.seen("balanced_accuracy", "auc")
    else:
        return
    if overlap(mean, printed.number.share):
        yield Finding(
            "single-point-auc", "warning", row.where, used,
            f"(sensitivity + specificity) / 2 = {percent(middle(mean))} %",
            "The printed AUC equals the area under a ROC curve of one point, as yes/no decisions "
            "give it. Such an AUC may not be compared with one from continuous scores.",
        )  # fmt: skip
