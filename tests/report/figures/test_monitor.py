"""Figures of a silent trial: what is drawn is what was found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemocast.evaluate.monitor.result import Look, Period
from hemocast.report.figures.monitor import drift_figure, traffic_figure
from hemocast.stats.drift import Drift

WEEK = np.timedelta64(7, "D")
START = np.datetime64("2026-01-05")


def test_bars_stand_on_each_other() -> None:
    periods = [Period(START + k * WEEK, START + (k + 1) * WEEK, 8, 2, 0, 1) for k in range(3)]
    (axes,) = traffic_figure(periods).axes
    assert [bar.get_height() for bar in axes.patches[:3]] == [8, 8, 8]
    assert axes.patches[-1].get_y() + axes.patches[-1].get_height() == 11
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "done", "refused", "waiting",
    ]  # fmt: skip


def test_a_cross_marks_an_alarm_and_a_dot_too_few() -> None:
    drift = Drift(200, 60, 0.4, 0.2, 0.3, 0.001)
    look = Look(START, START + WEEK, "scanner", drift, 0.001, True)
    few = replace(look, feature="infarct_ml", drift=None, alarm=False)
    axes = drift_figure([look, few]).axes[0]
    assert {line.get_marker() for line in axes.lines} == {"x", "."}
    shown = axes.images[0].get_array()
    assert shown[0, 0] == 2
    assert shown.mask[1, 0]
