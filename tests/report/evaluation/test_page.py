"""The page of an evaluation, and of a reader study."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from hemocast.evaluate.result import EvaluationResult
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.evaluation.page import evaluation_page


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_it_shows_every_metric_comparison_and_subgroup(evaluation: EvaluationResult) -> None:
    page = evaluation_page(evaluation, draw_evaluation(evaluation), ())
    said = words(page)
    model = evaluation.models[0]
    for part in (
        "SIMULATED: according to the tables",
        "our <b> model: every metric",
        f"{model.n_patients}, {model.n_patients_positive} with HT",
        "Matthews correlation",
        "Calibration slope",
        "Models compared",
        "Tests of interaction",
        "paired DeLong",
        "Other thresholds",
    ):
        assert part in said, part
    auc = model["auc"]
    assert f"AUC {auc.value:.3f} {auc.ci_low:.3f} to {auc.ci_high:.3f} {auc.ci_method}" in said
    assert "<b>" not in page
    assert page.count("<figure") == 7
    assert "nan" not in said


def test_warnings_and_notes_stand_on_it(evaluation: EvaluationResult) -> None:
    model = replace(evaluation.models[0], warnings=("only 3 scans",))
    page = evaluation_page(replace(evaluation, models=(model,), notes=("2 rows went",)), (), ())
    assert "Only 3 scans." in page
    assert "2 rows went." in page


def test_a_page_without_models_is_that_of_the_readers(reader_study: EvaluationResult) -> None:
    said = words(evaluation_page(reader_study, (), ()))
    for part in ("Readers and model on the same scans", "One-point AUC", "C2 & co", "Fleiss"):
        assert part in said, part
    assert "SIMULATED" not in said
    assert "Figures flatter" not in said


def test_it_runs_no_script_and_loads_nothing(evaluation: EvaluationResult) -> None:
    page = evaluation_page(evaluation, draw_evaluation(evaluation), ())
    assert "script-src 'none'" in html.unescape(page)
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)
