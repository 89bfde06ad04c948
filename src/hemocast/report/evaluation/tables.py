"""The tables of an evaluation: ``metrics.json`` and CSV files that a spreadsheet opens safely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hemocast.evaluate.result import EvaluationResult, Incidence, ModelPart
from hemocast.files import json_text, table_text
from hemocast.stats import Estimate
from hemocast.version import VERSION

SCHEMA_VERSION = 1
ESTIMATE = tuple(field.name for field in fields(Estimate))
"""Columns of an estimate."""

Row = Mapping[str, object]


@dataclass(frozen=True)
class Table:
    """A table: its columns, and rows that may hold more than these."""

    columns: Sequence[str]
    rows: Sequence[Row]

    def csv(self, *, simulated: bool) -> str:
        """Return it as CSV; what is undefined is empty.

        Parameters
        ----------
        simulated : bool
            The data are: a last column, ``simulated``, is then 1 in every row.
        """
        more = {"simulated": 1} if simulated else {}
        return table_text(({**row, **more} for row in self.rows), [*self.columns, *more])


def evaluation_tables(result: EvaluationResult) -> dict[str, str]:
    """Return all tables of an evaluation by the names of their files.

    Parameters
    ----------
    result : EvaluationResult
        Anything undefined becomes an empty cell (CSV) or null (JSON), with the reason beside it.
    """
    tables = {
        "metrics.csv": _metrics(result),
        "thresholds.csv": _thresholds(result),
        "prevalence.csv": _prevalence(result),
        "calibration.csv": _calibration(result),
        "decision.csv": _decision(result),
    }
    if result.comparisons:
        tables["comparisons.csv"] = _comparisons(result)
    if result.net_benefits:
        tables["net_benefit_differences.csv"] = _net_benefits(result)
    if any(model.subgroups for model in result.models):
        tables |= {"subgroups.csv": _subgroups(result), "interactions.csv": _interactions(result)}
    if (pooled := _pooled(result)).rows:
        tables["pooled_sites.csv"] = pooled
    if any(model.partial for model in result.models):
        tables["partial_auc.csv"] = _partial(result)
    if any(model.left_out for model in result.models):
        tables["left_out.csv"] = _left_out(result)
    if any(model.scenarios for model in result.models):
        tables["scenarios.csv"] = _scenarios(result)
    if result.incidence:
        tables["cumulative_incidence.csv"] = _incidence(result.incidence)
    return {"metrics.json": json_text(metrics_json(result))} | {
        name: table.csv(simulated=result.simulated) for name, table in tables.items()
    }


def metrics_json(result: EvaluationResult) -> dict[str, Any]:
    """Return the content of ``metrics.json``; no NaN and no infinity is in it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "software": f"hemocast {VERSION}",
        "simulated": result.simulated,
        "research_only": True,
        "n_resamples": result.resampling.n,
        "seed": result.resampling.seed,
        "resampled": "patients, each with all scans",
        "interval": result.resampling.interval,
        "level": result.level,
        "primary": result.primary,
        "notes": list(result.notes),
        "models": {model.name: _model_json(model) for model in result.models},
        "comparisons": [
            vars(row) | {"difference": estimate_json(row.difference)} for row in result.comparisons
        ],
    }


def _model_json(model: ModelPart) -> dict[str, Any]:
    cells = model.confusion
    return {
        "n": model.n,
        "n_patients": model.n_patients,
        "n_positive": model.n_positive,
        "n_patients_positive": model.n_patients_positive,
        "prevalence": model.prevalence,
        "threshold": model.threshold,
        "threshold_source": model.threshold_source,
        "confusion": {"tp": cells.tp, "fp": cells.fp, "tn": cells.tn, "fn": cells.fn},
        "metrics": {name: estimate_json(value) for name, value in model.metrics},
        "calibration": {name: estimate_json(value) for name, value in model.calibration.metrics}
        | ({"reason": model.calibration.reason} if model.calibration.reason else {}),
        "warnings": list(model.warnings),
    } | _unjudged_json(model)


def _unjudged_json(model: ModelPart) -> dict[str, Any]:
    """What a model could not be judged on, and what that could change; nothing where all was."""
    scenarios = [
        {"name": one.name, "n": one.n, "n_positive": one.n_positive}
        | {"metrics": {name: estimate_json(value) for name, value in one.metrics}}
        for one in model.scenarios
    ]
    left_out = [vars(one) for one in model.left_out]
    return ({"left_out": left_out} if left_out else {}) | (
        {"scenarios": scenarios} if scenarios else {}
    )


def estimate_json(value: Estimate) -> dict[str, Any]:
    """Return an estimate for JSON: null for what is undefined or infinite, with the reason."""
    found: dict[str, Any] = {
        "value": _finite(value.value),
        "ci_low": _finite(value.ci_low),
        "ci_high": _finite(value.ci_high),
        "ci_method": value.ci_method,
        "n": value.n,
    }
    return found | ({"warning": value.warning} if value.warning else {})


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _metrics(result: EvaluationResult) -> Table:
    """One line per interval; the headline of every metric is marked."""
    rows: list[Row] = []
    for model in result.models:
        for name, headline in (*model.metrics, *model.calibration.metrics):
            known = {"model": model.name, "metric": name}
            others = [
                *model.intervals.get(name, ()),
                *(other for other_name, other in model.calibration.others if other_name == name),
            ]
            rows.append(known | {"headline": 1} | vars(headline))
            rows += [known | {"headline": 0} | vars(other) for other in others]
    return Table(("model", "metric", "headline", *ESTIMATE), rows)


def _thresholds(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "rule": point.name, "threshold": point.threshold}
        | {"exploratory": int(point.exploratory), "metric": metric}
        | vars(value)
        for model in result.models
        for point in model.points
        for metric, value in point.metrics
    ]
    return Table(("model", "rule", "threshold", "exploratory", "metric", *ESTIMATE), rows)


def _prevalence(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "prevalence": row.prevalence, "metric": metric} | vars(value)
        for model in result.models
        for row in model.at_prevalence
        for metric, value in (("ppv", row.ppv), ("npv", row.npv))
    ]
    return Table(("model", "prevalence", "metric", *ESTIMATE), rows)


def _calibration(result: EvaluationResult) -> Table:
    """Groups (with limits and n), then points of the smooth curve."""
    columns = ("model", "kind", "predicted", "observed", "ci_low", "ci_high", "n", "warning")
    rows: list[Row] = []
    for model in result.models:
        part = model.calibration
        rows += [
            {"model": model.name, "kind": "group", "predicted": predicted, "observed": share.value}
            | vars(share)
            for predicted, share in part.groups
        ]  # fmt: skip
        none = np.full(part.at.size, np.nan)
        low, high = (none if ends is None else ends for ends in (part.low, part.high))
        ici = dict(part.metrics).get("ici")
        rows += [
            dict(zip(columns, (model.name, "loess", *map(float, point)), strict=False))
            | {"warning": ici and ici.warning}
            for point in zip(part.at, part.curve, low, high, strict=True)
        ]
    return Table(columns, rows)


def _decision(result: EvaluationResult) -> Table:
    rows: list[Row] = []
    for model in result.models:
        if curve := model.decision:
            columns = {
                "threshold": curve.threshold,
                "net_benefit": curve.model,
                "ci_low": curve.model_low,
                "ci_high": curve.model_high,
                "standardized": curve.standardized,
                "standardized_ci_low": curve.standardized_low,
                "standardized_ci_high": curve.standardized_high,
                "treat_all": curve.treat_all,
                "over_treat_all": curve.over_all,
                "over_treat_all_ci_low": curve.over_all_low,
                "over_treat_all_ci_high": curve.over_all_high,
            }
            known = {"model": model.name, "treat_none": 0.0, "n_resamples": curve.n_resamples}
            rows += [
                known | dict(zip(columns, map(float, row), strict=True)) | {"warning": note}
                for *row, note in zip(*columns.values(), curve.notes, strict=True)
            ]
    return Table(
        ("model", "threshold", "net_benefit", "ci_low", "ci_high", "standardized",
         "standardized_ci_low", "standardized_ci_high", "treat_all",
         "over_treat_all", "over_treat_all_ci_low", "over_treat_all_ci_high", "treat_none",
         "n_resamples", "warning"),
        rows,
    )  # fmt: skip


def _net_benefits(result: EvaluationResult) -> Table:
    return Table(
        ("first", "second", "threshold", "difference", "ci_low", "ci_high", "ci_method", "n",
         "warning"),
        [vars(row) | vars(row.difference) | {"difference": row.difference.value}
         for row in result.net_benefits],
    )  # fmt: skip


def _comparisons(result: EvaluationResult) -> Table:
    return Table(
        ("first", "second", "metric", "method", "difference", "ci_low", "ci_high", "p", "p_holm",
         "n", "warning"),
        [vars(row.difference) | vars(row) | {"difference": row.difference.value}
         for row in result.comparisons],
    )  # fmt: skip


def _subgroups(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "grouping": found.variable, "level": group.name, "metric": metric}
        | {
            "n_patients": group.evaluation.n_patients,
            "n_scans": group.evaluation.n,
            "n_positive": group.evaluation.n_positive,
        }
        | vars(value)
        for model in result.models
        for found in model.subgroups
        for group in found.groups
        for metric, value in group.metrics
    ]
    return Table(
        ("model", "grouping", "level", "n_patients", "n_scans", "n_positive", "metric", "value",
         "ci_low", "ci_high", "ci_method", "warning"),
        rows,
    )  # fmt: skip


def _pooled(result: EvaluationResult) -> Table:
    """Pool the metrics over sites, with where another site may lie."""
    rows = [
        {"model": model.name, "metric": metric, "n_sites": found.mean.n}
        | vars(found.mean)
        | {"tau": found.tau, "i2": found.i2, "q": found.q, "df": found.df, "p": found.p}
        | dict(zip(("prediction_low", "prediction_high"), found.prediction or (), strict=False))
        for model in result.models
        for metric, found in model.pooled_sites
    ]
    return Table(
        ("model", "metric", "n_sites", "value", "ci_low", "ci_high", "ci_method",
         "prediction_low", "prediction_high", "tau", "i2", "q", "df", "p", "warning"),
        rows,
    )  # fmt: skip


def _partial(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "range_of": one.range.of}
        | {"range_low": one.range.low, "range_high": one.range.high, "area": one.area}
        | vars(one.standardized)
        | {"standardized": one.standardized.value}
        for model in result.models
        for one in model.partial
    ]
    return Table(
        ("model", "range_of", "range_low", "range_high", "area", "standardized", "ci_low",
         "ci_high", "ci_method", "n", "warning"),
        rows,
    )  # fmt: skip


def _left_out(result: EvaluationResult) -> Table:
    return Table(
        ("model", "kind", "reason", "n_scans", "n_patients", "n_positive", "mean_predicted_risk"),
        [{"model": model.name, **vars(one), "n_scans": one.n, "mean_predicted_risk": one.mean_risk}
         for model in result.models for one in model.left_out],
    )  # fmt: skip


def _scenarios(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "scenario": one.name, "n_scans": one.n, "n_positive": one.n_positive}
        | {"metric": metric}
        | vars(value)
        for model in result.models
        for one in model.scenarios
        for metric, value in one.metrics
    ]
    return Table(
        ("model", "scenario", "n_scans", "n_positive", "metric", *ESTIMATE),
        rows,
    )


def _incidence(found: Incidence) -> Table:
    curve = found.curve
    rows = [
        {"hours_from_onset": hour, "n_at_risk": int(risk), "death": float(death)}
        | {"ht": value.value, "ht_ci_low": value.ci_low, "ht_ci_high": value.ci_high}
        | {"n_patients": value.n, "ci_method": value.ci_method, "warning": value.warning}
        for hour, risk, death in zip(
            curve.time.tolist(), curve.at_risk, curve.competing, strict=True
        )
        for value in (curve.at(hour),)
    ]
    return Table(
        ("hours_from_onset", "n_at_risk", "ht", "ht_ci_low", "ht_ci_high", "death", "n_patients",
         "ci_method", "warning"),
        rows,
    )  # fmt: skip


def _interactions(result: EvaluationResult) -> Table:
    rows = [
        {"model": model.name, "grouping": found.variable, "metric": metric}
        | {"p": test.p, "p_holm": test.p_adjusted, "n_unknown": found.n_unknown}
        | {"method": test.description, "reason": test.reason}
        for model in result.models
        for found in model.subgroups
        for metric, test in found.tests
    ]
    return Table(
        ("model", "grouping", "metric", "p", "p_holm", "method", "n_unknown", "reason"), rows
    )
