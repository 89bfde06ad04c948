from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.papercheck.numbers import Finding, Printed, Rounded
from hemocast.papercheck.tables import check_tables, gather_rows


def row(name: str, n: tuple[int, int] | None = None, **metrics: str) -> list[Printed]:
    return [Printed("T", name, k, Rounded(v, "percent"), n=n) for k, v in metrics.items()]


def mean(column: str, text: str, *names: str) -> Printed:
    return Printed("T", "Mean", column, Rounded(text, "percent"), mean_of=names)


def codes(printed: list[Printed]) -> dict[str, Finding]:
    return {finding.code: finding for finding in check_tables(printed, gather_rows(printed))}


MADE_UP = [
    *row("R1", specificity="91.10"),
    *row("R2", specificity="85.30"),
    *row("R3", specificity="90.05"),
]


def test_a_mean_that_its_rows_do_not_give() -> None:
    wrong = codes([*MADE_UP, mean("specificity", "80.67", "R1", "R2", "R3")])["mean"]
    assert wrong.arithmetic == "(91.10 + 85.30 + 90.05) / 3 = 88.82"
    assert not codes([*MADE_UP, mean("specificity", "88.82", "R1", "R2", "R3")])
    assert not codes([*MADE_UP, mean("specificity", "80.67", "R1", "R2", "R9")])


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_a_mean_of_the_numbers_before_rounding_is_never_accused(
    values: list[float], digits: int, fine: int
) -> None:
    rows = [p for k, v in enumerate(values) for p in row(f"R{k}", auc=f"{v:.{digits}f}")]
    names = [f"R{k}" for k in range(len(values))]
    printed = mean("auc", f"{sum(values) / len(values):.{fine}f}", *names)
    assert "mean" not in codes([*rows, printed])


def test_a_mean_weighted_by_cases_is_a_note() -> None:
    rows = [*row("R1", (100, 100), auc="90.00"), *row("R2", (300, 300), auc="70.00")]
    found = codes([*rows, mean("auc", "75.00", "R1", "R2")])
    assert "mean" not in found
    assert found["weighted-mean"].severity == "note"


def test_significant_without_a_test_is_noted() -> None:
    claim = Printed("T", "M", "auc", Rounded("84.2", "percent"), note="significant advantage")
    assert codes([claim])["untested"].severity == "note"
    test = Printed("T", "M", "p_value", Rounded("0.03", "value"))
    assert "untested" not in codes([claim, test])
    none = Printed("T", "M", "auc", Rounded("84.2", "percent"), note="not significant")
    assert "untested" not in codes([none])


def test_calling_everybody_positive_stands_beside_the_papers_f1() -> None:
    model = row("CTNet", accuracy="74.52", sensitivity="71.55", specificity="80.29", f1="78.94")
    rule = row("rule", accuracy="64.52", sensitivity="100", specificity="0", f1="39.22")
    found = codes([*model, *rule])["all-positive"]
    assert found.where == "T, CTNet"
    assert "79.53 or 78.43 %" in found.sentence
    strong = row("S", accuracy="90.0", sensitivity="90.2", specificity="89.6", f1="92.5")
    assert "all-positive" not in codes(strong)


def test_rows_from_different_test_sets() -> None:
    a = row("A", (61, 61), accuracy="73.77", sensitivity="70.73", specificity="80.00")
    b = row("B", (61, 61), accuracy="73.77", sensitivity="60.00", specificity="80.00")
    found = codes([*a, *b])["prevalence-differs"]
    assert "implied prevalence 0.3" in found.arithmetic
    assert found.severity == "warning"
    external = row("B", (90, 90), accuracy="73.77", sensitivity="60.00", specificity="80.00")
    assert codes([*a, *external])["prevalence-differs"].severity == "note"
    assert "prevalence-differs" not in codes(a)


def test_two_kinds_of_auc_and_what_is_left_of_the_gap() -> None:
    model = row("CTNet", sensitivity="71.55", specificity="80.29", auc="84.20")
    rater = row("C", sensitivity="62.00", specificity="88.90", auc="75.45")
    found = codes([*model, *rater])["auc-kinds"]
    assert "0.47 points apart" in found.sentence
    assert "auc-kinds" not in codes(model)


@pytest.mark.parametrize(("n", "found"), [(61, True), (20, False)])
def test_a_test_part_that_no_random_draw_gives(n: int, found: bool) -> None:
    cohort = [Printed("A", "patients", "total", Rounded("474", "count"), stratum=s) for s in ("",)]
    cohort += [Printed("A", "patients", "test", Rounded(str(n), "count"))]
    cohort += [
        Printed("A", "patients", "total", Rounded(k, "count"), stratum=f"outcome: {s}")
        for s, k in (("HT", "231"), ("no HT", "243"))
    ]
    model = row("CTNet", (n, n), accuracy="74.52", sensitivity="71.55", specificity="80.29")
    assert ("unlikely-draw" in codes([*cohort, *model])) is found
