"""The ROC curve: its area, its points, its best threshold, its band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import BoolArray, FloatArray, as_labels, as_patients, as_scores
from hemocast.stats.resampling.weights import resample_weights


@dataclass(frozen=True)
class RocCurve:
    """The empirical ROC curve.

    Parameters
    ----------
    fpr, tpr : ndarray of float64, shape (k,)
        1 - specificity and sensitivity, both rising from 0 to 1.
    threshold : ndarray of float64, shape (k,)
        Falling; the first is infinite (nothing is called positive).
    """

    fpr: FloatArray
    tpr: FloatArray
    threshold: FloatArray


@dataclass(frozen=True)
class RocBand:
    """A pointwise 95 % band of the ROC curve.

    Parameters
    ----------
    fpr, low, high : ndarray of float64, shape (k,)
        1 - specificity, and the limits of the sensitivity there.
    """

    fpr: FloatArray
    low: FloatArray
    high: FloatArray


def auc(label: ArrayLike, score: ArrayLike) -> float:
    """Area under the empirical ROC curve, by midranks; ties count one half.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        Any numbers, higher meaning more likely.

    Returns
    -------
    float
        The chance that a random case with the outcome scores above a random one without.

    Raises
    ------
    StatisticsError
        Only one class is present, or labels or scores cannot be used.

    References
    ----------
    Hanley JA, McNeil BJ 1982, Radiology 143:29-36, 10.1148/radiology.143.1.7063747.
    """
    truth = as_labels(label)
    scores = as_scores(score, truth.size)
    n_positive, n_negative = require_both_classes(truth)
    ranks = rankdata(scores)[truth].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(label: ArrayLike, score: ArrayLike) -> float:
    """Mean of the PPV over all cases with the outcome, each at its own score as the threshold.

    Also called the area under the precision-recall curve, by steps and not by trapezia. A useless
    score has the prevalence, so values from samples of different prevalence do not compare.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        Any numbers, higher meaning more likely.

    Raises
    ------
    StatisticsError
        No case has the outcome, or labels or scores cannot be used.

    References
    ----------
    Davis J, Goadrich M 2006, Proc ICML 233-240, 10.1145/1143844.1143874.
    """
    truth = as_labels(label)
    scores = as_scores(score, truth.size)
    if not truth.any():
        raise StatisticsError(
            f"Of {truth.size} cases, none has the outcome",
            "at least one case with the outcome",
            "Add cases; average precision is undefined without them",
        )
    positive = scores[truth]
    found = rankdata(-positive, method="max")
    called = rankdata(-scores, method="max")[truth]
    return float(np.mean(found / called))


def require_both_classes(truth: BoolArray) -> tuple[int, int]:
    """Return the numbers of cases with and without the outcome.

    Raises
    ------
    StatisticsError
        One of them is 0.
    """
    n_positive = int(truth.sum())
    n_negative = truth.size - n_positive
    if n_positive == 0 or n_negative == 0:
        raise StatisticsError(
            f"Of {truth.size} cases, {n_positive} have the outcome and {n_negative} do not",
            "cases of both classes",
            "Add cases of the missing class; discrimination is undefined without them",
        )
    return n_positive, n_negative


def roc_curve(label: ArrayLike, score: ArrayLike) -> RocCurve:
    """Every operating point of a score, one per distinct value.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        Any numbers, higher meaning more likely.

    Raises
    ------
    StatisticsError
        Only one class is present, or labels or scores cannot be used.
    """
    truth = as_labels(label)
    scores = as_scores(score, truth.size)
    n_positive, n_negative = require_both_classes(truth)
    order = np.argsort(-scores, kind="stable")
    falling, hits = scores[order], truth[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(falling)), truth.size - 1)
    tp = np.cumsum(hits)[last_of_tie]
    fp = last_of_tie + 1 - tp
    return RocCurve(
        fpr=np.concatenate([[0.0], fp / n_negative]),
        tpr=np.concatenate([[0.0], tp / n_positive]),
        threshold=np.concatenate([[np.inf], falling[last_of_tie]]),
    )


def youden_threshold(label: ArrayLike, score: ArrayLike) -> float:
    """Return the observed score at which sensitivity + specificity - 1 is largest.

    Of several such scores the highest is taken (fewest called positive). Choose it on training or
    validation cases: on the test cases it flatters.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        Any numbers, higher meaning more likely.

    Raises
    ------
    StatisticsError
        Only one class is present, or labels or scores cannot be used.

    References
    ----------
    Youden WJ 1950, Cancer 3:32-35,
    10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    curve = roc_curve(label, score)
    return float(curve.threshold[1 + int(np.argmax((curve.tpr - curve.fpr)[1:]))])


def bootstrap_roc(
    label: ArrayLike,
    score: ArrayLike,
    patient: ArrayLike,
    n_resamples: int = 1000,
    seed: int = 0,
    points: int = 101,
) -> RocBand:
    """Resample patients and take percentiles of the sensitivity at every specificity.

    Pointwise: the whole true curve leaves the band more often than 5 % of the time. Perfect
    separation gives a band of no height; the AUC's own limits tell how sure that is.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        Any numbers, higher meaning more likely.
    patient : array_like, shape (n,)
        The patient of every case.
    n_resamples, seed, points : int
        Resamples, their seed, and points along the axis of 1 - specificity.

    Raises
    ------
    StatisticsError
        Only one class is present, or labels, scores or patients cannot be used.
    """
    truth = as_labels(label)
    scores = as_scores(score, truth.size)
    require_both_classes(truth)
    index, n_patients = as_patients(patient, truth.size)
    order = np.argsort(-scores, kind="stable")
    hits, by_case = truth[order], index[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), truth.size - 1)
    at = np.linspace(0, 1, points)
    curves = []
    rng = np.random.default_rng(seed)
    for weights in resample_weights(n_patients, n_resamples, rng, truth.size):
        ordered = weights[:, by_case]
        positive = np.cumsum(ordered * hits, axis=1)[:, last_of_tie]
        negative = np.cumsum(ordered * ~hits, axis=1)[:, last_of_tie]
        both = (positive[:, -1] > 0) & (negative[:, -1] > 0)
        curves += [
            np.interp(at, np.append(0, row_n / row_n[-1]), np.append(0, row_p / row_p[-1]))
            for row_p, row_n in zip(positive[both], negative[both], strict=True)
        ]
    if not curves:
        raise StatisticsError(
            "No resample held both classes", "more patients of each class", "Show no band"
        )
    low, high = np.quantile(np.stack(curves), [0.025, 0.975], axis=0)
    return RocBand(at, low, high)
