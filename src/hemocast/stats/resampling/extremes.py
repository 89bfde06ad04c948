"""Limits where a bootstrap has none: when the data hold no error, or nothing but errors.

Every resample of perfect predictions is perfect, and the percentiles read [1, 1]. The limits here
are exact ones instead, counted in patients, and conservative.
"""

from __future__ import annotations

import numpy as np

from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.auc_limits import perfect_auc_limits
from hemocast.stats.estimate import BoolArray, few_warning
from hemocast.stats.metrics import ClassificationMetrics, scale_brier
from hemocast.stats.proportions import Interval, clopper_pearson

LEVEL = 0.95


def rests_on(metric: str, cases: Cases, threshold: float) -> BoolArray:
    """Return the cases in a metric's denominator, as a mask."""
    called = cases.score >= threshold
    return {
        "sensitivity": cases.truth,
        "specificity": ~cases.truth,
        "ppv": called,
        "npv": ~called,
    }.get(metric, np.ones(cases.n, dtype=bool))


def few_behind(metric: str, cases: Cases, threshold: float) -> str | None:
    """Warn where a metric's interval rests on few patients of a class."""
    if metric in ("accuracy", "brier", "scaled_brier"):
        return None
    if metric not in ("ppv", "npv", "sensitivity", "specificity"):
        return cases.few
    text = few_warning(cases.patients(rests_on(metric, cases, threshold)))
    return text and text.replace("of the smaller class", "in the denominator")


def extreme_limits(
    metric: str, cases: Cases, point: ClassificationMetrics
) -> tuple[Interval | None, str]:
    """Limits where all resamples agree, because the data hold no error (or nothing but errors).

    - A proportion of 0 or 1 among the cases of k patients: Clopper-Pearson for 0 or k of k. Cases
      of one patient are counted once, which is conservative.
    - AUC of 0 or 1: `perfect_auc_bound`.
    - Brier of 0: no patient of k had any loss, and the mean loss is at most the share with one.
    - Scaled Brier of 1: the same, divided by the loss of the prevalence.
    - Average precision of 1: the least that any ROC curve with the exact limit's AUC allows.
    - F1, macro-F1, balanced accuracy, MCC and the likelihood ratios rise (or fall) with
      sensitivity, specificity, PPV and NPV. Exact limits of these (at a level split among them
      after Bonferroni) go through the formula.
    """
    value, loss = point[metric], point["brier"]
    sure = "all resamples agree; exact conservative limits"
    if metric == "auc" and value in (0.0, 1.0):
        return perfect_auc_limits(cases, value, LEVEL), sure
    if metric == "average_precision" and value == 1:
        low = perfect_auc_limits(cases, 1.0, LEVEL).low
        return Interval(_least_precision(low, float(cases.truth.mean())), 1.0), sure
    if metric in ("brier", "scaled_brier") and loss == 0:
        worst = clopper_pearson(0, cases.n_patients, LEVEL).high
        if metric == "brier":
            return Interval(0.0, worst), sure
        return Interval(float(scale_brier(worst, cases.truth.mean())), 1.0), sure
    if metric in ("accuracy", "sensitivity", "specificity", "ppv", "npv") and value in (0.0, 1.0):
        return _exact_share(metric, cases, point, LEVEL), sure
    if metric in _PARTS:
        return _exact_composite(metric, cases, point), sure
    return None, "all resamples agree, so they give no interval"


def _least_precision(area: float, prevalence: float) -> float:
    """Smallest average precision of any ROC curve with this area.

    With odds c of no outcome, it is the integral over sensitivity t of t / (t + c x), where the
    false positive rate x has the mean 1 - area. Minimised over x (by a Lagrange multiplier) it is
    1 - sqrt(6 d) / 3 for d = c (1 - area) up to 1/6, and 4 / (9 (d + 1/2)) above.
    """
    lost = (1 - prevalence) / prevalence * (1 - area)
    return 1 - float(np.sqrt(6 * lost)) / 3 if lost <= 1 / 6 else 4 / (9 * (lost + 0.5))


def _exact_share(metric: str, cases: Cases, point: ClassificationMetrics, level: float) -> Interval:
    """Limits of a share: exact where it is 0 or 1; else for its share of the patients."""
    value = point[metric]
    if np.isnan(value):
        return Interval(0.0, 1.0)
    patients = cases.patients(rests_on(metric, cases, point.threshold))
    low, high = int(np.floor(value * patients)), int(np.ceil(value * patients))
    return Interval(
        clopper_pearson(low, patients, level).low, clopper_pearson(high, patients, level).high
    )


_PARTS = {
    "f1": ("sensitivity", "ppv"),
    "balanced_accuracy": ("sensitivity", "specificity"),
    "lr_positive": ("sensitivity", "specificity"),
    "lr_negative": ("sensitivity", "specificity"),
    "macro_f1": ("sensitivity", "ppv", "specificity", "npv"),
    "mcc": ("sensitivity", "ppv", "specificity", "npv"),
}


def _exact_composite(metric: str, cases: Cases, point: ClassificationMetrics) -> Interval:
    """Send exact limits of the parts through the formula of a composite metric."""
    parts = _PARTS[metric]
    level = 1 - (1 - LEVEL) / len(parts)
    known = {part: _exact_share(part, cases, point, level) for part in parts}
    low, high = ({part: limits[end] for part, limits in known.items()} for end in (0, 1))
    if metric == "lr_positive":
        return Interval(
            _ratio(low["sensitivity"], 1 - low["specificity"]),
            _ratio(high["sensitivity"], 1 - high["specificity"]),
        )
    if metric == "lr_negative":
        return Interval(
            _ratio(1 - high["sensitivity"], high["specificity"]),
            _ratio(1 - low["sensitivity"], low["specificity"]),
        )
    return Interval(_composite(metric, low), _composite(metric, high))


def _composite(metric: str, part: dict[str, float]) -> float:
    if metric == "balanced_accuracy":
        return (part["sensitivity"] + part["specificity"]) / 2
    if metric == "mcc":
        shares = np.array(list(part.values()))
        return float(np.sqrt(shares.prod()) - np.sqrt((1 - shares).prod()))
    f1 = _harmonic(part["sensitivity"], part["ppv"])
    return f1 if metric == "f1" else (f1 + _harmonic(part["specificity"], part["npv"])) / 2


def _harmonic(a: float, b: float) -> float:
    return 0.0 if a + b == 0 else 2 * a * b / (a + b)


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else np.inf
