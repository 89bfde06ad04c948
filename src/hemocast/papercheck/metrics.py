"""What the metrics of one printed row say of each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from hemocast.papercheck.matrix import (
    MAX_N,
    Bound,
    ConfusionMatrices,
    closest_matrix,
    exchange,
    find_matrices,
)
from hemocast.papercheck.numbers import (
    SHARES,
    UNIT_INTERVAL,
    Finding,
    Interval,
    Printed,
    Rounded,
    cases_words,
    disjoint,
    mean_of,
    numbers_words,
    percent,
    range_over,
    range_words,
)
from hemocast.stats.metrics import COUNT_METRICS

_TRIED = 200
_AROUND = 10
_SLOW = 1000
_FINE = Fraction(1, 2000)
"""An AUC printed more coarsely than to a tenth of a percentage point meets others by chance."""
_SAYS_MEAN = re.compile(
    r"\b(mean|means|average|averaged|folds?|cross-?validat\w*|bootstrap\w*|resampl\w*)\b", re.I
)
"""Words of a row's name or note that say that it is a mean."""


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

    def intervals(self, *metrics: str) -> list[Interval] | None:
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
    def mean_over(self) -> str:
        """What it is a mean over, as a cell declares or the row's own words say; or ""."""
        for p in self.printed:
            if p.mean_of:
                return f"the rows {'; '.join(p.mean_of)}"
            if p.mean_over:
                return p.mean_over
        said = _SAYS_MEAN.search(" ".join((self.name, *(p.note for p in self.printed))))
        return f"what its own words say ({said[0]})" if said else ""

    def loosened(self) -> Row:
        """Return the row with every number read loosely."""
        return replace(self, printed=tuple(p.loosened() for p in self.printed))

    @property
    def n(self) -> tuple[int, int] | None:
        """Fewest and most cases."""
        return next((p.n for p in self.printed if p.n), None)

    @property
    def balanced_accuracy(self) -> Interval | None:
        """Mean of sensitivity and specificity, as they or it are printed."""
        if intervals := self.intervals("sensitivity", "specificity"):
            return mean_of(intervals)
        given = self.intervals("balanced_accuracy")
        return given[0] if given else None

    @property
    def all_positive(self) -> bool:
        """Whether it calls everybody positive: sensitivity 1, specificity 0."""
        intervals = self.intervals("sensitivity", "specificity")
        return intervals is not None and intervals[0].high == 1 and intervals[1].low == 0


def f1_of(sensitivity: Fraction, ppv: Fraction) -> Fraction:
    """Equation 7 of Zhang 2026 (10.3389/fnins.2025.1753071): the harmonic mean."""
    return 2 * sensitivity * ppv / (sensitivity + ppv)


def binary_f1(sensitivity: Fraction, specificity: Fraction, prevalence: Fraction) -> Fraction:
    """F1 of the positive class: 2 TP / (2 TP + FP + FN)."""
    top = 2 * sensitivity * prevalence
    return top / (top + (1 - specificity) * (1 - prevalence) + (1 - sensitivity) * prevalence)


_WAYS: tuple[tuple[tuple[str, str, str], Callable[..., Fraction]], ...] = (
    (("accuracy", "sensitivity", "specificity"),
     lambda acc, sens, spec: (acc - spec) / (sens - spec)),
    (("sensitivity", "specificity", "ppv"),
     lambda sens, spec, ppv: ppv * (1 - spec) / (ppv * (1 - spec) + sens * (1 - ppv))),
    (("sensitivity", "specificity", "npv"),
     lambda sens, spec, npv: spec * (1 - npv) / (spec * (1 - npv) + npv * (1 - sens))),
)  # fmt: skip
"""From accuracy = sens P + spec (1 - P); from Bayes' theorem for PPV and NPV."""


def prevalences(row: Row) -> list[tuple[str, Interval]]:
    """Prevalence that a row implies, by each way there is; an interval each, exact."""
    found = []
    for names, way in _WAYS:
        intervals = row.intervals(*names)
        if intervals is None or (names[0] == "accuracy" and intervals[1].meets(intervals[2])):
            continue  # with sensitivity = specificity every prevalence gives the same accuracy
        if interval := range_over(way, *intervals):
            found.append((", ".join(names), interval))
    return found


def implied_prevalence(row: Row) -> Interval | None:
    """Prevalence that a row implies, by the first way there is."""
    return next((interval for _, interval in prevalences(row)), None)


def check_prevalence(row: Row) -> Iterator[Finding]:
    """Say the prevalence a row implies, and whether its metrics agree on one."""
    found = prevalences(row)
    if not found:
        return
    seen = row.seen("accuracy", "sensitivity", "specificity", "ppv", "npv")
    words = "; ".join(f"from {names}: {interval.words(5)}" for names, interval in found)
    if disjoint([interval for _, interval in found]) or any(
        not interval.meets(UNIT_INTERVAL) for _, interval in found
    ):
        yield Finding(
            "prevalence-contradiction", "error", row.where, seen, words,
            "No one prevalence gives these metrics: they do not come from one confusion matrix.",
        )  # fmt: skip
    else:
        yield Finding(
            "prevalence", "note", row.where, seen, words,
            f"These metrics imply that about {percent(found[0][1].midpoint, 1)} % of the cases "
            "have the outcome.",
        )  # fmt: skip


def _f1_intervals(row: Row) -> tuple[Interval, Interval] | None:
    """Binary and macro-F1 that sensitivity, specificity and the implied prevalence allow."""
    prevalence, intervals = implied_prevalence(row), row.intervals("sensitivity", "specificity")
    if intervals is None or prevalence is None or not prevalence.meets(UNIT_INTERVAL):
        return None
    low, high = max(prevalence.low, Fraction(0)), min(prevalence.high, Fraction(1))
    plain = range_over(binary_f1, *intervals, Interval(low, high))
    other = range_over(binary_f1, intervals[1], intervals[0], Interval(1 - high, 1 - low))
    return (plain, mean_of((plain, other))) if plain and other else None


def is_macro_f1(row: Row) -> bool:
    """Whether what is printed as F1 cannot be one, but is the mean of both classes' F1."""
    printed, intervals = row.get("f1"), _f1_intervals(row)
    if printed is None or intervals is None:
        return False
    plain, macro = (interval.meets(printed.number.share) for interval in intervals)
    return macro and not plain


def check_f1(row: Row) -> Iterator[Finding]:
    """F1 that does not follow from the row's other metrics, or is that of both classes."""
    printed = row.get("f1")
    if printed is None:
        return
    if is_macro_f1(row):
        yield _macro_f1(row, printed)
        return
    names: tuple[str, ...] = ("sensitivity", "ppv")
    how, follows = "2 x sensitivity x PPV / (sensitivity + PPV)", None
    if intervals := row.intervals(*names):
        follows = range_over(f1_of, *intervals)
    elif both := _f1_intervals(row):
        names, how, follows = ("accuracy", "sensitivity", "specificity"), "F1", both[0]
    if follows is not None and not follows.meets(printed.number.share):
        yield Finding(
            "f1", "error", row.where, row.seen(*names, "f1"),
            f"{how} = {percent(follows.low, 3)} to {percent(follows.high, 3)} %, rounding allowed "
            "for",
            f"The printed F1, {printed.number}, does not follow from the row's "
            f"{' and '.join(names)}.",
        )  # fmt: skip


def _macro_f1(row: Row, printed: Printed) -> Finding:
    sens, spec, accuracy = (
        found.number.value if (found := row.get(name)) else Fraction(0)
        for name in ("sensitivity", "specificity", "accuracy")
    )
    prevalence = (implied_prevalence(row) or UNIT_INTERVAL).midpoint
    if row.get("accuracy") and sens != spec:
        prevalence = (accuracy - spec) / (sens - spec)
    plain, other = binary_f1(sens, spec, prevalence), binary_f1(spec, sens, 1 - prevalence)
    return Finding(
        "macro-f1", "error", row.where,
        row.seen("accuracy", "sensitivity", "specificity", "ppv", "f1"),
        f"prevalence {percent(prevalence)} %; F1 of the positive class {percent(plain)} %, of the "
        f"negative class {percent(other)} %, their mean {percent((plain + other) / 2)} %",
        f"The number printed as F1, {printed.number}, is the macro-F1 (the mean over both "
        f"classes). The F1 of the outcome is {percent(plain)} %; the two may not stand in one "
        "column.",
    )  # fmt: skip


def _shares_of(row: Row) -> list[tuple[str, Rounded]]:
    """Metrics of one confusion matrix, and what was printed; a macro-F1 under its own name."""
    names = [(p.column, p.number) for p in row.printed if p.column in SHARES]
    if is_macro_f1(row):
        names = [("macro_f1" if name == "f1" else name, number) for name, number in names]
    return names


@lru_cache(maxsize=64)
def fitting_matrices(row: Row) -> tuple[ConfusionMatrices, ...] | None:
    """Find the confusion matrices of whole numbers that print as a row does.

    Returns
    -------
    tuple of ConfusionMatrices or None
        One for every number of cases that has some; None where they are not looked for.
    """
    names = _shares_of(row)
    if row.n is None or row.n[1] > MAX_N or len(names) < 2:
        return None
    bounds = [Bound.of(*name) for name in names]
    low, high = row.n
    if high > _SLOW and exchange(bounds) is None and row.get("sensitivity") is None:
        return None  # every number of true positives would have to be tried
    found = (find_matrices(n, bounds) for n in range(low, high + 1))
    return tuple(one for one in found if one.cells.size)


def check_matrix(row: Row) -> Iterator[Finding]:
    """Look for a confusion matrix of whole numbers behind the row."""
    fits = fitting_matrices(row)
    if fits is None or row.n is None:
        return
    seen = row.seen(*SHARES) + f", {range_words(row.n)}"
    if not fits:
        yield _no_matrix(row, row.n, seen)
        return
    cells = [tuple(map(int, cell)) for found in fits for cell in found.cells]
    if len(cells) == 1:
        tp, fn, tn, fp = cells[0]
        yield Finding(
            "one-matrix", "note", row.where, seen, f"TP {tp}, FN {fn}, TN {tn}, FP {fp}",
            "Exactly one confusion matrix gives these metrics.",
        )  # fmt: skip


def _no_matrix(row: Row, n: tuple[int, int], seen: str) -> Finding:
    """Say which matrices come closest, and which numbers of cases would do."""
    low, high = n
    names = _shares_of(row)
    bounds = [Bound.of(*name) for name in names]
    tried = range(1, _TRIED + 1) if high <= _TRIED else range(low - _AROUND, high + _AROUND + 1)
    other = [k for k in tried if k <= MAX_N and find_matrices(k, bounds, 1).cells.size]
    return Finding(
        "no-matrix", "error", row.where, seen,
        f"closest (TP/FN/TN/FP): {_closest(low, high, names)}. n from {tried[0]} to "
        f"{tried[-1]} that fit: {numbers_words(other)}",
        f"No confusion matrix of {cases_words(n)} gives these metrics: they are not the point "
        "estimates of one such set (of means over folds or resamples say so under mean_over).",
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
    printed, mean = row.get("auc"), row.balanced_accuracy
    if printed is None or printed.number.half > _FINE or mean is None:
        return
    if mean.meets(printed.number.share):
        names = ("sensitivity", "specificity")
        used = names if row.intervals(*names) else ("balanced_accuracy",)
        yield Finding(
            "single-point-auc", "warning", row.where, row.seen(*used, "auc"),
            f"(sensitivity + specificity) / 2 = {percent(mean.midpoint)} %",
            "The printed AUC equals the area under a ROC curve of one point, as yes/no decisions "
            "give it. Such an AUC may not be compared with one from continuous scores.",
        )  # fmt: skip
