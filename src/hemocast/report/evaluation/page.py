"""The page of an evaluation: one file, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hemocast.evaluate.result import (
    EvaluationResult,
    ModelPart,
    NetBenefitDifference,
    Scenario,
)
from hemocast.readers.analysis.agreement import Agreement, GroupAgreement
from hemocast.readers.analysis.mrmc import CROSSED, ReaderTest
from hemocast.report.figures.drawing import Drawing
from hemocast.report.page import render
from hemocast.report.readers.tables import estimates_of
from hemocast.report.words import METRIC_TITLES, UNOBSERVED_REASONS
from hemocast.stats import Estimate

_SOURCES = {
    "column": "as the table gives it",
    "option": "as asked for",
    "default": "by default",
    "prevalence": "the share with HT, since none was given",
}


def evaluation_page(
    result: EvaluationResult, figures: Sequence[Drawing], reader_figures: Sequence[Drawing]
) -> str:
    """Return the page of an evaluation, or (without models) of a reader study.

    Parameters
    ----------
    result : EvaluationResult
        What to show; every text is escaped.
    figures, reader_figures : sequence of Drawing
        Of the models, and of the readers.
    """
    found = [(model.name, one) for model in result.models for one in model.subgroups]
    return render(
        "evaluation.html",
        style="evaluation.css",
        r=result,
        figures=figures,
        reader_figures=reader_figures,
        groups=[(name, one.variable, group) for name, one in found for group in one.groups],
        pooled=[(model.name, *row) for model in result.models for row in model.pooled_sites],
        tests=[(name, one, *test) for name, one in found for test in one.tests],
        sources=_SOURCES,
        **_unjudged(result.models),
        net_benefit_rows=_net_benefit_rows,
        net_benefit_differences=_differences_shown(result),
        noted=_noted,
        prevalence_notes=_prevalence_notes,
        point_notes=_point_notes,
        test_notes=_test_notes,
        agreement_notes=_agreement_notes,
        estimates_of=estimates_of,
    )


_EVERY = slice(4, None, 5)
"""Of the thresholds of a decision curve (.02 to .98, or 49 steps to the highest risks), nine."""
_SMALL = 0.05


def _digits(values: Iterable[Estimate]) -> int:
    """Three digits after the point, and more for the small net benefits of rare outcomes."""
    return 3 if max((abs(value.value) for value in values), default=1.0) >= _SMALL else 5


def _net_benefit_rows(
    model: ModelPart,
) -> tuple[int, list[tuple[float, tuple[Estimate, ...]]]]:
    """Digits, and what a model gains at nine thresholds; no rows where it has no decision curve."""
    if (curve := model.decision) is None:
        return 3, []
    places = range(curve.threshold.size)[_EVERY]
    rows: list[tuple[float, tuple[Estimate, ...]]] = [
        (float(curve.threshold[k]), curve.estimates(k)) for k in places
    ]
    return _digits(values[0] for _, values in rows), rows


def _differences_shown(
    result: EvaluationResult,
) -> tuple[int, list[NetBenefitDifference]]:
    """Digits, and the differences in net benefit at the same nine thresholds, pair by pair."""
    at = sorted({row.threshold for row in result.net_benefits})[_EVERY]
    rows = [row for row in result.net_benefits if row.threshold in at]
    return _digits(row.difference for row in rows), rows


_SCENARIO_METRICS = ("auc", "sensitivity", "specificity", "observed_expected", "calibration_slope")


def _unjudged(models: Sequence[ModelPart]) -> dict[str, Any]:
    """What the section on scans left out shows: the results as they are stand first."""
    shown: list[tuple[str, Scenario]] = []
    for model in models:
        if not model.scenarios:
            continue
        known = (*model.metrics, *model.calibration.metrics)
        for one in (Scenario("as above", model.n, model.n_positive, known), *model.scenarios):
            kept = tuple(row for row in one.metrics if row[0] in _SCENARIO_METRICS)
            shown.append((model.name, replace(one, metrics=kept)))
    counts = [(model.name, one) for model in models for one in model.left_out]
    return {
        "unjudged": bool(shown or counts),
        "counts": counts,
        "scenarios": shown,
        "scenario_metrics": _SCENARIO_METRICS,
        "reasons": UNOBSERVED_REASONS,
    }


def _noted(metrics: Iterable[tuple[str, Estimate]]) -> str:
    """Join the warnings of a row, each with the metrics it concerns."""
    found: dict[str, list[str]] = {}
    for name, value in metrics:
        if value.warning:
            found.setdefault(value.warning, []).append(METRIC_TITLES[name])
    return "; ".join(f"{', '.join(names)}: {warning}" for warning, names in found.items())


def _point_notes(model: ModelPart) -> str:
    """Join the warnings of the thresholds chosen here, by rule; the first row's stand above."""
    found = {row.name: _noted(row.metrics) for row in model.points[1:]}
    return "; ".join(f"{name}: {text}" for name, text in found.items() if text)


def _test_notes(test: ReaderTest) -> str:
    """Join what to know of a test: its design where not crossed, doubts, what it leaves out."""
    design = "" if test.design == CROSSED else test.design
    said = (design, test.reason or test.difference.warning, test.left_out)
    return "; ".join(filter(None, said))


def _agreement_notes(found: Agreement | GroupAgreement) -> str:
    """Join the warnings of a row of agreement."""
    values = (value for value in vars(found).values() if isinstance(value, Estimate))
    return "; ".join(dict.fromkeys(value.warning for value in values if value.warning))


def _prevalence_notes(model: ModelPart) -> str:
    return "; ".join(
        dict.fromkeys(
            f"{name}: {value.warning}"
            for row in model.at_prevalence
            for name, value in (("PPV", row.ppv), ("NPV", row.npv))
            if value.warning
        )
    )
