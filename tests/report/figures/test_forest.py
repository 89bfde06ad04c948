"""Subgroups as a forest."""

from __future__ import annotations

from collections.abc import Callable

from hemocast.report.figures.forest import ForestRow, forest_figure
from hemocast.stats import Estimate

NAN = float("nan")
WHOLE = Estimate(0.8, 0.7, 0.9, "DeLong", 80)
ROWS = [
    ForestRow("sex", note="interaction p = 0.5"),
    ForestRow("F", WHOLE, 40, 40, 20),
    ForestRow("M", Estimate(0.6, 0.1, 1.0, "DeLong", 4, "too small"), 4, 4, 2),
    ForestRow("O", Estimate(NAN, NAN, NAN, "none", 1, "one class"), 1, 1, 1),
]


def test_groups_say_their_size_and_what_was_not_estimated(check_figure: Callable) -> None:
    words = check_figure(lambda simulated: forest_figure(ROWS, WHOLE, simulated=simulated))
    for said in ("interaction p = 0.5", "40 / 40 (20)", "0.80 (0.70 to 0.90)", "not estimated"):
        assert said in words
    assert "0.60 (0.10 to 1.00) *" in words, "too few patients are marked"


def test_long_names_and_many_patients_stay_apart(check_figure: Callable) -> None:
    rows = [
        ForestRow("a long heading of a grouping of patients", note="interaction p = 0.51"),
        ForestRow("a long name of a level of patients", WHOLE, 12820, 15820, 1234),
    ]
    check_figure(lambda simulated: forest_figure(rows, WHOLE, simulated=simulated))


def test_the_axis_holds_the_groups_that_are_large_enough() -> None:
    low = ForestRow("low", Estimate(0.5, 0.23, 0.8, "DeLong", 60), 60, 60, 30)
    assert forest_figure([*ROWS, low], WHOLE).axes[0].get_xlim()[0] == 0.2
    assert forest_figure(ROWS, WHOLE).axes[0].get_xlim()[0] == 0.45
