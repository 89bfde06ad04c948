"""Several models of one table compared with each other, on the scans that both rated."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.predictions import ModelScores, Predictions
from hemocast.evaluate.result import Comparison
from hemocast.stats import Estimate, delong_test, holm, mcnemar_exact
from hemocast.stats.estimate import BoolArray, FloatArray, IntArray
from hemocast.stats.metrics import METRICS
from hemocast.stats.resampling.paired import bootstrap_differences

MOST_MODELS = 12
_BOOTSTRAPPED = ("accuracy", "sensitivity", "specificity", "balanced_accuracy", "brier")
_NAN = float("nan")


def compare_models(
    predictions: Predictions, *, n_resamples: int, seed: int
) -> tuple[Comparison, ...]:
    """Compare every pair of models; p values adjusted after Holm within each metric and method.

    Parameters
    ----------
    predictions : Predictions
        With up to `MOST_MODELS` models; of more, each is compared with the first only.
    n_resamples, seed : int
        Of the paired bootstrap.
    """
    models = predictions.models
    pairs = list(combinations(models, 2))
    if len(models) > MOST_MODELS:
        pairs = [(models[0], other) for other in models[1:]]
    found = [
        row
        for first, second in pairs
        for row in _pair(predictions, first, second, n_resamples, seed)
    ]
    return _adjusted(found)


def _pair(
    predictions: Predictions, first: ModelScores, second: ModelScores, n_resamples: int, seed: int
) -> list[Comparison]:
    rows, at_first, at_second = np.intersect1d(
        first.rows, second.rows, assume_unique=True, return_indices=True
    )
    a, b = first.probability[at_first], second.probability[at_second]
    names = (first.name, second.name)
    if not rows.size:
        nothing = Estimate(_NAN, _NAN, _NAN, "none", 0, "no scan was rated by both models")
        return [Comparison(*names, "auc", "none", nothing, None)]
    label, patient = predictions.label[rows], predictions.patient[rows]
    thresholds = (first.threshold, second.threshold)
    made = [_delong(names, label, a, b, patient)]
    made += _bootstrap(names, label, (a, b), thresholds, patient, n_resamples, seed)
    if np.unique(patient).size == patient.size:
        right = [(x >= t) == label for x, t in zip((a, b), thresholds, strict=True)]
        made += [
            _mcnemar(names, metric, right[0][cases], right[1][cases])
            for metric, cases in (
                ("accuracy", np.ones(label.size, dtype=bool)),
                ("sensitivity", label),
                ("specificity", ~label),
            )
        ]
    left_out = max(first.rows.size, second.rows.size) - rows.size
    note = f"on the {rows.size} scans that both rated" if left_out else None
    return [_noted(row, note) for row in made]


def _delong(
    names: tuple[str, str], label: BoolArray, a: FloatArray, b: FloatArray, patient: IntArray
) -> Comparison:
    several = np.unique(patient).size < patient.size
    method = "paired DeLong, clustered by patient" if several else "paired DeLong"
    try:
        test = delong_test(label, a, b, patient if several else None)
    except StatisticsError as error:
        nothing = Estimate(_NAN, _NAN, _NAN, "none", label.size, f"no test: {error.seen}")
        return Comparison(*names, "auc", method, nothing, None)
    difference = Estimate(test.difference, test.ci_low, test.ci_high, method, label.size)
    return Comparison(*names, "auc", method, difference, test.p)


def _bootstrap(
    names: tuple[str, str],
    label: BoolArray,
    scores: tuple[FloatArray, FloatArray],
    thresholds: tuple[float, float],
    patient: IntArray,
    n_resamples: int,
    seed: int,
) -> list[Comparison]:
    found = bootstrap_differences(label, *scores, thresholds, patient, n_resamples, seed)
    return [
        Comparison(
            *names, metric, "paired bootstrap of patients", found[METRICS.index(metric)].estimate,
            None if np.isnan(found[METRICS.index(metric)].p) else found[METRICS.index(metric)].p,
        )
        for metric in _BOOTSTRAPPED
    ]  # fmt: skip


def _mcnemar(
    names: tuple[str, str], metric: str, first: BoolArray, second: BoolArray
) -> Comparison:
    """Exact test of paired right and wrong; the difference stands with the bootstrap's limits."""
    method = "exact McNemar"
    if not first.size:
        nothing = Estimate(_NAN, _NAN, _NAN, "none", 0, "no scan of this class")
        return Comparison(*names, metric, method, nothing, None)
    test = mcnemar_exact(first, second)
    words = (
        f"only the first right in {test.only_first}, only the second in {test.only_second}; "
        "for limits see the paired bootstrap"
    )
    value = float(first.mean() - second.mean())
    return Comparison(
        *names, metric, method, Estimate(value, _NAN, _NAN, "none", first.size, words), test.p
    )


def _noted(row: Comparison, note: str | None) -> Comparison:
    if note is None:
        return row
    warning = "; ".join(filter(None, [row.difference.warning, note]))
    return replace(row, difference=replace(row.difference, warning=warning))


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
