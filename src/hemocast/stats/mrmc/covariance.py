"""Readers' accuracies on the same cases, and the covariance that the choice of cases gives them.

Obuchowski and Rockette's analysis needs two things from the cases: every reader's accuracy under
every treatment, and the covariance matrix of these numbers over new samples of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.delong import delong, placements, sums_by_patient
from hemocast.stats.estimate import BoolArray, Float64Array, few_warning

Metric = Literal["auc", "sensitivity", "specificity", "accuracy"]
"""Accuracies that are means over cases, or over pairs of cases."""

CaseCovariance = Literal["jackknife", "delong", "unbiased"]
"""How the covariance over cases is estimated."""

_PAIRS_AT_ONCE: Final = 1 << 21


def case_covariance(
    cases: Cases,
    metric: Metric = "auc",
    method: CaseCovariance = "jackknife",
    names: Sequence[str] | None = None,
) -> tuple[Float64Array, Float64Array]:
    """Accuracy of several raters on the same cases, and its covariance.

    Parameters
    ----------
    cases : Cases
        Of k raters (or raters and treatments). For the AUC any numbers, higher meaning more likely;
        for the other metrics decisions, 0 or 1.
    metric : {"auc", "sensitivity", "specificity", "accuracy"}
        The empirical AUC, or a share of right decisions.
    method : {"jackknife", "delong", "unbiased"}
        Jackknife leaves out one patient with all cases at a time. DeLong's covariance is, with
        several cases per patient, Obuchowski's. The unbiased one is that of a two-sample
        U-statistic (AUC only, one case per patient); it can be slightly negative. For a share of
        decisions with one case per patient, jackknife and DeLong are the same.
    names : sequence of str, optional
        Of the raters, for messages.

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
    if metric != "auc":
        return _shares(cases, metric, method)
    cases.both_classes()
    _require_two_patients(cases.patients(cases.truth), "with the outcome")
    _require_two_patients(cases.patients(~cases.truth), "without the outcome")
    rows = cases.scores
    constant = np.flatnonzero(rows.min(axis=1) == rows.max(axis=1))
    if constant.size:
        row = int(constant[0])
        raise StatisticsError(
            f"{f'Row {row + 1}' if names is None else names[row]} rates every case the same",
            "ratings that differ between cases",
            "Leave that rater out, and say so: such ratings rank nothing",
        )
    if method == "delong":
        result = delong(cases)
        return result.auc, result.covariance
    return _unbiased_auc(cases) if method == "unbiased" else _jackknife_auc(cases)


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


def _require_two_patients(count: int, which: str) -> None:
    if count < 2:
        raise StatisticsError(
            f"{count} patient{'' if count == 1 else 's'} {which}",
            "at least two patients of each class",
            "Add patients; one of them says nothing about variation",
        )


def _shares(cases: Cases, metric: str, method: str) -> tuple[Float64Array, Float64Array]:
    """Shares of right decisions among the cases that a metric rests on."""
    truth, rows = cases.truth, cases.scores
    odd = int(((rows != 0) & (rows != 1)).sum())
    if odd:
        raise StatisticsError(
            f"{odd} of {rows.size} ratings are neither 0 nor 1",
            f"decisions (0 or 1) for the {metric}",
            "Give the readers' yes/no decisions, or ask for the AUC",
        )
    among = rated_for(metric, truth)
    which = {"sensitivity": "with the outcome", "specificity": "without the outcome"}
    keys, patients = np.unique(cases.patient[among], return_inverse=True)
    _require_two_patients(keys.size, which.get(metric, "in all"))
    right = (rows[:, among] == truth[among]).astype(np.float64)
    counts = np.bincount(patients).astype(np.float64)
    share = right.mean(axis=1)
    if method == "jackknife":
        left = right.sum(axis=1, keepdims=True) - sums_by_patient(right, patients, keys.size)
        left /= counts.sum() - counts
        return share, _jackknife(left)
    residual = sums_by_patient(right - share[:, None], patients, keys.size)
    factor = keys.size / (keys.size - 1) / counts.sum() ** 2
    return share, residual @ residual.T * factor


def rated_for(metric: str, truth: BoolArray) -> BoolArray:
    """Return the cases that a metric is of, as a mask, shape (n,)."""
    return {"sensitivity": truth, "specificity": ~truth}.get(metric, np.ones_like(truth))


def few_rated_for(metric: str, cases: Cases) -> str | None:
    """Return the warning of a metric that few patients are behind, or None."""
    if metric == "auc":
        return cases.few
    return few_warning(cases.patients(rated_for(metric, cases.truth)), "in the denominator")


def _jackknife(left_out: Float64Array) -> Float64Array:
    """Covariance from the values without each patient, shape (k, patients)."""
    n = left_out.shape[1]
    spread = left_out - left_out.mean(axis=1, keepdims=True)
    return np.asarray(spread @ spread.T * ((n - 1) / n))


def _counted(cases: Cases) -> tuple[Float64Array, Float64Array]:
    """Count, for each case, the other class's cases it is ranked rightly against; ties one half."""
    above, below = placements(cases)
    # Halves of whole numbers: what the division left behind is rounded away.
    return np.round(2 * above * below.shape[1]) / 2, np.round(2 * below * above.shape[1]) / 2


def _jackknife_auc(cases: Cases) -> tuple[Float64Array, Float64Array]:
    """AUC without each patient in turn, from placements: no AUC is computed twice."""
    truth, rows, index, n_patients = cases.truth, cases.scores, cases.patient, cases.n_patients
    above, below = _counted(cases)
    total = above.sum(axis=1, keepdims=True)
    lost = sums_by_patient(above, index[truth], n_patients)
    lost += sums_by_patient(below, index[~truth], n_patients)
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


def _unbiased_auc(cases: Cases) -> tuple[Float64Array, Float64Array]:
    """Unbiased covariance of U-statistics, from the products of pairs of pairs."""
    if cases.clustered:
        raise StatisticsError(
            "Some patients have several cases",
            "one case per patient for the unbiased covariance",
            "Use jackknife or delong",
        )
    truth, rows = cases.truth, cases.scores
    above, below = _counted(cases)
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
