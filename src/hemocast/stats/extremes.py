"""Limits where a bootstrap has none: when the data hold no error, or nothing but errors.

Every resample of perfect predictions is perfect, and the percentiles read [1, 1]. The limits here
are exact ones instead, counted in patients, and conservative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.stats.classification import ClassificationMetrics
from hemocast.stats.delong import disjoint_pairs, few_warning, perfect_auc_bound
from hemocast.stats.estimate import BoolArray, IntArray
from hemocast.stats.intervals import Interval, clopper_pearson

LEVEL = 0.95


@dataclass(frozen=True)
class Sample:
    """The data behind the resamples.

    Parameters
    ----------
    truth, called : ndarray of bool, shape (n,)
        Outcomes and decisions.
    index : ndarray of int, shape (n,)
        The patient of every case, 0 ... n_patients - 1.
    n_patients : int
        How many there are.
    point : ClassificationMetrics
        The metrics of these data.
    """

    truth: BoolArray
    called: BoolArray
    index: IntArray
    n_patients: int
    point: ClassificationMetrics

    def rests_on(self, metric: str) -> BoolArray:
        """Return the cases in a metric's denominator."""
        return {
            "sensitivity": self.truth,
            "specificity": ~self.truth,
            "ppv": self.called,
            "npv": ~self.called,
        }.get(metric, np.ones(self.truth.size, dtype=bool))

    def patients(self, cases: BoolArray) -> int:
        """Count the patients among some cases."""
        return int(np.unique(self.index[cases]).size)

    def few(self, metric: str) -> str | None:
        """Warn where the interval rests on few patients of a class."""
        if metric in ("accuracy", "brier"):
            return None
        if metric in ("ppv", "npv", "sensitivity", "specificity"):
            count = self.patients(self.rests_on(metric))
            return (
                None
                if (text := few_warning(count)) is None
                else text.replace("of the smaller class", "in the denominator")
            )
        return few_warning(min(self.patients(self.truth), self.patients(~self.truth)))


def extreme_limits(metric: str, value: float, sample: Sample) -> tuple[Interval | None, str]:
    """Limits where all resamples agree, because the data hold no error (or nothing but errors).

    - A proportion of 0 or 1 among the cases of k patients: Clopper-Pearson for 0 or k of k. Cases
      of one patient are counted once, which is conservative.
    - AUC of 0 or 1: `perfect_auc_bound`.
    - Brier of 0: no patient of k had any loss, and the mean loss is at most the share with one.
    - F1, macro-F1 and balanced accuracy rise with sensitivity, specificity, PPV and NPV. Exact
      limits of these (at a level split among them after Bonferroni) go through the formula.
    """
    sure = "all resamples agree; exact conservative limits"
    if metric == "auc" and value in (0.0, 1.0):
        low = perfect_auc_bound(disjoint_pairs(sample.truth, sample.index), LEVEL)
        return (Interval(low, 1.0) if value == 1.0 else Interval(0.0, 1 - low)), sure
    if metric == "brier" and value == 0:
        return Interval(0.0, clopper_pearson(0, sample.n_patients, LEVEL).high), sure
    if metric in ("accuracy", "sensitivity", "specificity", "ppv", "npv") and value in (0.0, 1.0):
        return _exact_share(metric, value, sample, LEVEL), sure
    if metric in ("f1", "macro_f1", "balanced_accuracy"):
        return _exact_composite(metric, sample), sure
    return None, "all resamples agree, so they give no interval"


def _exact_share(metric: str, value: float, sample: Sample, level: float) -> Interval:
    patients = sample.patients(sample.rests_on(metric))
    return clopper_pearson(patients if value == 1.0 else 0, patients, level)


def _exact_composite(metric: str, sample: Sample) -> Interval:
    """Send exact limits of the parts through the formula of a composite metric."""
    parts = {
        "f1": ("sensitivity", "ppv"),
        "balanced_accuracy": ("sensitivity", "specificity"),
        "macro_f1": ("sensitivity", "ppv", "specificity", "npv"),
    }[metric]
    level = 1 - (1 - LEVEL) / len(parts)
    known = {
        part: _exact_share(part, sample.point[part], sample, level)
        if sample.point[part] in (0.0, 1.0)
        else Interval(0.0, 1.0)
        for part in parts
    }
    ends = []
    for end in (0, 1):
        if metric == "balanced_accuracy":
            ends.append((known["sensitivity"][end] + known["specificity"][end]) / 2)
            continue
        scores = [_harmonic(known["sensitivity"][end], known["ppv"][end])]
        if metric == "macro_f1":
            scores.append(_harmonic(known["specificity"][end], known["npv"][end]))
        ends.append(sum(scores) / len(scores))
    return Interval(ends[0], ends[1])


def _harmonic(a: float, b: float) -> float:
    return 0.0 if a + b == 0 else 2 * a * b / (a + b)
