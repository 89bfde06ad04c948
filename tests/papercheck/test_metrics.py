from __future__ import annotations

import pytest

from hemocast.papercheck.metrics import (
    Row,
    check_f1,
    check_matrix,
    check_prevalence,
    check_single_point,
)
from hemocast.papercheck.numbers import Printed, Rounded


def make(n: tuple[int, int] | None = None, **metrics: str) -> Row:
    return Row(
        "T",
        "M",
        tuple(Printed("T", "M", k, Rounded(v, "percent"), n=n) for k, v in metrics.items()),
    )


def test_the_all_positive_rules_macro_f1_is_named() -> None:
    row = make(accuracy="64.52", sensitivity="100", specificity="0", f1="39.22")
    (finding,) = check_f1(row)
    assert finding.code == "macro-f1"
    assert "39.22" in finding.arithmetic
    assert "78.43" in finding.sentence


def test_a_macro_f1_of_an_ordinary_matrix_is_named_too() -> None:
    # TP 29, FN 12, TN 16, FP 4: F1 78.38, macro-F1 72.52.
    shares = {"accuracy": "73.77", "sensitivity": "70.73", "specificity": "80.00", "ppv": "87.88"}
    assert [f.code for f in check_f1(make(f1="72.52", **shares))] == ["macro-f1"]
    assert [f.code for f in check_f1(make(f1="75.52", **shares))] == ["f1"]
    assert not list(check_f1(make(f1="78.38", **shares)))
    del shares["ppv"]
    assert [f.code for f in check_f1(make(f1="75.52", **shares))] == ["f1"]


def test_f1_does_not_follow_from_the_papers_sensitivity_and_ppv() -> None:
    (finding,) = check_f1(make(sensitivity="71.55", ppv="87.48", f1="78.94"))
    assert "78.712 to 78.722" in finding.arithmetic


def test_one_matrix_is_said_and_none_is_an_error_with_the_n_that_fit() -> None:
    shares = {"accuracy": "73.77", "sensitivity": "70.73", "specificity": "80.00", "ppv": "87.88"}
    (note,) = check_matrix(make((61, 61), **shares))
    assert (note.code, note.arithmetic) == ("one-matrix", "TP 29, FN 12, TN 16, FP 4")
    (error,) = check_matrix(make((60, 60), **shares))
    assert error.code == "no-matrix"
    assert "fit: 61, 122, 183" in error.arithmetic
    assert not list(check_matrix(make(**shares)))
    (large,) = check_matrix(make((5000, 5000), accuracy="74.52", ppv="87.48", npv="1.00"))
    assert "n from 4990 to 5010" in large.arithmetic


def test_prevalence_is_implied_in_two_ways_that_must_agree() -> None:
    (note,) = check_prevalence(
        make(accuracy="73.77", sensitivity="70.73", specificity="80.00", ppv="87.88", npv="57.14")
    )
    assert note.severity == "note"
    assert "67.2 %" in note.sentence
    (error,) = check_prevalence(
        make(accuracy="73.77", sensitivity="70.73", specificity="80.00", ppv="60.00")
    )
    assert error.code == "prevalence-contradiction"
    (outside,) = check_prevalence(make(accuracy="90.0", sensitivity="70.0", specificity="80.0"))
    assert outside.code == "prevalence-contradiction"


def test_equal_sensitivity_and_specificity_imply_nothing() -> None:
    assert not list(check_prevalence(make(accuracy="80", sensitivity="80", specificity="80")))


@pytest.mark.parametrize(("auc", "found"), [("64.59", True), ("64.61", False), ("65", False)])
def test_an_auc_of_one_point(auc: str, found: bool) -> None:
    row = make(sensitivity="40.58", specificity="88.60", auc=auc)
    assert bool(list(check_single_point(row))) is found
