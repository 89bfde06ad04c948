"""How well probabilities and decisions agree with outcomes: the paper's equations 3-7, and AUC.

A case counts as positive when its probability is **at or above** the threshold. A number whose
denominator is empty is NaN, and the reason stands beside it; it is never silently 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import auc, average_precision
from hemocast.stats.estimate import Float64Array

METRICS: Final = (
    "accuracy", "sensitivity", "ppv", "specificity", "f1", "auc", "npv", "balanced_accuracy",
    "macro_f1", "brier", "lr_positive", "lr_negative", "mcc", "average_precision", "scaled_brier",
)  # fmt: skip
"""Names of all metrics; the first six are the columns of the paper's Table 2."""

MAIN_METRICS: Final = METRICS[:10]
"""Those that a page shows where all would be too many."""

COUNT_METRICS: Final = (
    "accuracy", "sensitivity", "ppv", "specificity", "f1", "npv", "balanced_accuracy", "macro_f1",
    "lr_positive", "lr_negative", "mcc",
)  # fmt: skip
"""Those that follow from the four cells of the confusion matrix, in the order of `from_counts`."""

RANGES: Final[dict[str, tuple[float, float]]] = {
    "lr_positive": (0.0, np.inf),
    "lr_negative": (0.0, np.inf),
    "mcc": (-1.0, 1.0),
    "scaled_brier": (-np.inf, 1.0),
}
"""Smallest and largest possible value of the metrics that do not run from 0 to 1."""

_NO_POSITIVE: Final = "no case has the outcome"
_NO_NEGATIVE: Final = "every case has the outcome"


@dataclass(frozen=True)
class Confusion:
    """The four cells: true and false positives, true and false negatives."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def n(self) -> int:
        """All cases."""
        return self.tp + self.fp + self.tn + self.fn

    def share(self, metric: str) -> tuple[int, int]:
        """Return the hits of accuracy, sensitivity, specificity, PPV or NPV, and of how many."""
        return {
            "accuracy": (self.tp + self.tn, self.n),
            "sensitivity": (self.tp, self.tp + self.fn),
            "specificity": (self.tn, self.tn + self.fp),
            "ppv": (self.tp, self.tp + self.fp),
            "npv": (self.tn, self.tn + self.fn),
        }[metric]


@dataclass(frozen=True)
class ClassificationMetrics:
    """Every metric of one set of predictions, without intervals.

    Parameters
    ----------
    confusion : Confusion
        The cells at `threshold`.
    threshold : float
        At or above it a case counts as positive.
    values : tuple of float
        In the order of `METRICS`; NaN where undefined, infinite for a likelihood ratio over 0.
    reasons : tuple of (str or None)
        In the same order: why a value is NaN or infinite.
    """

    confusion: Confusion
    threshold: float
    values: tuple[float, ...]
    reasons: tuple[str | None, ...]

    def __getitem__(self, metric: str) -> float:
        """Return one metric by its name in `METRICS`."""
        return self.values[METRICS.index(metric)]

    def reason(self, metric: str) -> str | None:
        """Why a metric is NaN or infinite, or None."""
        return self.reasons[METRICS.index(metric)]


def confusion(cases: Cases, threshold: float) -> Confusion:
    """Count the four cells.

    Parameters
    ----------
    cases : Cases
        Of one rater, with any scores on the threshold's scale.
    threshold : float
        At or above it a case counts as positive.
    """
    truth, called = cases.truth, cases.score >= threshold
    return Confusion(
        tp=int((truth & called).sum()),
        fp=int((~truth & called).sum()),
        tn=int((~truth & ~called).sum()),
        fn=int((truth & ~called).sum()),
    )


def from_counts(tp: ArrayLike, fp: ArrayLike, tn: ArrayLike, fn: ArrayLike) -> Float64Array:
    """Metrics that follow from the confusion matrix, for any number of matrices at once.

    Accuracy, sensitivity, PPV, specificity and F1 are equations 3-7 of Zhang 2026
    (10.3389/fnins.2025.1753071). F1 is taken as 2 TP / (2 TP + FP + FN), which equals the harmonic
    mean of sensitivity and PPV and is defined also where PPV is not. Macro-F1 is the mean of the
    F1 of both classes: a different number, not to be printed in an F1 column. Likelihood ratios are
    sensitivity / (1 - specificity) and (1 - sensitivity) / specificity; MCC is the correlation of
    decision and outcome.

    Parameters
    ----------
    tp, fp, tn, fn : array_like, shape (...)
        Cells; weighted counts are allowed.

    Returns
    -------
    ndarray of float64, shape (11, ...)
        In the order of `COUNT_METRICS`; NaN where a denominator is 0, infinity for a likelihood
        ratio of something over 0.

    References
    ----------
    MCC: Matthews BW 1975, Biochim Biophys Acta 405:442-451, 10.1016/0005-2795(75)90109-9.
    Likelihood ratios: Deeks JJ, Altman DG 2004, BMJ 329:168-169, 10.1136/bmj.329.7458.168.
    """
    tp, fp, tn, fn = (np.asarray(cell, dtype=np.float64) for cell in (tp, fp, tn, fn))
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = tp / (tp + fn)
        specificity = tn / (tn + fp)
        f1 = 2 * tp / (2 * tp + fp + fn)
        f1_negative = 2 * tn / (2 * tn + fp + fn)
        mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return np.stack([
            (tp + tn) / (tp + fp + tn + fn), sensitivity, tp / (tp + fp), specificity, f1,
            tn / (tn + fn), (sensitivity + specificity) / 2, (f1 + f1_negative) / 2,
            sensitivity / (fp / (tn + fp)), (fn / (tp + fn)) / specificity, mcc,
        ])  # fmt: skip


def brier(cases: Cases) -> float:
    """Mean squared difference between probability and outcome; 0 is perfect.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].

    Raises
    ------
    StatisticsError
        A score outside [0, 1].

    References
    ----------
    Brier GW 1950, Mon Weather Rev 78:1-3, 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    return float(np.mean((cases.probability() - cases.truth) ** 2))


def scale_brier(loss: ArrayLike, prevalence: ArrayLike) -> Float64Array:
    """Scaled Brier score: 1 - loss / (that of giving everybody the prevalence); 1 is perfect.

    Parameters
    ----------
    loss, prevalence : array_like, shape (...)
        Brier score, and share of cases with the outcome.

    Returns
    -------
    ndarray of float64, shape (...)
        At most 1; below 0 the prevalence alone would do better. NaN where only one class is there.

    References
    ----------
    Steyerberg EW 2010, Epidemiology 21:128-138, 10.1097/EDE.0b013e3181c30fb2.
    """
    share = np.asarray(prevalence, dtype=np.float64)
    spread = share * (1 - share)
    known = np.where(spread > 0, spread, np.nan)
    return np.asarray(1 - np.asarray(loss, dtype=np.float64) / known)


def classification_metrics(cases: Cases, threshold: float) -> ClassificationMetrics:
    """All of `METRICS` for one set of predictions, without intervals.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    threshold : float
        At or above it a case counts as positive.

    Returns
    -------
    ClassificationMetrics
        NaN, with the reason, where a metric is undefined (one class only, nothing called positive).
        Average precision needs both classes: with one it would be 0 or 1 whatever the model.

    Raises
    ------
    StatisticsError
        A score or the threshold outside [0, 1].
    """
    loss = brier(cases)
    if not 0 <= threshold <= 1:
        raise StatisticsError(
            f"The threshold is {threshold}",
            "a fraction from 0 to 1",
            "Give the probability at which a case counts as positive",
        )
    cells = confusion(cases, threshold)
    values = dict(
        zip(COUNT_METRICS, from_counts(cells.tp, cells.fp, cells.tn, cells.fn), strict=True)
    )
    both = 0 < cases.n_positive < cases.n
    values["brier"] = np.float64(loss)
    values["auc"] = np.float64(auc(cases) if both else np.nan)
    values["average_precision"] = np.float64(average_precision(cases) if both else np.nan)
    values["scaled_brier"] = scale_brier(loss, cases.truth.mean())
    numbers = tuple(float(values[name]) for name in METRICS)
    return ClassificationMetrics(
        confusion=cells,
        threshold=float(threshold),
        values=numbers,
        reasons=tuple(
            undefined_because(name, cells) if not np.isfinite(number) else None
            for name, number in zip(METRICS, numbers, strict=True)
        ),
    )


def undefined_because(metric: str, cells: Confusion) -> str:
    """Say why a metric has no finite value for this confusion matrix."""
    if metric == "ppv":
        return "no case was called positive"
    if metric == "npv":
        return "no case was called negative"
    if metric == "specificity" or cells.tn + cells.fp == 0:
        return _NO_NEGATIVE
    if cells.tp + cells.fn == 0:
        return _NO_POSITIVE
    called = cells.tp + cells.fp
    if metric == "lr_positive" and called:
        return "infinite: no case without the outcome was called positive"
    if metric == "lr_negative" and called < cells.n:
        return "infinite: every case without the outcome was called positive"
    return f"no case was called {'negative' if called else 'positive'}"
