"""The tables of an evaluation."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from hemocast.evaluate.result import EvaluationResult
from hemocast.report.evaluation.tables import Table, estimate_json, evaluation_tables
from hemocast.stats import Estimate

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
