"""Nothing printed from one confusion matrix is accused; what was changed nearly always is."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.papercheck import Finding, Printed, Rounded, check

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
    from hemocast.papercheck.printed import PAPER, read_printed

    some = [f for f in check(read_printed(PAPER)) if f.severity == severity]
    assert some
    for finding in some:
        assert all((finding.where, finding.seen, finding.arithmetic))
        assert finding.sentence.endswith(".")
