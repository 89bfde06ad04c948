"""Whether a model works alike in all subgroups: equal AUCs, and one calibration line for all.

Patients with scans in several groups (by time from onset, or by scanner) tie the groups together;
the covariances here count patients, across groups too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.logistic import fit_logistic
from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.delong import delong, placements
from hemocast.stats.estimate import FEW, BoolArray, Float64Array

_SINGULAR = 1e-12
_EQUAL_AUCS = "Wald chi-square of equal AUCs (DeLong), patients counted once"
_ONE_LINE = "Wald chi-square of one calibration line (intercept and slope)"


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
    method : str
        How it was made, in words fit for a table's footnote.
    warning : str or None
        Why there is no test.
    """

    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    statistic: float
    df: int
    p: float
    p_adjusted: float
    method: str
    warning: str | None = None

    @property
    def description(self) -> str:
        """The method, and the groups that were left out."""
        return "; ".join([self.method, *self._left])

    @property
    def reason(self) -> str:
        """Why there is no test; "" where there is one."""
        return "; ".join([self.warning, *self._left]) if self.warning else ""

    @property
    def _left(self) -> list[str]:
        return [f"left out: {', '.join(self.left_out)}"] if self.left_out else []


@dataclass(frozen=True)
class Group:
    """Some of the cases.

    Parameters
    ----------
    name : str
        Of the group.
    rows : ndarray of bool, shape (n,)
        Which cases.
    """

    name: str
    rows: BoolArray


@dataclass(frozen=True)
class _Fit:
    """One group's coefficients, their covariance, and each patient's influence on them.

    The products of the influences, shape (k, patients), are covariances: with another group's they
    are those across groups.
    """

    name: str
    value: Float64Array
    covariance: Float64Array
    influence: Float64Array


FitGroup = Callable[[Cases, Group], _Fit | str]


def auc_interaction(cases: Cases, groups: Sequence[Group]) -> Interaction:
    """Test whether all groups have the same AUC.

    With patients of one group each this is Cochran's heterogeneity chi-square of the AUCs, weighted
    by DeLong's variances. Groups with fewer than 10 patients of a class are left out, as their
    variances are not to be trusted.

    References
    ----------
    DeLong ER 1988, Biometrics 44:837-845, 10.2307/2531595. Cochran WG 1954, Biometrics 10:101-129,
    10.2307/3001666. Obuchowski NA 1997, Biometrics 53:567-578, 10.2307/2533958.
    """
    return _compare(cases, groups, _auc_fit, _EQUAL_AUCS)


def calibration_interaction(cases: Cases, groups: Sequence[Group]) -> Interaction:
    """Test whether one calibration line (outcome on logit of the risk) fits all groups.

    Intercept and slope are compared together, so there are two degrees of freedom per further
    group: the interaction (and the main effect) of the group in a logistic model of the outcome.
    Where patients have several scans the covariance is the sandwich clustered by patient.

    References
    ----------
    Cox DR 1958, Biometrika 45:562-565, 10.1093/biomet/45.3-4.562. Liang KY, Zeger SL 1986,
    Biometrika 73:13-22, 10.1093/biomet/73.1.13.
    """
    return _compare(cases, groups, _calibration_fit, _ONE_LINE)


def _compare(cases: Cases, groups: Sequence[Group], fit: FitGroup, method: str) -> Interaction:
    """Fit every group that can be, and test whether all have the same coefficients."""
    fits: list[_Fit] = []
    left_out: list[str] = []
    for group in groups:
        few = cases.part(group.rows).smaller_class
        if few < FEW:
            left_out.append(f"{group.name}: {few} patients of the smaller class")
            continue
        found = fit(cases, group)
        if isinstance(found, _Fit):
            fits.append(found)
        else:
            left_out.append(f"{group.name}: {found}")
    names = tuple(one.name for one in fits)
    nan = float("nan")
    if len(fits) < 2:
        reason = "fewer than two groups are large enough to be compared"
        return Interaction(names, tuple(left_out), nan, 0, nan, nan, method, reason)
    statistic, df = _wald(fits)
    if np.isnan(statistic):
        reason = "the groups share too many patients for their covariance to be estimated"
        return Interaction(names, tuple(left_out), nan, df, nan, nan, method, reason)
    p = float(chi2.sf(statistic, df))
    return Interaction(names, tuple(left_out), statistic, df, p, p, method)


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


def _auc_fit(cases: Cases, group: Group) -> _Fit | str:
    own, patient = cases.part(group.rows), cases.patient[group.rows]
    result = delong(own)
    if result.covariance[0, 0] <= _SINGULAR:
        return "perfectly separated, or all probabilities equal"
    above, below = placements(own)
    n_positive, n_negative = own.both_classes()
    share = np.empty(own.n)
    share[own.truth] = (above[0] - result.auc[0]) / n_positive
    share[~own.truth] = (below[0] - result.auc[0]) / n_negative
    influence = np.bincount(patient, share, cases.n_patients).astype(np.float64)
    # Scaled to DeLong's variance, so that groups with the same patients and scores do not differ.
    influence *= np.sqrt(result.covariance[0, 0] / (influence @ influence))
    return _Fit(group.name, result.auc, result.covariance, influence[None])


def _calibration_fit(cases: Cases, group: Group) -> _Fit | str:
    own, patient = cases.part(group.rows), cases.patient[group.rows]
    truth, probability = own.truth.astype(np.float64), own.score
    if bool(((probability == 0) | (probability == 1)).any()):
        return "probabilities of exactly 0 or 1 have no logit"
    design = np.column_stack([np.ones(own.n), logit(probability)])
    try:
        beta, covariance = fit_logistic(design, truth)
    except StatisticsError:
        return "the logistic model has no finite solution"
    residual = design * (truth - expit(design @ beta))[:, None]
    sums = np.stack([np.bincount(patient, column, cases.n_patients) for column in residual.T])
    influence = covariance @ sums
    if cases.clustered:
        k = own.n_patients
        influence *= np.sqrt(k / (k - 1))
        covariance = influence @ influence.T
    return _Fit(group.name, beta, covariance, influence)
