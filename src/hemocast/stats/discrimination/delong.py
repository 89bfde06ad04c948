"""AUC with its standard error and tests, after DeLong; clustered by patient, after Obuchowski."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats.discrimination.roc import require_both_classes
from hemocast.stats.estimate import (
    BoolArray,
    FloatArray,
    IntArray,
    as_labels,
    as_patients,
    as_scores,
    few_warning,
)


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


def _placements(truth: BoolArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give each case the share of the other class that it is ranked rightly against.

    A tie counts one half: O(n log n) time and O(n) memory, after Sun and Xu 2014.
    """
    positive, negative = np.sort(score[truth]), np.sort(score[~truth])
    above = _midrank(negative, score[truth]) / negative.size
    below = 1 - _midrank(positive, score[~truth]) / positive.size
    return above, below


def _midrank(ordered: FloatArray, at: FloatArray) -> FloatArray:
    """Count the sorted values below each score, and half of those equal to it."""
    order = np.argsort(at)
    queries = at[order]  # in order, so that the search walks through memory
    counted = np.empty(at.size)
    counted[order] = np.searchsorted(ordered, queries, side="left")
    counted[order] += np.searchsorted(ordered, queries, side="right")
    return counted / 2


def _patients_of(cases: BoolArray, patient: IntArray | None) -> tuple[IntArray, IntArray]:
    """Patients with any of these cases, and for each case its place among them."""
    if patient is None:
        return np.flatnonzero(cases), np.arange(int(cases.sum()))
    with_any, place = np.unique(patient[cases], return_inverse=True)
    return with_any, place.astype(np.int64)


def _sums_by_patient(values: FloatArray, index: IntArray, n_patients: int) -> FloatArray:
    return np.stack([np.bincount(index, weights=row, minlength=n_patients) for row in values])


def delong(label: ArrayLike, scores: ArrayLike, patient: ArrayLike | None = None) -> DelongResult:
    """AUCs and their covariance.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    scores : array_like, shape (n,) or (k, n)
        One score, or k scores of the same cases; higher meaning more likely.
    patient : array_like, shape (n,), optional
        The patient of every case. Where patients have several cases, the covariance counts
        patients; with one case each it is exactly DeLong's.

    Raises
    ------
    StatisticsError
        Fewer than two patients of a class, or labels or scores that cannot be used.

    References
    ----------
    DeLong ER 1988, Biometrics 44:837-845, 10.2307/2531595. Sun X, Xu W 2014, IEEE Signal Process
    Lett 21:1389-1393, 10.1109/LSP.2014.2337313. Obuchowski NA 1997, Biometrics 53:567-578,
    10.2307/2533958.
    """
    truth = as_labels(label)
    rows = np.asarray(scores)
    rows = rows[np.newaxis] if rows.ndim == 1 else rows
    checked = [as_scores(row, truth.size) for row in rows]
    n_positive, n_negative = require_both_classes(truth)
    index = None if patient is None else as_patients(patient, truth.size)[0]
    with_positive, positive_index = _patients_of(truth, index)
    with_negative, negative_index = _patients_of(~truth, index)
    if min(with_positive.size, with_negative.size) < 2:
        raise StatisticsError(
            f"{with_positive.size} patients have the outcome and {with_negative.size} do not",
            "at least two patients of each class",
            "Report the AUC without an interval, or add patients",
        )
    placed = [_placements(truth, row) for row in checked]
    above = np.stack([pair[0] for pair in placed])
    below = np.stack([pair[1] for pair in placed])
    areas = above.mean(axis=1)
    above_sums = _sums_by_patient(above - areas[:, None], positive_index, with_positive.size)
    below_sums = _sums_by_patient(below - areas[:, None], negative_index, with_negative.size)
    k10, k01 = with_positive.size, with_negative.size
    from_positive = above_sums @ above_sums.T * (k10 / (k10 - 1) / n_positive**2)
    from_negative = below_sums @ below_sums.T * (k01 / (k01 - 1) / n_negative**2)
    covariance = from_positive + from_negative
    df = _satterthwaite(np.diag(from_positive), np.diag(from_negative), k10, k01)
    if index is not None:
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


def delong_test(
    label: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    patient: ArrayLike | None = None,
    level: float = 0.95,
) -> AucDifference:
    """Test whether two scores of the same cases have the same AUC.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score_a, score_b : array_like, shape (n,)
        Any numbers, higher meaning more likely.
    patient : array_like, shape (n,), optional
        The patient of every case, where patients have several.
    level : float
        Confidence level of the interval of the difference.

    Raises
    ------
    StatisticsError
        The difference has no variance (both scores rank the cases alike, or both separate them
        perfectly), fewer than two patients of a class, or labels or scores that cannot be used.
    """
    truth = as_labels(label)
    pair = np.stack([as_scores(score_a, truth.size), as_scores(score_b, truth.size)])
    result = delong(truth, pair, patient)
    contrast = np.array([1.0, -1.0])
    variance = float(contrast @ result.covariance @ contrast)
    difference = float(contrast @ result.auc)
    if variance <= 1e-15:
        raise StatisticsError(
            f"The two AUCs differ by {difference:.4f} with no variance between them",
            "two scores that rank the cases differently",
            "Report the AUCs; there is nothing to test",
        )
    error = float(np.sqrt(variance))
    half = float(norm.ppf(0.5 + level / 2)) * error
    z = difference / error
    index, _ = as_patients(np.arange(truth.size) if patient is None else patient, truth.size)
    few = min(np.unique(index[truth]).size, np.unique(index[~truth]).size)
    return AucDifference(
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        z=z,
        p=float(2 * norm.sf(abs(z))),
        warning=few_warning(few),
    )
