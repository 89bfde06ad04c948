"""Precision-recall curves: legend with the area and its limits, steps, the prevalence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.report.figures.precision import PrecisionLine, precision_figure
from hemocast.stats import Cases, Estimate
from hemocast.stats.discrimination.roc import average_precision, precision_recall_curve


def test_the_steps_hold_the_area_that_the_legend_gives(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    own = Cases(*cases)
    area = Estimate(average_precision(own), 0.31, 0.97, "bootstrap", own.n)
    line = PrecisionLine("ours", precision_recall_curve(own), area, (0.5, 0.5))
    words = check_figure(lambda simulated: precision_figure([line], simulated=simulated))
    assert f"ours, AP {area.value:.2f} (0.31 to 0.97)" in words
    assert "share with HT: a useless score" in words
    curve, _, chance = precision_figure([line]).axes[0].lines
    assert curve.get_drawstyle() == "steps-pre"
    recall, precision = np.asarray(curve.get_data())
    assert np.diff(recall) @ precision[1:] == pytest.approx(area.value)
    assert set(np.asarray(chance.get_ydata())) == {own.truth.mean()}


def test_models_on_different_scans_have_each_their_prevalence(
    cases: tuple[np.ndarray, np.ndarray],
) -> None:
    own = Cases(*cases)
    area = Estimate(0.5, 0.4, 0.6, "bootstrap", own.n)
    fewer = own.part(np.flatnonzero(own.truth | (np.arange(own.n) % 2 == 0)))
    lines = [PrecisionLine("m", precision_recall_curve(c), area) for c in (own, fewer)]
    drawn = precision_figure(lines).axes[0].lines
    assert {float(line.get_ydata()[0]) for line in drawn[2:]} == {
        own.truth.mean(), fewer.truth.mean(),
    }  # fmt: skip
