"""Readers' accuracies on the same cases, and the covariance that the choice of cases gives them.

Obuchowski and Rockette's analysis needs two things from the cases: every reader's accuracy under
every treatment, and the covariance matrix of these numbers over new samples of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.discrimination.delong import delong
from hemocast.stats.discrimination.roc import require_both_classes
from hemocast.stats.estimate import BoolArray, FloatArray, IntArray, as_labels, as_patients

Metric = Literal["auc", "sensitivity", "specificity", "accuracy"]
"""Accuracies that are means over cases, or over pairs of cases."""

CaseCovariance = Literal["jackknife", "delong", "unbiased"]
"""How the covariance over cases is estimated."""

_PAIRS_AT_ONCE: Final = 1 << 21


def case_covariance(
    label: ArrayLike,
    ratings: ArrayLike,
    metric: Metric = "auc",
    method: CaseCovariance = "jackknife",
    patient: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Accuracy of several raters on the same cases, and its covariance.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes.
    ratings : array_like, shape (k, n)
        One row per rater (or rater and treatment). For the AUC any numbers, higher meaning more
        likely; for the other metrics decisions, 0 or 1.
    metric : {"auc", "sensitivity", "specificity", "accuracy"}
        The empirical AUC, or a share of right decisions.
    method : {"jackknife", "delong", "unbiased"}
        Jackknife leaves out one patient with all cases at a time. DeLong's covariance is, with
        several cases per patient, Obuchowski's. The unbiased one is that of a two-sample
        U-statistic (AUC only, one case per patient); it can be slightly negative. For a share of
        decisions with one case per patient, jackknife and DeLong are the same.
    patient : array_like, shape (n,), optional
        The patient of every case, where patients have several.
    names : sequence of str, optional
        Of the rows, for messages.

    Returns
    -------
    accuracy : ndarray of float64, shape (k,)
        In the order of the rows.
    covariance : ndarray of float64, shape (k, k)
        Over samples of patients.

    Raises
    ------
    StatisticsError
        One class only, fewer than two patients that a metric rests on, decisions other than 0 and
        1, a rater whose ratings are all equal (AUC), or a method that does not fit.

    References
    ----------
    DeLong ER 1988, 10.2307/2531595. Obuchowski NA 1997, 10.2307/2533958. Efron B, Stein C 1981,
    Ann Stat 9:586-596, 10.1214/aos/1176345462. Gallas BD 2006, Acad Radiol 13:353-362,
    10.1016/j.acra.2005.11.030.
    """
    _check_choice(metric, method)
    truth = as_labels(label)
    rows = _as_ratings(ratings, truth.size)
    index, _ = as_patients(np.arange(truth.size) if patient is None else patient, truth.size)
    if metric != "auc":
        return _shares(truth, rows, index, metric, method)
    require_both_classes(truth)
    _require_two_patients(np.unique(index[truth]).size, "with the outcome")
    _require_two_patients(np.unique(index[~truth]).size, "without the outcome")
    constant = np.flatnonzero(rows.min(axis=1) == rows.max(axis=1))
    if constant.size:
        row = int(constant[0])
        raise StatisticsError(
            f"{f'Row {row + 1}' if names is None else names[row]} rates every case the same",
            "ratings that differ between cases",
            "Leave that rater out, and say so: such ratings rank nothing",
        )
    if method == "delong":
        result = delong(truth, rows, index)
        return result.auc, result.covariance
    if method == "unbiased":
        return _unbiased_auc(truth, rows, index)
    return _jackknife_auc(truth, rows, index)


def _check_choice(metric: str, method: str) -> None:
    if metric not in get_args(Metric):
        raise StatisticsError(
            f"The metric is {metric}", f"one of {', '.join(get_args(Metric))}", "Choose one of them"
        )
    if method not in get_args(CaseCovariance):
        raise StatisticsError(
            f"The covariance is {method}",
            f"one of {', '.join(get_args(CaseCovariance))}",
            "Choose one of them",
        )
    if method == "unbiased" and metric != "auc":
        raise StatisticsError(
            f"The unbiased covariance of the {metric} was asked for",
            "the AUC for it",
            "Use jackknife or delong, which for a share of decisions are unbiased already",
        )


def _as_ratings(ratings: ArrayLike, n: int) -> FloatArray:
    try:
        rows = np.asarray(ratings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            "Some ratings are not numbers", "a number for every case", "Correct the ratings"
        ) from error
    if rows.ndim != 2 or rows.shape[0] == 0 or rows.shape[1] != n:
        raise StatisticsError(
            f"There are {n} cases and ratings of shape {rows.shape}",
            "one row per rater and one column per case",
            "Check that ratings and outcomes come from the same cases",
        )
    missing = int((~np.isfinite(rows)).sum())
    if missing:
        raise StatisticsError(
            f"{missing} of {rows.size} ratings are missing or infinite",
            "a finite rating of every case by every rater",
            "Leave out the cases that somebody did not rate, and report how many there were",
        )
    return rows


def _require_two_patients(count: int, which: str) -> None:
    if count < 2:
        raise StatisticsError(
            f"{count} patient{'' if count == 1 else 's'} {which}",
            "at least two patients of each class",
            "Add patients; one of them says nothing about variation",
        )


def _sums(values: FloatArray, index: IntArray, n_patients: int) -> FloatArray:
    """Sum cases, shape (k, n), within patients, shape (k, patients)."""
    return np.stack([np.bincount(index, weights=row, minlength=n_patients) for row in values])


def _shares(
    truth: BoolArray, rows: FloatArray, index: IntArray, metric: str, method: str
) -> tuple[FloatArray, FloatArray]:
    """Shares of right decisions among the cases that a metric rests on."""
    odd = int(((rows != 0) & (rows != 1)).sum())
    if odd:
        raise StatisticsError(
            f"{odd} of {rows.size} ratings are neither 0 nor 1",
            f"decisions (0 or 1) for the {metric}",
            "Give the readers' yes/no decisions, or ask for the AUC",
        )
    among = {"sensitivity": truth, "specificity": ~truth}.get(metric, np.ones_like(truth))
    which = {"sensitivity": "with the outcome", "specificity": "without the outcome"}
    keys, patients = np.unique(index[among], return_inverse=True)
    _require_two_patients(keys.size, which.get(metric, "in all"))
    right = (rows[:, among] == truth[among]).astype(np.float64)
    cases = np.bincount(patients).astype(np.float64)
    share = right.mean(axis=1)
    if method == "jackknife":
        left = (right.sum(axis=1, keepdims=True) - _sums(right, patients, keys.size)) / (
            cases.sum() - cases
        )
        return share, _jackknife(left)
    residual = _sums(right - share[:, None], patients, keys.size)
    factor = keys.size / (keys.size - 1) / cases.sum() ** 2
    return share, residual @ residual.T * factor


def _jackknife(left_out: FloatArray) -> FloatArray:
    """Covariance from the values without each patient, shape (k, patients)."""
    n = left_out.shape[1]
    spread = left_out - left_out.mean(axis=1, keepdims=True)
    return np.asarray(spread @ spread.T * ((n - 1) / n))


def _placements(truth: BoolArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Count, for each case, the other class's cases it is ranked rightly against; ties one half."""
    ranks = rankdata(rows, axis=1)
    above = ranks[:, truth] - rankdata(rows[:, truth], axis=1)
    below = int(truth.sum()) - (ranks[:, ~truth] - rankdata(rows[:, ~truth], axis=1))
    return above, below


def _jackknife_auc(
    truth: BoolArray, rows: FloatArray, index: IntArray
) -> tuple[FloatArray, FloatArray]:
    """AUC without each patient in turn, from placements: no AUC is computed twice."""
    n_patients = int(index.max()) + 1
    above, below = _placements(truth, rows)
    total = above.sum(axis=1, keepdims=True)
    lost = _sums(above, index[truth], n_patients) + _sums(below, index[~truth], n_patients)
    positive = np.bincount(index[truth], minlength=n_patients)
    negative = np.bincount(index[~truth], minlength=n_patients)
    # Pairs inside a patient were taken away twice.
    for patient in np.flatnonzero((positive > 0) & (negative > 0)):
        mine = rows[:, (index == patient) & truth][:, :, None]
        other = rows[:, (index == patient) & ~truth][:, None, :]
        lost[:, patient] -= ((mine > other) + 0.5 * (mine == other)).sum(axis=(1, 2))
    pairs = (positive.sum() - positive) * (negative.sum() - negative)
    area = total[:, 0] / (positive.sum() * negative.sum())
    return area, _jackknife((total - lost) / pairs)


def _unbiased_auc(
    truth: BoolArray, rows: FloatArray, index: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Unbiased covariance of U-statistics, from the products of pairs of pairs."""
    if np.unique(index).size < truth.size:
        raise StatisticsError(
            "Some patients have several cases",
            "one case per patient for the unbiased covariance",
            "Use jackknife or delong",
        )
    above, below = _placements(truth, rows)
    n1, n0 = above.shape[1], below.shape[1]
    same = np.zeros((len(rows), len(rows)))
    part = max(1, _PAIRS_AT_ONCE // (n0 * len(rows)))
    negative = rows[:, ~truth][:, None, :]
    for start in range(0, n1, part):
        mine = rows[:, truth][:, start : start + part, None]
        ranked = ((mine > negative) + 0.5 * (mine == negative)).reshape(len(rows), -1)
        same += ranked @ ranked.T
    one_positive = above @ above.T - same
    one_negative = below @ below.T - same
    total = above.sum(axis=1)
    both_differ = np.outer(total, total) - same - one_positive - one_negative
    product = both_differ / (n1 * n0 * (n1 - 1) * (n0 - 1))
    area = total / (n1 * n0)
    return area, np.outer(area, area) - product
