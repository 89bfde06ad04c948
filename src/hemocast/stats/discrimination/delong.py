"""AUC with its standard error, limits and tests, after DeLong; clustered after Obuchowski.

Perfect separation has an estimated variance of zero, and an interval of [1, 1] would claim
certainty from any sample, however small. There the interval comes from `perfect_auc_bound`
instead, which covers at least the level asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm, t

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.roc import auc
from hemocast.stats.estimate import Estimate, Float64Array, IntArray
from hemocast.stats.proportions import Interval

_FEW_AT_EXTREMES = 100
"""With fewer patients of a class, the variance of an AUC near 0 or 1 is often underestimated."""

_MODEL_SHARE = 1 / 3
"""Weight of Newcombe's limits there: in simulations a half covered 98 %, none 85 to 89 %."""

_EXTREME = 0.9
"""An AUC above this, or below its mirror image, counts as near 1 or 0."""


@dataclass(frozen=True)
class DelongResult:
    """AUCs of one or more scores on the same cases, with their covariance.

    Parameters
    ----------
    auc : ndarray of float64, shape (k,)
        One per score.
    covariance : ndarray of float64, shape (k, k)
        Of the AUCs.
    df : ndarray of float64, shape (k,)
        Degrees of freedom of each variance, after Satterthwaite: few patients of a class leave it
        uncertain.
    """

    auc: Float64Array
    covariance: Float64Array
    df: Float64Array


@dataclass(frozen=True)
class AucDifference:
    """A paired comparison of two AUCs.

    Parameters
    ----------
    difference : float
        First minus second.
    ci_low, ci_high : float
        Confidence limits of the difference.
    z, p : float
        Test statistic and two-sided p value of no difference.
    warning : str or None
        Where it rests on few patients of a class.
    """

    difference: float
    ci_low: float
    ci_high: float
    z: float
    p: float
    warning: str | None = None


def placements(cases: Cases) -> tuple[Float64Array, Float64Array]:
    """Give each case the share of the other class that it is ranked rightly against.

    A tie counts one half: O(n log n) time and O(n) memory a rater, after Sun and Xu 2014.

    Returns
    -------
    above, below : ndarray of float64, shape (raters, with outcome) and (raters, without)
        Of the cases of each class, in their order.
    """
    truth = cases.truth
    above, below = [], []
    for score in cases.scores:
        positive, negative = np.sort(score[truth]), np.sort(score[~truth])
        above.append(_midrank(negative, score[truth]) / negative.size)
        below.append(1 - _midrank(positive, score[~truth]) / positive.size)
    return np.stack(above), np.stack(below)


def _midrank(ordered: Float64Array, at: Float64Array) -> Float64Array:
    """Count the sorted values below each score, and half of those equal to it."""
    order = np.argsort(at)
    queries = at[order]  # in order, so that the search walks through memory
    counted = np.empty(at.size)
    counted[order] = np.searchsorted(ordered, queries, side="left")
    counted[order] += np.searchsorted(ordered, queries, side="right")
    return counted / 2


def sums_by_patient(values: Float64Array, index: IntArray, n_patients: int) -> Float64Array:
    """Sum cases, shape (k, n), within patients, shape (k, patients)."""
    return np.stack([np.bincount(index, weights=row, minlength=n_patients) for row in values])


def delong(cases: Cases) -> DelongResult:
    """AUCs and their covariance.

    Parameters
    ----------
    cases : Cases
        Of k raters. Where patients have several cases, the covariance counts patients; with one
        case each it is exactly DeLong's.

    Raises
    ------
    StatisticsError
        Fewer than two patients of a class.

    References
    ----------
    DeLong ER 1988, Biometrics 44:837-845, 10.2307/2531595. Sun X, Xu W 2014, IEEE Signal Process
    Lett 21:1389-1393, 10.1109/LSP.2014.2337313. Obuchowski NA 1997, Biometrics 53:567-578,
    10.2307/2533958.
    """
    truth = cases.truth
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    with_positive, positive_index = np.unique(cases.cluster[truth], return_inverse=True)
    with_negative, negative_index = np.unique(cases.cluster[~truth], return_inverse=True)
    if min(with_positive.size, with_negative.size) < 2:
        raise StatisticsError(
            f"{with_positive.size} patients have the outcome and {with_negative.size} do not",
            "at least two patients of each class",
            "Report the AUC without an interval, or add patients",
        )
    above, below = placements(cases)
    areas = above.mean(axis=1)
    above_sums = sums_by_patient(above - areas[:, None], positive_index, with_positive.size)
    below_sums = sums_by_patient(below - areas[:, None], negative_index, with_negative.size)
    k10, k01 = with_positive.size, with_negative.size
    from_positive = above_sums @ above_sums.T * (k10 / (k10 - 1) / n_positive**2)
    from_negative = below_sums @ below_sums.T * (k01 / (k01 - 1) / n_negative**2)
    covariance = from_positive + from_negative
    df = _satterthwaite(np.diag(from_positive), np.diag(from_negative), k10, k01)
    if cases.clustered:
        _, at_positive, at_negative = np.intersect1d(
            with_positive, with_negative, assume_unique=True, return_indices=True
        )
        everybody = max(k10 + k01 - at_positive.size, 2)
        cross = above_sums[:, at_positive] @ below_sums[:, at_negative].T
        factor = everybody / (everybody - 1) / (n_positive * n_negative)
        covariance = covariance + (cross + cross.T) * factor
    return DelongResult(auc=areas, covariance=covariance, df=df)


def _satterthwaite(a: Float64Array, b: Float64Array, n_a: int, n_b: int) -> Float64Array:
    """Degrees of freedom of the sum of two estimated variances, each from n - 1."""
    spread = a**2 / (n_a - 1) + b**2 / (n_b - 1)
    fewest = float(min(n_a, n_b) - 1)
    return np.where(spread > 0, (a + b) ** 2 / np.where(spread > 0, spread, 1), fewest)


def delong_test(cases: Cases, level: float = 0.95) -> AucDifference:
    """Test whether two raters of the same cases have the same AUC.

    Parameters
    ----------
    cases : Cases
        Of two raters.
    level : float
        Confidence level of the interval of the difference.

    Raises
    ------
    StatisticsError
        The difference has no variance (both scores rank the cases alike, or both separate them
        perfectly), or fewer than two patients of a class.
    """
    difference, error = auc_difference(cases)
    half = float(norm.ppf(0.5 + level / 2)) * error
    z = difference / error
    return AucDifference(
        difference=difference,
        ci_low=max(difference - half, -1.0),
        ci_high=min(difference + half, 1.0),
        z=z,
        p=float(2 * norm.sf(abs(z))),
        warning=cases.few,
    )


def auc_difference(cases: Cases) -> tuple[float, float]:
    """AUC of the first minus that of the second of two raters, and its standard error.

    Raises
    ------
    StatisticsError
        As `delong_test` does.
    """
    cases.require_raters(2)
    result = delong(cases)
    contrast = np.array([1.0, -1.0])
    variance = float(contrast @ result.covariance @ contrast)
    difference = float(contrast @ result.auc)
    if variance <= 1e-15:
        raise StatisticsError(
            f"The two AUCs differ by {difference:.4f} with no variance between them",
            "two scores that rank the cases differently",
            "Report the AUCs; there is nothing to test",
        )
    return difference, float(np.sqrt(variance))


def disjoint_pairs(cases: Cases) -> int:
    """Count the pairs (a case with, a case without the outcome) that share no patient.

    Patients with cases of both kinds can stand on either side, but only once.
    """
    return min(cases.smaller_class, cases.n_patients // 2)


def perfect_auc_bound(pairs: int, level: float = 0.95) -> float:
    """Lower confidence limit of an AUC estimated as exactly 1.

    Match the two classes at random into `pairs` pairs that share no patient. Each pair is ranked
    rightly with a chance equal to the true AUC, independently of the others, and all of them were:
    so the exact binomial limit, ``((1 - level) / 2) ** (1 / pairs)``, holds. It is conservative,
    since the estimate also used all other pairs. Its mirror image serves an AUC of exactly 0.

    Parameters
    ----------
    pairs : int
        From `disjoint_pairs`; with none, nothing is known and the limit is 0.
    level : float
        Confidence level.
    """
    return float(((1 - level) / 2) ** (1 / pairs)) if pairs else 0.0


def perfect_auc_limits(cases: Cases, area: float, level: float = 0.95) -> Interval:
    """Limits of an AUC estimated as exactly 0 or 1; see `perfect_auc_bound`."""
    low = perfect_auc_bound(disjoint_pairs(cases), level)
    return Interval(low, 1.0) if area == 1.0 else Interval(0.0, 1 - low)


def auc_interval(cases: Cases, level: float = 0.95) -> Estimate:
    """AUC with a DeLong interval on the logit scale, which never leaves [0, 1].

    The quantile is Student's, with Satterthwaite's degrees of freedom. An AUC beyond .9 (or .1)
    from fewer than 100 patients of a class rests on a handful of wrongly ranked cases, and its
    variance comes out too small as often as not: of simulated intervals for .97 from 30 cases
    against 570, 89 % would hold the truth. There each limit is the mean, on the logit scale, of
    DeLong's (with the normal quantile; weight two thirds) and of Newcombe's score limit (whose
    variance follows from the AUC alone; one third): 96 % do.

    Parameters
    ----------
    cases : Cases
        Of one rater.
    level : float
        Confidence level.

    Returns
    -------
    Estimate
        Without limits, and with the reason, where a class has a single patient or all scores are
        equal; from `perfect_auc_bound` where the classes are perfectly separated.

    Raises
    ------
    StatisticsError
        Only one class is present.

    References
    ----------
    As for `delong`; the logit transform: Pepe MS 2003, The Statistical Evaluation of Medical Tests,
    Oxford University Press, section 5.2; score limits: Newcombe RG 2006, Stat Med 25:559-573,
    10.1002/sim.2324 (method 5).
    """
    cases.both_classes()
    positive, negative = cases.score[cases.truth], cases.score[~cases.truth]
    if cases.score.min() == cases.score.max():
        return Estimate.bare(0.5, cases.n, "all scores are equal")
    if positive.min() > negative.max() or positive.max() < negative.min():
        area = float(positive.min() > negative.max())
        warning = "the classes are perfectly separated; exact conservative limits"
        limits = perfect_auc_limits(cases, area, level)
        return Estimate(area, *limits, "exact, disjoint pairs", cases.n, warning)
    if cases.smaller_class < 2:
        reason = "a class has a single patient, so no interval can be given"
        return Estimate.bare(auc(cases), cases.n, reason)
    result = delong(cases)
    area = float(result.auc[0])
    variance = float(result.covariance[0, 0])
    limits = _logit_limits(area, variance, float(t.ppf(0.5 + level / 2, result.df[0])))
    method = "DeLong clustered by patient, logit" if cases.clustered else "DeLong, logit"
    if cases.smaller_class < _FEW_AT_EXTREMES and not 1 - _EXTREME <= area <= _EXTREME:
        limits = _logit_limits(area, variance, float(norm.ppf(0.5 + level / 2)))
        with_outcome, without = cases.patients(cases.truth), cases.patients(~cases.truth)
        model = newcombe_limits(area, with_outcome, without, level)
        weighed = (
            (1 - _MODEL_SHARE) * logit(own) + _MODEL_SHARE * logit(other)
            for own, other in zip(limits, model, strict=True)
        )
        limits = Interval(*(float(expit(value)) for value in weighed))
        method += ", averaged with Newcombe"
    return Estimate(area, *limits, method, cases.n, cases.few)


def _logit_limits(area: float, variance: float, quantile: float) -> Interval:
    half = quantile * float(np.sqrt(variance)) / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def newcombe_limits(area: float, n_positive: int, n_negative: int, level: float = 0.95) -> Interval:
    """Score limits of an AUC whose variance follows from the AUC and the numbers of cases alone.

    Parameters
    ----------
    area : float
        The AUC, strictly between 0 and 1.
    n_positive, n_negative : int
        Cases (or, where they have several, patients) of each class.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The AUCs from which the observed one lies as far as the level allows.

    References
    ----------
    Newcombe RG 2006, Stat Med 25:559-573, 10.1002/sim.2324 (method 5), with the variance of Hanley
    JA, McNeil BJ 1982, 10.1148/radiology.143.1.7063747.
    """
    z = float(norm.ppf(0.5 + level / 2))
    others = (n_positive + n_negative) / 2 - 1

    def excess(at: float) -> float:
        spread = 1 + others * ((1 - at) / (2 - at) + at / (1 + at))
        return (area - at) ** 2 - z**2 * at * (1 - at) * spread / (n_positive * n_negative)

    return Interval(
        float(brentq(excess, 0.0, area, xtol=1e-14)), float(brentq(excess, area, 1.0, xtol=1e-14))
    )
