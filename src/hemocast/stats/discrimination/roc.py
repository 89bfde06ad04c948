"""The ROC curve: its area, its points, its band, and a threshold chosen on it by a stated rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import Float64Array, IntArray
from hemocast.stats.resampling.weights import Resampling

ThresholdRule = Literal["youden", "sensitivity", "specificity"]

CHOSEN_HERE = (
    "the threshold was chosen on these cases; sensitivity and specificity at it are optimistic "
    "until they are measured on others"
)


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

    fpr: Float64Array
    tpr: Float64Array
    threshold: Float64Array


@dataclass(frozen=True)
class RocBand:
    """A pointwise 95 % band of the ROC curve.

    Parameters
    ----------
    fpr, low, high : ndarray of float64, shape (k,)
        1 - specificity, and the limits of the sensitivity there.
    """

    fpr: Float64Array
    low: Float64Array
    high: Float64Array


@dataclass(frozen=True)
class PrecisionRecall:
    """The empirical precision-recall curve, to be drawn by steps.

    Parameters
    ----------
    recall, precision : ndarray of float64, shape (k,)
        Sensitivity, rising from 0 to 1, and PPV. The step up to a recall has the PPV of its first
        point, so that the area under the steps is the average precision.
    prevalence : float
        The PPV of a useless score, at every recall.
    """

    recall: Float64Array
    precision: Float64Array
    prevalence: float


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold with what it gives on the cases at hand.

    Parameters
    ----------
    threshold : float
        At or above it a case counts as positive.
    rule : {"youden", "sensitivity", "specificity"}
        How it came about.
    sensitivity, specificity : float
        On the cases at hand.
    warning : str
        That the figures are optimistic.
    """

    threshold: float
    rule: ThresholdRule
    sensitivity: float
    specificity: float
    warning: str = CHOSEN_HERE


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


def precision_recall_curve(cases: Cases) -> PrecisionRecall:
    """Sensitivity and PPV at every threshold; of each recall the first point and the last.

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
    Davis J, Goadrich M 2006, Proc ICML 233-240, 10.1145/1143844.1143874. Of rare outcomes: Saito T,
    Rehmsmeier M 2015, PLoS One 10:e0118432, 10.1371/journal.pone.0118432.
    """
    curve = roc_curve(cases)
    recall = curve.tpr[1:]
    found, wrong = recall * cases.n_positive, curve.fpr[1:] * (cases.n - cases.n_positive)
    precision = found / (found + wrong)
    moves = np.diff(recall, prepend=-1.0, append=2.0) > 0
    kept = moves[:-1] | moves[1:]
    return PrecisionRecall(
        recall=np.concatenate([[0.0], recall[kept]]),
        precision=np.concatenate([precision[:1], precision[kept]]),
        prevalence=cases.n_positive / cases.n,
    )


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
    at = np.linspace(0, 1, points)
    drawn = resampled_curves(cases, resampling, cases.patient)
    curves = [np.interp(at, *curve) for curve in drawn if curve is not None]
    if not curves:
        raise StatisticsError(
            "No resample held both classes", "more patients of each class", "Show no band"
        )
    low, high = np.quantile(np.stack(curves), [0.025, 0.975], axis=0)
    return RocBand(at, low, high)


def resampled_curves(
    cases: Cases, resampling: Resampling, units: IntArray
) -> Iterator[tuple[Float64Array, Float64Array] | None]:
    """Draw the ROC curve of every resample.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    resampling : Resampling
        Of `units`.
    units : ndarray of int64, shape (n,)
        What is drawn as a whole: the patient of every case, or `Resampling.units`.

    Yields
    ------
    tuple of two ndarray of float64, shape (k,) each, or None
        1 - specificity and sensitivity, rising from 0 to 1; None of a resample of one class.
    """
    order = np.argsort(-cases.score, kind="stable")
    hits, by_case = cases.truth[order], units[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(cases.score[order])), cases.n - 1)
    for weights in resampling.draw(cases, 2 * cases.n, units):
        ordered = weights[:, by_case]
        positive = np.cumsum(ordered * hits, axis=1)[:, last_of_tie]
        negative = np.cumsum(ordered * ~hits, axis=1)[:, last_of_tie]
        for own, other in zip(positive, negative, strict=True):
            if own[-1] > 0 and other[-1] > 0:
                yield np.append(0, other / other[-1]), np.append(0, own / own[-1])
            else:
                yield None


def choose_threshold(
    cases: Cases,
    rule: ThresholdRule,
    target: float | None = None,
) -> ChosenThreshold:
    """Choose the threshold on these cases: training or validation cases, not those of the test.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    rule : {"youden", "sensitivity", "specificity"}
        The largest sensitivity + specificity; the largest specificity with a sensitivity of at
        least `target`; or the largest sensitivity with a specificity of at least `target`. Of equal
        thresholds the highest is taken (fewest called positive), as is the observed score.
    target : float, optional
        A fraction in (0, 1], for the last two rules.

    Raises
    ------
    StatisticsError
        Only one class is present; a target that is missing, superfluous or outside (0, 1]; no
        threshold that calls any case positive reaches the specificity.

    References
    ----------
    Youden WJ 1950, Cancer 3:32-35. Optimism of a threshold chosen on the cases it is measured on:
    Leeflang MMG 2008, Clin Chem 54:729-737, 10.1373/clinchem.2007.096032.
    """
    curve = roc_curve(cases)
    if (rule == "youden") != (target is None) or not (target is None or 0 < target <= 1):
        raise StatisticsError(
            f"The rule {rule!r} was given the target {target}",
            "a fraction above 0 for a fixed sensitivity or specificity, and none for Youden",
            "Give the sensitivity or specificity to reach",
        )
    at = _choose(curve, rule, target)
    return ChosenThreshold(
        float(curve.threshold[at]),
        rule,
        float(curve.tpr[at]),
        float(1 - curve.fpr[at]),
    )


def _choose(curve: RocCurve, rule: ThresholdRule, target: float | None) -> int:
    """Place on the curve, 1 or higher: place 0 calls nothing positive."""
    if target is None:
        return 1 + int(np.argmax((curve.tpr - curve.fpr)[1:]))
    if rule == "sensitivity":
        return max(1, int(np.argmax(curve.tpr >= target - 1e-12)))
    enough = np.flatnonzero(1 - curve.fpr >= target - 1e-12)[1:]
    if enough.size == 0:
        raise StatisticsError(
            f"No threshold calls a case positive and keeps a specificity of {target}",
            "a specificity that the scores can reach",
            "Ask for a lower specificity",
        )
    return int(enough[np.argmax(curve.tpr[enough])])
