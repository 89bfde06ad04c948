"""Nothing printed from one confusion matrix is accused; what was changed nearly always is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    localcontext,
)
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.papercheck import (
    PAPER,
    Finding,
    Printed,
    Rounded,
    check,
    read_printed,
    summarise,
    table_of,
)

NAMES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "auc")


def _text(value: Fraction, digits: int, rule: str) -> str:
    with localcontext() as context:
        context.prec = 60
        decimal = Decimal(100 * value.numerator) / Decimal(value.denominator)
        return str(decimal.quantize(Decimal(1).scaleb(-digits), rounding=rule))


def row(matrix: tuple, digits: int = 2, rule: str = ROUND_HALF_UP, n: bool = True) -> list[Printed]:
    tp, fn, tn, fp = (Fraction(cell) for cell in matrix)
    size = sum(matrix)
    values: dict[str, Fraction] = {"accuracy": (tp + tn) / size}
    if tp + fn:
        values["sensitivity"] = tp / (tp + fn)
    if tn + fp:
        values["specificity"] = tn / (tn + fp)
    if tp + fp:
        values["ppv"] = tp / (tp + fp)
    if tn + fn:
        values["npv"] = tn / (tn + fn)
    if 2 * tp + fp + fn:
        values["f1"] = 2 * tp / (2 * tp + fp + fn)
    if tp + fn and tn + fp:
        values["balanced_accuracy"] = (values["sensitivity"] + values["specificity"]) / 2
    cases = (size, size) if n else None
    return [
        Printed("T", "M", name, Rounded(_text(value, digits, rule), "percent"), n=cases)
        for name, value in values.items()
    ]


def errors(found: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in found if finding.severity == "error"]


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*[st.integers(0, 60)] * 4).filter(lambda c: sum(c) > 0),
    st.integers(0, 3),
    st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
    st.booleans(),
    st.sets(st.sampled_from(NAMES)),
)
def test_a_true_row_is_never_accused(
    matrix: tuple, digits: int, rule: str, n: bool, left_out: set
) -> None:
    printed = [p for p in row(matrix, digits, rule, n) if p.column not in left_out]
    assert errors(check(printed)) == []


def test_a_changed_row_nearly_always_is() -> None:
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(50):
        matrix = tuple(int(c) for c in rng.integers(3, 40, 4))
        printed = row(matrix)
        k = int(rng.integers(len(printed)))
        moved = float(printed[k].number.text) + float(rng.choice([-1, 1]) * rng.uniform(0.2, 2))
        text = f"{np.clip(moved, 0, 100):.2f}"
        changed = Printed("T", "M", printed[k].column, Rounded(text, "percent"), n=printed[k].n)
        found += bool(errors(check([*printed[:k], changed, *printed[k + 1 :]])))
    assert found >= 49


def test_errors_come_first_and_notes_last() -> None:
    odd = Printed("T", "X", "accuracy", Rounded("64.52", "percent"), n=(61, 61))
    printed = [*row((30, 12, 16, 4)), odd]
    order = [finding.severity for finding in check(printed)]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert order[0] == "error"
    assert order[-1] == "note"


def test_no_numbers_no_findings() -> None:
    assert check([]) == ()


@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_every_finding_says_what_where_and_how(severity: str) -> None:
    some = [f for f in check(read_printed(PAPER)) if f.severity == severity]
    assert some
    for finding in some:
        assert all((finding.where, finding.seen, finding.arithmetic))
        assert finding.sentence.endswith(".")


STYLES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN, ROUND_DOWN, ROUND_UP)


def _metrics(matrix: np.ndarray) -> dict[str, Fraction]:
    """Every metric of a confusion matrix, 0 where the denominator is empty as software has it."""
    tp, fn, tn, fp = (Fraction(int(cell)) for cell in matrix)
    shares = {
        "accuracy": (tp + tn, tp + fn + tn + fp), "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn),
        "f1": (2 * tp, 2 * tp + fp + fn),
    }  # fmt: skip
    found = {
        name: top / bottom if bottom else Fraction(0) for name, (top, bottom) in shares.items()
    }
    found["balanced_accuracy"] = (found["sensitivity"] + found["specificity"]) / 2
    return found


def honest_table(seed: int) -> Iterator[Printed]:
    """Print a table in which nothing is wrong: models, their average, folds, and counts."""
    rng = np.random.default_rng(seed)
    rule, digits = STYLES[int(rng.integers(5))], int(rng.integers(0, 4))
    kept = [name for name in NAMES[:-1] if rng.random() < 0.8] or ["accuracy"]
    ends = rng.integers(1, 80, 2)

    def number(value: Fraction) -> Rounded:
        return Rounded(_text(value, digits, rule), "percent")

    rows = {}
    for name in ("A", "B", "External C")[: int(rng.integers(1, 4))]:
        p, n = rng.integers(1, 80, 2) if name.startswith("External") else ends
        tp, tn = rng.integers(0, p + 1), rng.integers(0, n + 1)
        rows[name] = _metrics(np.array([tp, p - tp, tn, n - tn]))
        size = int(p + n)
        for metric in kept:
            yield Printed("T", name, metric, number(rows[name][metric]), n=(size, size))
        for k in range(2):
            count = int(rng.integers(0, size + 1))
            share = number(Fraction(count, size))
            yield Printed("Shares", f"{name} {k}", "share", share, n=(size, size), count=count)
    for metric in kept:
        mean = sum((row[metric] for row in rows.values()), Fraction(0)) / len(rows)
        yield Printed("T", "Average", metric, number(mean), mean_of=tuple(rows))
    folds = [_metrics(rng.integers(1, 12, 4)) for _ in range(int(rng.integers(2, 11)))]
    over = str(rng.choice(["folds", "resamples", "runs"]))
    for metric in kept:
        mean = sum((fold[metric] for fold in folds), Fraction(0)) / len(folds)
        yield Printed("T", "M", metric, number(mean), n=(61, 61), mean_over=over)


def _accused(seeds: range) -> list[tuple[int, list[str]]]:
    found = ((seed, errors(check(list(honest_table(seed))))) for seed in seeds)
    return [(seed, codes) for seed, codes in found if codes]


def test_honest_tables_are_not_accused() -> None:
    assert _accused(range(150)) == []


@pytest.mark.slow
def test_ten_thousand_honest_tables_are_not_accused() -> None:
    assert _accused(range(10_000)) == []


def test_a_row_that_says_in_words_that_it_is_a_mean_is_not_accused() -> None:
    wrong = {"accuracy": "74.52", "sensitivity": "71.55", "specificity": "80.29", "ppv": "87.48"}
    for name, expected in (("CTNet", True), ("CTNet, 5-fold cross-validation", False)):
        printed = [
            Printed("T", name, k, Rounded(v, "percent"), n=(61, 61)) for k, v in wrong.items()
        ]
        assert bool(errors(check(printed))) is expected


def test_digits_cut_off_are_a_note() -> None:
    # TP 29, FN 12, TN 16, FP 4: 73.770, 70.731, 80, 87.878.
    cut = {"accuracy": "73.77", "sensitivity": "70.73", "specificity": "80.00", "ppv": "87.87"}
    found = check([Printed("T", "M", k, Rounded(v, "percent"), n=(61, 61)) for k, v in cut.items()])
    assert errors(found) == []
    (note,) = (f for f in found if f.code == "digits-cut")
    assert note.severity == "note"


def test_calling_all_positive_is_said_once_for_all_rows() -> None:
    printed = [
        Printed("T", f"R{k}", name, Rounded(text, "percent"))
        for k in range(11)
        for name, text in (("sensitivity", "40.00"), ("specificity", "80.00"),
                           ("accuracy", "60.00"), ("f1", "50.00"))
    ]  # fmt: skip
    (finding,) = (f for f in check(printed) if f.code == "all-positive")
    assert "T, R1 (50.00)" in finding.seen


def test_the_summary_has_three_lines_that_fit_a_terminal() -> None:
    printed = read_printed(PAPER)
    lines = summarise(printed, check(printed))
    assert len(lines) == 3
    assert all("\n" not in line and len(line) <= 115 for line in lines)
    assert f"{len(printed)} printed numbers" in lines[0]
    assert lines[1].startswith("Cannot be right as printed: cases in more than one part")
    assert summarise([], ())[1] == "Cannot be right as printed: nothing found"


def test_every_finding_stands_under_its_table() -> None:
    printed = read_printed(PAPER)
    names = {p.table for p in printed}
    for finding in check(printed):
        place = table_of(finding, printed)
        assert place in names or finding.code.startswith("counts-")
