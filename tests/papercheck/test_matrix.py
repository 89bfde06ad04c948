"""Against brute force over every matrix, and the paper's own row."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.papercheck.matrix import MAX_N, Bound, closest_matrix, find_matrices
from hemocast.papercheck.numbers import SHARES, Rounded


def metrics(tp: int, fn: int, tn: int, fp: int) -> dict[str, Fraction | None]:
    def share(top: int | Fraction, bottom: int) -> Fraction | None:
        return Fraction(top) / bottom if bottom else None

    sens, spec = share(tp, tp + fn), share(tn, tn + fp)
    yes, no = share(2 * tp, 2 * tp + fp + fn), share(2 * tn, 2 * tn + fp + fn)
    n = tp + fn + tn + fp
    return {
        "accuracy": share(tp + tn, n),
        "sensitivity": sens,
        "specificity": spec,
        "ppv": share(tp, tp + fp),
        "npv": share(tn, tn + fn),
        "f1": yes,
        "macro_f1": None if yes is None or no is None else (yes + no) / 2,
        "balanced_accuracy": None if sens is None or spec is None else (sens + spec) / 2,
        "prevalence": share(tp + fn, n),
    }


cells = st.tuples(*[st.integers(0, 6)] * 4).filter(lambda c: sum(c) > 0)


@settings(max_examples=30, deadline=None)
@given(cells, st.sets(st.sampled_from(SHARES), min_size=1), st.integers(0, 3))
def test_finds_what_brute_force_finds(matrix: tuple, names: set[str], digits: int) -> None:
    n = sum(matrix)
    true = metrics(*matrix)
    half = Fraction(1, 2 * 10**digits)
    bounds = [
        Bound(name, max(value - half, Fraction(0)), min(value + half, Fraction(1)))
        for name in sorted(names)
        if (value := true[name]) is not None
    ]
    found = find_matrices(n, bounds, limit=10_000)
    got = {tuple(map(int, row)) for row in found.cells}
    assert found.complete
    assert matrix in got
    for tp, fn, tn in product(range(n + 1), repeat=3):
        fp = n - tp - fn - tn
        if fp < 0:
            continue
        each = metrics(tp, fn, tn, fp)
        values = [(each[b.metric], b) for b in bounds]
        if all(v is not None for v, _ in values):
            fits = all(b.low <= v <= b.high for v, b in values)
            assert fits == ((tp, fn, tn, fp) in got)


def test_the_papers_row_has_no_matrix_and_these_come_closest() -> None:
    printed = {
        "accuracy": "74.52",
        "sensitivity": "71.55",
        "specificity": "80.29",
        "ppv": "87.48",
        "f1": "78.94",
    }
    numbers = [(name, Rounded(text, "percent")) for name, text in printed.items()]
    bounds = [Bound.of(*pair) for pair in numbers]
    expected = {60: [28, 11, 17, 4], 61: [29, 12, 16, 4], 62: [30, 12, 16, 4], 63: [30, 12, 17, 4]}
    for n, best in expected.items():
        assert not find_matrices(n, bounds).cells.size
        found = closest_matrix(n, numbers)
        assert found is not None
        assert found[0].tolist() == best
    assert closest_matrix(60, numbers)[1] == pytest.approx(0.0066, abs=5e-5)  # type: ignore[index]


@pytest.mark.parametrize(
    ("names", "digits"),
    [
        (("accuracy", "sensitivity", "specificity", "ppv", "f1"), 2),
        (("accuracy", "ppv", "npv"), 3),
    ],
)
def test_ten_thousand_cases_take_seconds(names: tuple[str, ...], digits: int) -> None:
    matrix = (3100, 900, 5000, 1000)
    true = metrics(*matrix)
    numbers = [Rounded(f"{float(100 * (true[n] or 0)):.{digits}f}", "percent") for n in names]
    begun = time.process_time()
    found = find_matrices(
        10_000, [Bound.of(n, k) for n, k in zip(names, numbers, strict=True)], 100_000
    )
    assert time.process_time() - begun < 10
    assert matrix in {tuple(map(int, row)) for row in found.cells}


def test_a_loose_search_stops_at_its_limit() -> None:
    found = find_matrices(5000, [Bound("accuracy", Fraction(0), Fraction(1))], limit=50)
    assert len(found.cells) == 50
    assert not found.complete


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(StatisticsError, match="cannot be searched"):
        find_matrices(MAX_N + 1, [])
    with pytest.raises(StatisticsError, match="no metric"):
        Bound("kappa", Fraction(0), Fraction(1))
