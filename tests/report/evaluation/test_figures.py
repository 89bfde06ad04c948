"""Which figures an evaluation has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hemocast.evaluate.result import EvaluationResult, Incidence
from hemocast.report.evaluation.figures import draw_evaluation, forest_rows, roc_lines
from hemocast.stats.incidence import cumulative_incidence


def test_every_model_is_in_the_common_figures_and_has_its_own(evaluation: EvaluationResult) -> None:
    drawn = {drawing.name: drawing for drawing in draw_evaluation(evaluation)}
    assert [*drawn] == [
        "roc", "precision-recall", "confusion", "calibration-1", "calibration-2", "decision",
        "subgroups-1", "subgroups-2",
    ]  # fmt: skip
    assert "True risk, AUC" in drawn["roc"].svg
    assert "95 % band" in drawn["roc"].caption
    assert "True risk, AP" in drawn["precision-recall"].svg
    assert "True risk" in drawn["calibration-2"].caption
    assert drawn["subgroups-1"].wide
    for drawing in drawn.values():
        assert "SIMULATED" in drawing.svg


def test_a_model_without_a_curve_is_left_out_of_the_roc(evaluation: EvaluationResult) -> None:
    first, second = evaluation.models
    (line,) = roc_lines([replace(first, roc=None), second])
    assert line.name == "True risk"
    cells = second.confusion
    assert line.point == pytest.approx(
        (cells.fp / (cells.fp + cells.tn), cells.tp / (cells.tp + cells.fn))
    )
    only = replace(first, roc=None, precision_recall=None, decision=None, subgroups=())
    bare = replace(evaluation, models=(only,))
    assert [d.name for d in draw_evaluation(bare)] == ["confusion", "calibration-1"]


def test_a_forest_has_a_heading_for_every_grouping(evaluation: EvaluationResult) -> None:
    rows = forest_rows(evaluation.models[0])
    assert [row.name for row in rows] == ["sex", "F", "M"]
    assert rows[0].note.startswith("interaction p = ")
    assert sum(row.n for row in rows) == evaluation.models[0].n


def test_ht_over_time_is_drawn_where_deaths_are_known(evaluation: EvaluationResult) -> None:
    curve = cumulative_incidence([10, 20, 30], [1, 2, 0])
    model = replace(evaluation.models[0], subgroups=())
    found = Incidence(curve, ((20.0, curve.at(20)),), 0)
    drawn = draw_evaluation(replace(evaluation, models=(model,), incidence=found))
    assert drawn[-1].name == "incidence"
    assert "death without HT" in drawn[-1].svg
