"""Confusion matrices side by side."""

from __future__ import annotations

from collections.abc import Callable

from hemocast.report.figures.confusion import ConfusionPanel, confusion_figure
from hemocast.stats import Confusion


def test_cells_hold_counts_and_shares_of_the_true_class(check_figure: Callable) -> None:
    panels = [ConfusionPanel(f"C{i}", Confusion(22, 13, 28, 11)) for i in range(9)]
    words = check_figure(lambda simulated: confusion_figure(panels, simulated=simulated))
    for said in (">22<", ">13<", ">28<", ">11<", "67%", "C8"):
        assert said in words
    assert words.count(">22<") == 9


def test_an_empty_class_has_shares_of_nothing(check_figure: Callable) -> None:
    panel = ConfusionPanel("model", Confusion(0, 2, 3, 0))
    words = check_figure(lambda simulated: confusion_figure([panel], simulated=simulated))
    assert words.count(">0%<") == 2
