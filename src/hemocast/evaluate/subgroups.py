"""A model in subgroups, and whether it works alike in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hemocast.evaluate.result import InteractionRow, SubgroupRow
from hemocast.stats import Estimate, GroupVariable, Resampling
from hemocast.stats.cases import ModelCases
from hemocast.stats.subgroups.analyse import (
    MISSING,
    Subgroup,
    SubgroupAnalysis,
    analyse_subgroups,
)
from hemocast.stats.subgroups.interaction import Interaction

_SHOWN = ("sensitivity", "specificity", "brier")
_TESTS = {
    "auc": "Wald chi-square of equal AUCs (DeLong), patients counted once",
    "calibration_line": "Wald chi-square of one calibration line (intercept and slope)",
}


def evaluate_subgroups(
    model: ModelCases, groupings: Sequence[GroupVariable], resampling: Resampling
) -> tuple[list[SubgroupRow], list[InteractionRow]]:
    """Evaluate one model in every group of every grouping.

    Parameters
    ----------
    model : ModelCases
        The model.
    groupings : sequence of GroupVariable
        Groups of all scans of the table.
    resampling : Resampling
        Of patients.

    Returns
    -------
    tuple of list
        Rows of the groups, and tests of interaction.
    """
    variables = [grouping.part(model.rows) for grouping in groupings]
    several = [variable for variable in variables if len(variable.order) > 1]
    found = analyse_subgroups(model.cases, model.threshold, several, resampling)
    rows = [_row(model.name, one, group) for one in found for group in one.groups]
    tests = [test for one in found for test in _tests(model.name, one)]
    return rows, tests


def _row(model: str, analysis: SubgroupAnalysis, group: Subgroup) -> SubgroupRow:
    found = group.evaluation
    metrics = (("auc", found.auc_delong), *((name, found[name]) for name in _SHOWN))
    return SubgroupRow(
        model=model,
        grouping=analysis.variable,
        level=group.name,
        n=found.n,
        n_patients=found.n_patients,
        n_positive=found.n_positive,
        metrics=tuple((name, _warned(value, group.warning)) for name, value in metrics),
    )


def _warned(value: Estimate, warning: str | None) -> Estimate:
    parts = [text for text in (warning, value.warning) if text]
    return replace(value, warning="; ".join(dict.fromkeys(parts)) or None)


def _tests(model: str, analysis: SubgroupAnalysis) -> list[InteractionRow]:
    unknown = sum(group.evaluation.n for group in analysis.groups if group.name == MISSING)
    return [
        _test(model, analysis.variable, metric, test, unknown)
        for metric, test in (
            ("auc", analysis.auc_interaction),
            ("calibration_line", analysis.calibration_interaction),
        )
    ]


def _test(
    model: str, grouping: str, metric: str, test: Interaction, unknown: int
) -> InteractionRow:
    made = not np.isnan(test.p)
    left = f"left out: {', '.join(test.left_out)}" if test.left_out else ""
    return InteractionRow(
        model=model,
        grouping=grouping,
        metric=metric,
        p=float(test.p) if made else None,
        p_holm=float(test.p_adjusted) if made else None,
        method=_TESTS[metric] + (f"; {left}" if left else ""),
        reason="" if made else "; ".join(filter(None, [test.warning, left])),
        n_unknown=unknown,
    )
