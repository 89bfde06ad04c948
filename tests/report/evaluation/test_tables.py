"""The tables of an evaluation."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from hemocast.evaluate.result import EvaluationResult, Incidence, LeftOut, Scenario
from hemocast.report.evaluation.tables import Table, estimate_json, evaluation_tables
from hemocast.stats import Estimate
from hemocast.stats.discrimination.partial import PartialAuc, PartialRange
from hemocast.stats.incidence import cumulative_incidence

NAN = float("nan")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_undefined_and_infinite_are_null_with_their_reason() -> None:
    found = estimate_json(Estimate(float("inf"), NAN, NAN, "none", 5, "infinite: no error"))
    assert (found["value"], found["ci_low"], found["warning"]) == (None, None, "infinite: no error")


def test_cells_are_what_a_spreadsheet_opens_safely() -> None:
    rows = [{"a": "=1+1", "b": -0.5, "c": "more"}, {"a": "-2", "b": NAN}]
    text = Table(("a", "b"), rows).csv(simulated=False)
    assert text.splitlines() == ["a,b", "'=1+1,-0.5", "-2,"]


def test_simulated_data_say_so_in_every_row() -> None:
    text = Table(("a",), [{"a": "x"}, {"a": "y"}]).csv(simulated=True)
    assert text.splitlines() == ["a,simulated", "x,1", "y,1"]


def test_tables_agree_with_the_result_and_with_each_other(evaluation: EvaluationResult) -> None:
    tables = evaluation_tables(evaluation)
    assert {*tables} == {
        "metrics.json", "metrics.csv", "thresholds.csv", "prevalence.csv", "calibration.csv",
        "decision.csv", "comparisons.csv", "net_benefit_differences.csv", "subgroups.csv",
        "interactions.csv",
    }  # fmt: skip
    content = json.loads(tables["metrics.json"])
    headlines = {
        (row["model"], row["metric"]): float(row["value"])
        for row in rows(tables["metrics.csv"])
        if row["headline"] == "1" and row["value"]
    }
    for model in evaluation.models:
        said = content["models"][model.name]
        assert said["n"] == model.n
        assert said["metrics"]["auc"]["value"] == model["auc"].value
        assert abs(headlines[model.name, "auc"] - model["auc"].value) < 1e-9
    assert len(rows(tables["comparisons.csv"])) == len(evaluation.comparisons)
    levels = {row["level"] for row in rows(tables["subgroups.csv"])}
    assert levels == {"F", "M"}
    assert all(row["simulated"] == "1" for row in rows(tables["decision.csv"]))


def test_what_was_not_compared_has_no_table(evaluation: EvaluationResult) -> None:
    models = tuple(replace(model, subgroups=()) for model in evaluation.models)
    bare = replace(evaluation, models=models, comparisons=())
    assert not {"comparisons.csv", "subgroups.csv"} & {*evaluation_tables(bare)}


def test_what_was_left_out_and_what_it_could_change_have_tables(
    evaluation: EvaluationResult,
) -> None:
    part = LeftOut("refused", "HC303", 3, 2, 1, None)
    worst = Scenario("worst", 77, None, (("auc", Estimate(0.6, 0.5, 0.7, "DeLong", 77)),))
    model = replace(evaluation.models[0], left_out=(part,), scenarios=(worst,))
    curve = cumulative_incidence([10, 20, 30], [1, 2, 0])
    more = replace(
        evaluation, models=(model,), incidence=Incidence(curve, ((20, curve.at(20)),), 0)
    )
    tables = evaluation_tables(more)
    (row,) = rows(tables["left_out.csv"])
    assert (row["reason"], row["n_scans"], row["n_positive"]) == ("HC303", "3", "1")
    assert row["mean_predicted_risk"] == ""
    (row,) = rows(tables["scenarios.csv"])
    assert (row["scenario"], row["metric"], row["value"]) == ("worst", "auc", "0.6")
    first, second = rows(tables["cumulative_incidence.csv"])
    assert first["ht"] == second["death"] == "0.3333333333"
    said = json.loads(tables["metrics.json"])["models"][model.name]
    assert said["left_out"][0]["mean_risk"] is None
    assert said["scenarios"][0]["metrics"]["auc"]["ci_high"] == 0.7
    assert (
        "left_out"
        not in json.loads(evaluation_tables(evaluation)["metrics.json"])["models"][model.name]
    )


def test_partial_areas_have_a_table(evaluation: EvaluationResult) -> None:
    part = PartialAuc(PartialRange("specificity", 0.8, 1), 0.1, Estimate(0.7, 0.6, 0.8, "b", 74))
    model = replace(evaluation.models[0], partial=(part,))
    tables = evaluation_tables(replace(evaluation, models=(model,)))
    (row,) = rows(tables["partial_auc.csv"])
    assert (row["range_of"], row["range_low"], row["area"]) == ("specificity", "0.8", "0.1")
    assert (row["standardized"], row["ci_high"]) == ("0.7", "0.8")
    assert "partial_auc.csv" not in evaluation_tables(evaluation)
