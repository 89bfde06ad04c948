"""Several models of one table compared with each other, on the scans that both rated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import Comparison, NetBenefitDifference
from hemocast.stats import (
    METRICS,
    Cases,
    Estimate,
    Resampling,
    bootstrap_differences,
    delong_test,
    holm,
    mcnemar_exact,
    noninferior_auc,
    noninferior_share,
)
from hemocast.stats.cases import ModelCases
from hemocast.stats.decision import net_benefit_differences
from hemocast.stats.estimate import BoolArray, Float64Array, IntArray, few_warning

MOST_MODELS = 12
_BOOTSTRAPPED = ("accuracy", "sensitivity", "specificity", "balanced_accuracy", "brier")
_NAN = float("nan")

MarginOf = Literal["auc", "accuracy", "sensitivity", "specificity"]


@dataclass(frozen=True)
class Margin:
    """What the other models may lose against a reference; chosen before the data were seen.

    Parameters
    ----------
    reference : str
        A model's name.
    loss : float
        The largest that is acceptable, above 0.
    metric : {"auc", "accuracy", "sensitivity", "specificity"}
        What may be lost: of the last three at the models' thresholds.
    """

    reference: str
    loss: float
    metric: MarginOf = "auc"


def compare_models(models: Sequence[ModelCases], resampling: Resampling) -> tuple[Comparison, ...]:
    """Compare every pair of models; p values adjusted after Holm within each metric and method.

    Parameters
    ----------
    models : sequence of ModelCases
        Of one table. Of more than `MOST_MODELS`, each is compared with the first only.
    resampling : Resampling
        Of patients, for the paired bootstrap.
    """
    return _adjusted([row for pair in _pairs(models) for row in _pair(*pair, resampling)])


def _pairs(models: Sequence[ModelCases]) -> list[tuple[ModelCases, ModelCases]]:
    if len(models) > MOST_MODELS:
        return [(models[0], other) for other in models[1:]]
    return list(combinations(models, 2))


def compare_net_benefits(
    models: Sequence[ModelCases], thresholds: Float64Array, resampling: Resampling
) -> Iterator[NetBenefitDifference]:
    """Compare the decision curves of the pairs that `compare_models` compares.

    Parameters
    ----------
    models : sequence of ModelCases
        Of one table.
    thresholds : ndarray, shape (k,)
        Of the decision curves.
    resampling : Resampling
        Of patients.
    """
    for first, second in _pairs(models):
        both = _together(first, second)
        if both is None:
            continue
        found = net_benefit_differences(both, thresholds, resampling)
        for threshold, difference in zip(thresholds, found, strict=True):
            yield NetBenefitDifference(first.name, second.name, float(threshold), difference)


def compare_with_reference(models: Sequence[ModelCases], margin: Margin) -> tuple[Comparison, ...]:
    """Test whether every other model is at most a margin below the reference.

    Parameters
    ----------
    models : sequence of ModelCases
        Of one table.
    margin : Margin
        Of one of them.

    Returns
    -------
    tuple of Comparison
        P values are one-sided, at .025, and adjusted after Holm over the models.
    """
    (old,) = (model for model in models if model.name == margin.reference)
    return _adjusted([_noninferior(new, old, margin) for new in models if new is not old])


def _noninferior(new: ModelCases, old: ModelCases, margin: Margin) -> Comparison:
    names, metric, loss = (new.name, old.name), margin.metric, margin.loss
    by = "paired DeLong" if metric == "auc" else "Tango's score"
    method = f"non-inferiority by {by}; margin {loss:g}"
    both = _together(new, old)
    if both is None:
        return _untested(names, metric, method, 0, "no scan was rated by both models")
    try:
        if metric == "auc":
            found = noninferior_auc(both, loss)
        elif both.clustered:
            reason = "no test: it takes one scan of each patient"
            return _untested(names, metric, method, both.n, reason)
        else:
            right = _right(both, (new.threshold, old.threshold))[:, _among(both.truth)[metric]]
            found = noninferior_share(right[0], right[1], loss)
    except StatisticsError as error:
        return _untested(names, metric, method, both.n, f"no test: {error.seen}")
    said = "shown" if found.shown else "not shown"
    words = f"one-sided test of a loss of {loss:g} or more; non-inferiority {said}"
    return Comparison(*names, metric, method, found.difference.noted(words), found.p)


def _right(both: Cases, thresholds: tuple[float, float]) -> BoolArray:
    """Whether each of two raters was right, shape (2, n)."""
    return np.asarray((both.scores >= np.array(thresholds)[:, None]) == both.truth)


def _among(truth: BoolArray) -> dict[str, BoolArray]:
    """Give for each share of right decisions the scans that it is of."""
    return {"accuracy": np.ones_like(truth), "sensitivity": truth, "specificity": ~truth}


def _together(first: ModelCases, second: ModelCases) -> Cases | None:
    """Return the scans that both rated, with both models as raters."""
    rows = np.intersect1d(first.rows, second.rows)
    if not rows.size:
        return None
    a, b = first.on(rows).cases, second.on(rows).cases
    return Cases(a.truth, [a.score, b.score], a.patient)


def _pair(first: ModelCases, second: ModelCases, resampling: Resampling) -> list[Comparison]:
    names = (first.name, second.name)
    both = _together(first, second)
    if both is None:
        return [_untested(names, "auc", "none", 0, "no scan was rated by both models")]
    thresholds = (first.threshold, second.threshold)
    made = [_delong(names, both)]
    found = dict(zip(METRICS, bootstrap_differences(both, thresholds, resampling), strict=True))
    made += [
        Comparison(
            *names, metric, "paired bootstrap of patients", found[metric].estimate,
            None if np.isnan(found[metric].p) else found[metric].p,
        )
        for metric in _BOOTSTRAPPED
    ]  # fmt: skip
    right = _right(both, thresholds)
    made += [
        _mcnemar(names, metric, right[:, among], both.patient[among])
        for metric, among in _among(both.truth).items()
    ]
    partly = both.n < max(first.cases.n, second.cases.n)
    note = f"on the {both.n} scans that both rated" if partly else None
    return [replace(row, difference=row.difference.noted(note)) for row in made]


def _delong(names: tuple[str, str], both: Cases) -> Comparison:
    method = "paired DeLong, clustered by patient" if both.clustered else "paired DeLong"
    try:
        test = delong_test(both)
    except StatisticsError as error:
        return _untested(names, "auc", method, both.n, f"no test: {error.seen}")
    limits = (test.ci_low, test.ci_high)
    difference = Estimate(test.difference, *limits, method, both.n, test.warning)
    return Comparison(*names, "auc", method, difference, test.p)


def _mcnemar(
    names: tuple[str, str], metric: str, right: BoolArray, patient: IntArray
) -> Comparison:
    """Exact test of paired right and wrong; the difference stands with the bootstrap's limits."""
    method, n = "exact McNemar", right.shape[1]
    if not n:
        return _untested(names, metric, method, 0, "no scan of this class")
    test = mcnemar_exact(right[0], right[1], patient)
    if test.clustered:
        method = "exact McNemar, signs of whole patients turned"
    words = (
        f"only the first right in {test.only_first}, only the second in {test.only_second}; "
        "for limits see the paired bootstrap"
    )
    value = float(right[0].mean() - right[1].mean())
    few = few_warning(int(np.unique(patient).size), "in the denominator")
    return Comparison(*names, metric, method, Estimate.bare(value, n, words).noted(few), test.p)


def _untested(names: tuple[str, str], metric: str, method: str, n: int, reason: str) -> Comparison:
    return Comparison(*names, metric, method, Estimate.bare(_NAN, n, reason), None)


def _adjusted(rows: list[Comparison]) -> tuple[Comparison, ...]:
    """Adjust p values over the pairs of models, within each metric and method."""
    families: dict[tuple[str, str], list[int]] = {}
    for at, row in enumerate(rows):
        if row.p is not None:
            key = (row.metric, row.method.split(",")[0])
            families.setdefault(key, []).append(at)
    adjusted: dict[int, float] = {}
    for members in families.values():
        raw = [p for at in members if (p := rows[at].p) is not None]
        adjusted |= dict(zip(members, (float(p) for p in holm(raw)), strict=True))
    return tuple(replace(row, p_holm=adjusted.get(at)) for at, row in enumerate(rows))
