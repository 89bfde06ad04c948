"""The ROC curve: its area, its points, its best threshold, its band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import FloatArray
from hemocast.stats.resampling.weights import Resampling


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


def auc(cases: Cases) -> float:
    """Area under the empirical ROC curve, by midranks; ties count one half.

    Parameters
    ----------
    cases : Cases
        Of one rater.

    Returns
    -------
    float
        The chance that a random case with the outcome scores above a random one without.

    Raises
    ------
    StatisticsError
        Only one class is present.

    References
    ----------
    Hanley JA, McNeil BJ 1982, Radiology 143:29-36, 10.1148/radiology.143.1.7063747.
    """
    n_positive, n_negative = cases.both_classes()
    ranks = rankdata(cases.score)[cases.truth].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(cases: Cases) -> float:
    """Mean of the PPV over all cases with the outcome, each at its own score as the threshold.

    Also called the area under the precision-recall curve, by steps and not by trapezia. A useless
    score has the prevalence, so values from samples of different prevalence do not compare.

    Parameters
    ----------
    cases : Cases
        Of one rater.

    Raises
    ------
    StatisticsError
        No case has the outcome.

    References
    ----------
    Davis J, Goadrich M 2006, Proc ICML 233-240, 10.1145/1143844.1143874.
    """
    if not cases.n_positive:
        raise StatisticsError(
            f"Of {cases.n} cases, none has the outcome",
            "at least one case with the outcome",
            "Add cases; average precision is undefined without them",
        )
    found = rankdata(-cases.score[cases.truth], method="max")
    called = rankdata(-cases.score, method="max")[cases.truth]
    return float(np.mean(found / called))


def roc_curve(cases: Cases) -> RocCurve:
    """Every operating point of a score, one per distinct value.

    Parameters
    ----------
    cases : Cases
        Of one rater.

    Raises
    ------
    StatisticsError
        Only one class is present.
    """
    n_positive, n_negative = cases.both_classes()
    order = np.argsort(-cases.score, kind="stable")
    falling, hits = cases.score[order], cases.truth[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(falling)), cases.n - 1)
    tp = np.cumsum(hits)[last_of_tie]
    fp = last_of_tie + 1 - tp
    return RocCurve(
        fpr=np.concatenate([[0.0], fp / n_negative]),
        tpr=np.concatenate([[0.0], tp / n_positive]),
        threshold=np.concatenate([[np.inf], falling[last_of_tie]]),
    )


def youden_threshold(cases: Cases) -> float:
    """Return the observed score at which sensitivity + specificity - 1 is largest.

    Of several such scores the highest is taken (fewest called positive). Choose it on training or
    validation cases: on the test cases it flatters.

    Parameters
    ----------
    cases : Cases
        Of one rater.

    Raises
    ------
    StatisticsError
        Only one class is present.

    References
    ----------
    Youden WJ 1950, Cancer 3:32-35,
    10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    curve = roc_curve(cases)
    return float(curve.threshold[1 + int(np.argmax((curve.tpr - curve.fpr)[1:]))])


def bootstrap_roc(
    cases: Cases, resampling: Resampling = Resampling(1000), points: int = 101
) -> RocBand:
    """Resample patients and take percentiles of the sensitivity at every specificity.

    Pointwise: the whole true curve leaves the band more often than 5 % of the time. Perfect
    separation gives a band of no height; the AUC's own limits tell how sure that is.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    resampling : Resampling
        Of patients.
    points : int
        Along the axis of 1 - specificity.

    Raises
    ------
    StatisticsError
        Only one class is present, in all cases or in all resamples.
    """
    cases.both_classes()
    order = np.argsort(-cases.score, kind="stable")
    hits, by_case = cases.truth[order], cases.patient[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(cases.score[order])), cases.n - 1)
    at = np.linspace(0, 1, points)
    curves = []
    for weights in resampling.draw(cases, cases.n):
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
