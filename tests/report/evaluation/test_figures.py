"""Print figures of an evaluation: whole, of a journal's width, saying what they must."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.evaluate.result import CalibrationGroup
from hemocast.report.figures.agreement import AgreementPanel, agreement_matrix_figure
from hemocast.report.figures.calibration import (
    CalibrationPlot,
    print_calibration_figure,
)
from hemocast.report.figures.confusion import ConfusionPanel, confusion_panels_figure
from hemocast.report.figures.decision import DecisionLine, decision_curve_figure
from hemocast.report.figures.forest import ForestRow, forest_figure
from hemocast.report.figures.inline import inline_svg
from hemocast.report.figures.marks import shortened
from hemocast.report.figures.roc import ReaderPoint, RocLine, print_roc_figure
from hemocast.stats import Confusion, Estimate, auc_interval, decision_curve, roc_curve

RNG = np.random.default_rng(0)
LABEL = RNG.random(80) < 0.5
SCORE = np.clip(0.35 + 0.3 * LABEL + RNG.normal(0, 0.2, 80), 0.01, 0.99)
NAN = float("nan")


def roc(simulated: bool) -> object:
    line = RocLine("ours", roc_curve(LABEL, SCORE), auc_interval(LABEL, SCORE))
    points = [
        ReaderPoint("C1", 0.2, 0.6),
        ReaderPoint("C1", 0.1, 0.7, aided=True),
        ReaderPoint("mean", 0.2, 0.6, average=True),
    ]
    return print_roc_figure([line], points, simulated=simulated)


def confusion(simulated: bool) -> object:
    panels = [ConfusionPanel(f"C{i}", Confusion(22, 13, 28, 11)) for i in range(9)]
    return confusion_panels_figure(panels, simulated=simulated)


def calibration(simulated: bool) -> object:
    groups = (CalibrationGroup(40, 0.3, 0.25, 0.1, 0.4),)
    at = np.linspace(0.2, 0.8, 9)
    plot = CalibrationPlot(LABEL, SCORE, groups, at, at, at - 0.1, at + 0.1, ("slope 1.00",))
    return print_calibration_figure(plot, simulated=simulated)


def decision(simulated: bool) -> object:
    curve = decision_curve(LABEL, SCORE, [0.1, 0.3, 0.5], np.arange(80), n_resamples=100)
    return decision_curve_figure([DecisionLine("ours", curve)], simulated=simulated)


def agreement(simulated: bool) -> object:
    value = np.full((3, 3), NAN)
    value[1, 0] = 0.7
    return agreement_matrix_figure(
        ["model", "C1", "C2"], [AgreementPanel("Agreement", value)], simulated=simulated
    )


def forest(simulated: bool) -> object:
    whole = Estimate(0.8, 0.7, 0.9, "DeLong", 80)
    rows = [
        ForestRow("sex", note="interaction p = 0.5"),
        ForestRow("F", whole, 40, 40, 20),
        ForestRow("M", Estimate(0.6, 0.1, 1.0, "DeLong", 4, "too small"), 4, 4, 2),
        ForestRow("O", Estimate(NAN, NAN, NAN, "none", 1, "one class"), 1, 1, 1),
    ]
    return forest_figure(rows, whole, simulated=simulated)


ALL = [roc, confusion, calibration, decision, agreement, forest]


@pytest.mark.parametrize("draw", ALL)
def test_simulated_data_are_said_in_the_picture_and_real_ones_not(
    draw: Callable[[bool], object],
) -> None:
    assert "SIMULATED" in inline_svg(draw(True), "x", "what it shows")
    assert "SIMULATED" not in inline_svg(draw(False), "x", "what it shows")


@pytest.mark.parametrize("draw", ALL)
def test_figures_fit_a_journals_page_and_their_letters_can_be_read(
    draw: Callable[[bool], object],
) -> None:
    figure = draw(True)
    width, height = figure.get_size_inches()
    assert width <= 7.5
    assert height <= 9.5
    sizes = [text.get_fontsize() for text in figure.findobj(match=_is_text) if text.get_text()]
    assert min(sizes) >= 6


def _is_text(artist: object) -> bool:
    return hasattr(artist, "get_fontsize") and hasattr(artist, "get_text")


def test_undefined_values_are_said_and_not_drawn() -> None:
    text = inline_svg(forest(False), "x", "forest")
    assert "not estimated" in text
    assert "nan" not in text.lower()


def test_names_are_cut_and_no_mathematics() -> None:
    assert shortened("a" * 50, 10) == "a" * 9 + "…"
    assert shortened("$x^2$") == r"\$x^2\$"
