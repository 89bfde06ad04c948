"""AUC with its standard error and tests, after DeLong; clustered by patient, after Obuchowski."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.estimate import FloatArray, IntArray


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

    auc: FloatArray
    covariance: FloatArray
    df: FloatArray


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


def placements(cases: Cases) -> tuple[FloatArray, FloatArray]:
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


def _midrank(ordered: FloatArray, at: FloatArray) -> FloatArray:
    """Count the sorted values below each score, and half of those equal to it."""
    order = np.argsort(at)
    queries = at[order]  # in order, so that the search walks through memory
    counted = np.empty(at.size)
    counted[order] = np.searchsorted(ordered, queries, side="left")
    counted[order] += np.searchsorted(ordered, queries, side="right")
    return counted / 2


def sums_by_patient(values: FloatArray, index: IntArray, n_patients: int) -> FloatArray:
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


def _satterthwaite(a: FloatArray, b: FloatArray, n_a: int, n_b: int) -> FloatArray:
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
        ci_low=difference - half,
        ci_high=difference + half,
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
