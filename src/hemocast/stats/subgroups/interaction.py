"""Whether a model works alike in all subgroups: equal AUCs, and one calibration line for all.

Patients with scans in several groups (by time from onset, or by scanner) tie the groups together;
the covariances here count patients, across groups too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2, rankdata

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.discrimination.delong import delong
from hemocast.stats.estimate import FEW, BoolArray, FloatArray, IntArray

_SINGULAR = 1e-12


@dataclass(frozen=True)
class Interaction:
    """A test of equality between subgroups.

    Parameters
    ----------
    groups : tuple of str
        The groups compared.
    left_out : tuple of str
        Groups that could not be, each with the reason.
    statistic, df, p : float
        Wald chi-square, its degrees of freedom, p value; NaN where there is no test.
    p_adjusted : float
        After Holm, over all variables of the analysis; NaN where there is no test.
    warning : str or None
        Why there is no test.
    """

    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    statistic: float
    df: int
    p: float
    p_adjusted: float
    warning: str | None = None


@dataclass(frozen=True)
class GroupedCases:
    """Cases with their patients and groups, all checked.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
        Outcomes.
    probability : ndarray of float64, shape (n,)
        Fractions in [0, 1].
    patient : ndarray of int, shape (n,)
        0 ... n_patients - 1.
    group : ndarray of int, shape (n,)
        0 ... len(names) - 1.
    names : tuple of str
        Of the groups.
    """

    truth: BoolArray
    probability: FloatArray
    patient: IntArray
    group: IntArray
    names: tuple[str, ...]

    def smaller_class(self, group: int) -> int:
        """Count the patients of the smaller class in a group."""
        rows = self.group == group
        with_outcome = np.unique(self.patient[rows & self.truth]).size
        return int(min(with_outcome, np.unique(self.patient[rows & ~self.truth]).size))


@dataclass(frozen=True)
class _Fit:
    """One group's coefficients, their covariance, and each patient's influence on them.

    The products of the influences, shape (k, patients), are covariances: with another group's they
    are those across groups.
    """

    name: str
    value: FloatArray
    covariance: FloatArray
    influence: FloatArray


FitGroup = Callable[[GroupedCases, int], _Fit | str]


def auc_interaction(cases: GroupedCases) -> Interaction:
    """Test whether all groups have the same AUC.

    With patients of one group each this is Cochran's heterogeneity chi-square of the AUCs, weighted
    by DeLong's variances. Groups with fewer than 10 patients of a class are left out, as their
    variances are not to be trusted.

    References
    ----------
    DeLong ER 1988, Biometrics 44:837-845, 10.2307/2531595. Cochran WG 1954, Biometrics 10:101-129,
    10.2307/3001666. Obuchowski NA 1997, Biometrics 53:567-578, 10.2307/2533958.
    """
    return _compare(cases, _auc_fit)


def calibration_interaction(cases: GroupedCases) -> Interaction:
    """Test whether one calibration line (outcome on logit of the risk) fits all groups.

    Intercept and slope are compared together, so there are two degrees of freedom per further
    group: the interaction (and the main effect) of the group in a logistic model of the outcome.
    Where patients have several scans the covariance is the sandwich clustered by patient.

    References
    ----------
    Cox DR 1958, Biometrika 45:562-565, 10.1093/biomet/45.3-4.562. Liang KY, Zeger SL 1986,
    Biometrika 73:13-22, 10.1093/biomet/73.1.13.
    """
    return _compare(cases, _calibration_fit)


def _compare(cases: GroupedCases, fit: FitGroup) -> Interaction:
    """Fit every group that can be, and test whether all have the same coefficients."""
    fits: list[_Fit] = []
    left_out: list[str] = []
    for number, name in enumerate(cases.names):
        few = cases.smaller_class(number)
        if few < FEW:
            left_out.append(f"{name}: {few} patients of the smaller class")
            continue
        found = fit(cases, number)
        if isinstance(found, _Fit):
            fits.append(found)
        else:
            left_out.append(f"{name}: {found}")
    names = tuple(one.name for one in fits)
    nan = float("nan")
    if len(fits) < 2:
        reason = "fewer than two groups are large enough to be compared"
        return Interaction(names, tuple(left_out), nan, 0, nan, nan, reason)
    statistic, df = _wald(fits)
    if np.isnan(statistic):
        reason = "the groups share too many patients for their covariance to be estimated"
        return Interaction(names, tuple(left_out), nan, df, nan, nan, reason)
    p = float(chi2.sf(statistic, df))
    return Interaction(names, tuple(left_out), statistic, df, p, p)


def _wald(fits: Sequence[_Fit]) -> tuple[float, int]:
    """Chi-square of equal coefficients, and its degrees of freedom."""
    size = fits[0].value.size
    values = np.concatenate([one.value for one in fits])
    influence = np.vstack([one.influence for one in fits])
    joint = influence @ influence.T
    for number, one in enumerate(fits):
        part = slice(number * size, (number + 1) * size)
        joint[part, part] = one.covariance
    against_last = np.hstack(
        [np.eye(size * (len(fits) - 1)), np.tile(-np.eye(size), (len(fits) - 1, 1))]
    )
    difference = against_last @ values
    spread = against_last @ joint @ against_last.T
    eigenvalues = np.linalg.eigvalsh(spread)
    df = size * (len(fits) - 1)
    if eigenvalues[0] <= _SINGULAR * eigenvalues[-1]:
        return float("nan"), df
    return float(difference @ np.linalg.solve(spread, difference)), df


def _auc_fit(cases: GroupedCases, group: int) -> _Fit | str:
    rows = cases.group == group
    truth, score, patient = cases.truth[rows], cases.probability[rows], cases.patient[rows]
    result = delong(truth, score, patient)
    area = float(result.auc[0])
    if result.covariance[0, 0] <= _SINGULAR:
        return "perfectly separated, or all probabilities equal"
    n_positive = int(truth.sum())
    ranks = rankdata(score)
    right = np.empty(truth.size)
    right[truth] = (ranks[truth] - rankdata(score[truth])) / (truth.size - n_positive)
    right[~truth] = 1 - (ranks[~truth] - rankdata(score[~truth])) / n_positive
    share = (right - area) / np.where(truth, n_positive, truth.size - n_positive)
    influence = np.bincount(patient, share, int(cases.patient.max()) + 1).astype(np.float64)
    # Scaled to DeLong's variance, so that groups with the same patients and scores do not differ.
    influence *= np.sqrt(result.covariance[0, 0] / (influence @ influence))
    return _Fit(cases.names[group], result.auc, result.covariance, influence[None])


def _calibration_fit(cases: GroupedCases, group: int) -> _Fit | str:
    rows = cases.group == group
    truth, patient = cases.truth[rows].astype(np.float64), cases.patient[rows]
    probability = cases.probability[rows]
    if bool(((probability == 0) | (probability == 1)).any()):
        return "probabilities of exactly 0 or 1 have no logit"
    design = np.column_stack([np.ones(truth.size), logit(probability)])
    try:
        beta, covariance = fit_logistic(design, truth)
    except StatisticsError:
        return "the logistic model has no finite solution"
    residual = design * (truth - expit(design @ beta))[:, None]
    n_patients = int(cases.patient.max()) + 1
    sums = np.stack([np.bincount(patient, column, n_patients) for column in residual.T])
    influence = covariance @ sums
    repeated = np.unique(cases.patient).size < cases.patient.size
    if repeated:
        k = np.unique(patient).size
        influence *= np.sqrt(k / (k - 1))
        covariance = influence @ influence.T
    return _Fit(cases.names[group], beta, covariance, influence)
