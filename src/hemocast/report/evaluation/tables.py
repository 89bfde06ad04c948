"""The tables of an evaluation: ``metrics.json`` and CSV files that a spreadsheet opens safely."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hemocast.evaluate.result import Comparison, EvaluationResult, ModelPart
from hemocast.files import json_text, table_text
from hemocast.stats import Estimate
from hemocast.version import VERSION

SCHEMA_VERSION = 1
_METRIC_COLUMNS = ("value", "ci_low", "ci_high", "ci_method", "n", "warning")

Row = Sequence[object]
Table = tuple[Sequence[str], Iterable[Row]]


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
    if result.subgroups:
        tables |= {"subgroups.csv": _subgroups(result), "interactions.csv": _interactions(result)}
    return {"metrics.json": json_text(metrics_json(result))} | {
        name: csv_text(*table, simulated=result.simulated) for name, table in tables.items()
    }


def csv_text(head: Sequence[str], rows: Iterable[Row], *, simulated: bool = False) -> str:
    """Return a table as CSV.

    Parameters
    ----------
    head : sequence of str
        Column names.
    rows : iterable of sequence
        Text, numbers, or None; what is undefined becomes an empty cell.
    simulated : bool
        The data are: a last column, ``simulated``, is then 1 in every row.
    """
    columns = [*head, *(["simulated"] if simulated else [])]
    return table_text((dict(zip(columns, (*row, 1), strict=False)) for row in rows), columns)


def metrics_json(result: EvaluationResult) -> dict[str, Any]:
    """Return the content of ``metrics.json``; no NaN and no infinity is in it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "software": f"hemocast {VERSION}",
        "simulated": result.simulated,
        "research_only": True,
        "n_resamples": result.n_resamples,
        "seed": result.seed,
        "resampled": "patients, each with all scans",
        "notes": list(result.notes),
        "models": {model.name: _model_json(model) for model in result.models},
        "comparisons": [_comparison_json(row) for row in result.comparisons],
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
        "calibration": (
            {"reason": model.calibration.reason}
            if model.calibration.reason
            else {name: estimate_json(value) for name, value in model.calibration.metrics}
        ),
        "warnings": list(model.warnings),
    }


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


def _comparison_json(row: Comparison) -> dict[str, Any]:
    return {
        "first": row.first,
        "second": row.second,
        "metric": row.metric,
        "method": row.method,
        "difference": estimate_json(row.difference),
        "p": row.p,
        "p_holm": row.p_holm,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _cells(value: Estimate) -> list[object]:
    return [
        value.value, value.ci_low, value.ci_high, value.ci_method, value.n, value.warning or "",
    ]  # fmt: skip


def _metrics(result: EvaluationResult) -> Table:
    """One line per interval; the headline of every metric is marked."""
    rows: list[Row] = []
    for model in result.models:
        for name, headline in (*model.metrics, *model.calibration.metrics):
            rows.append([model.name, name, 1, *_cells(headline)])
            others = [
                *model.intervals.get(name, ()),
                *(other for other_name, other in model.calibration.others if other_name == name),
            ]
            rows += [[model.name, name, 0, *_cells(other)] for other in others]
    return ("model", "metric", "headline", *_METRIC_COLUMNS), rows


def _thresholds(result: EvaluationResult) -> Table:
    rows = [
        [model.name, point.name, point.threshold, int(point.exploratory), metric, *_cells(value)]
        for model in result.models
        for point in model.points
        for metric, value in point.metrics
    ]
    head = ("model", "rule", "threshold", "exploratory", "metric", *_METRIC_COLUMNS)
    return head, rows


def _prevalence(result: EvaluationResult) -> Table:
    rows = [
        [model.name, rebased.prevalence, metric, *_cells(value)]
        for model in result.models
        for rebased in model.rebased
        for metric, value in (("ppv", rebased.ppv), ("npv", rebased.npv))
    ]
    return ("model", "prevalence", "metric", *_METRIC_COLUMNS), rows


def _calibration(result: EvaluationResult) -> Table:
    """Groups (with limits and n), then points of the smooth curve."""
    rows: list[Row] = []
    for model in result.models:
        part = model.calibration
        rows += [
            [model.name, "group", group.predicted, group.observed, group.low, group.high, group.n]
            for group in part.groups
        ]
        bare = np.full(part.at.size, np.nan)
        low, high = (bare if ends is None else ends for ends in (part.low, part.high))
        rows += [
            [model.name, "loess", *(float(x) for x in point), ""]
            for point in zip(part.at, part.curve, low, high, strict=True)
        ]
    return ("model", "kind", "predicted", "observed", "ci_low", "ci_high", "n"), rows


def _decision(result: EvaluationResult) -> Table:
    rows: list[Row] = []
    for model in result.models:
        curve = model.decision
        if curve is None:
            continue
        columns = (
            curve.threshold, curve.model, curve.model_low, curve.model_high, curve.treat_all,
            curve.over_all, curve.over_all_low, curve.over_all_high,
        )  # fmt: skip
        rows += [
            [model.name, *(float(x) for x in row), 0.0, curve.n_resamples]
            for row in zip(*columns, strict=True)
        ]
    head = (
        "model", "threshold", "net_benefit", "ci_low", "ci_high", "treat_all", "over_treat_all",
        "over_treat_all_ci_low", "over_treat_all_ci_high", "treat_none", "n_resamples",
    )  # fmt: skip
    return head, rows


def _comparisons(result: EvaluationResult) -> Table:
    rows = [
        [
            row.first, row.second, row.metric, row.method, row.difference.value,
            row.difference.ci_low, row.difference.ci_high, row.p, row.p_holm, row.difference.n,
            row.difference.warning or "",
        ]
        for row in result.comparisons
    ]  # fmt: skip
    head = (
        "first", "second", "metric", "method", "difference", "ci_low", "ci_high", "p", "p_holm",
        "n", "warning",
    )  # fmt: skip
    return head, rows


def _subgroups(result: EvaluationResult) -> Table:
    rows = [
        [
            row.model, row.grouping, row.level, row.n_patients, row.n, row.n_positive, metric,
            *_cells(value)[:4], value.warning or "",
        ]
        for row in result.subgroups
        for metric, value in row.metrics
    ]  # fmt: skip
    head = (
        "model", "grouping", "level", "n_patients", "n_scans", "n_positive", "metric", "value",
        "ci_low", "ci_high", "ci_method", "warning",
    )  # fmt: skip
    return head, rows


def _interactions(result: EvaluationResult) -> Table:
    rows = [
        [
            row.model, row.grouping, row.metric, row.p, row.p_holm, row.method, row.n_unknown,
            row.reason,
        ]
        for row in result.interactions
    ]  # fmt: skip
    head = ("model", "grouping", "metric", "p", "p_holm", "method", "n_unknown", "reason")
    return head, rows
