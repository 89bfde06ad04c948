"""How large a study must be: readers and cases, one AUC, or two AUCs of the same cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.stats import chi2, f, ncf, ncx2, norm

from hemocast.errors import StatisticsError
from hemocast.stats.mrmc.result import NO_VARIANCE, Generalize, VarianceComponents, satterthwaite
from hemocast.stats.planning.checks import check_fraction, smallest

_MOST_CASES: Final = 1_000_000
"""A study that needs more than this is answered with a refusal."""


def scale_components(components: VarianceComponents, n_cases: int) -> VarianceComponents:
    """Bring variance components to another number of cases, with the same mix of classes.

    Variances over samples of cases shrink as 1 / cases; those of readers stay.

    Parameters
    ----------
    components : VarianceComponents
        Of the study at hand.
    n_cases : int
        Cases of the study that is planned.

    Raises
    ------
    StatisticsError
        Fewer than two cases.
    """
    if n_cases < 2:
        raise StatisticsError(f"{n_cases} cases were asked for", "two or more", "Plan more cases")
    share = components.n_cases / n_cases
    return replace(
        components,
        error=components.error * share,
        cov1=components.cov1 * share,
        cov2=components.cov2 * share,
        cov3=components.cov3 * share,
        n_cases=n_cases,
    )


def mrmc_power(
    components: VarianceComponents,
    effect: float,
    n_readers: int,
    n_cases: int,
    alpha: float = 0.05,
    generalize: Generalize = "readers and cases",
) -> float:
    """Chance that a planned study of two treatments finds a true difference.

    Parameters
    ----------
    components : VarianceComponents
        From a pilot study (or a published one); they are scaled to the planned number of cases.
        They are estimates: with a small pilot, plan for worse ones too.
    effect : float
        True difference of the two mean accuracies. The difference that the pilot happened to show
        is too optimistic: take the smallest one worth finding.
    n_readers, n_cases : int
        Of the planned study, with the pilot's mix of classes.
    alpha : float
        Two-sided level.
    generalize : {"readers and cases", "cases", "readers"}
        What the conclusion is to generalise to.

    Returns
    -------
    float
        Power; a negative estimate of the readers' variance counts as 0.

    Raises
    ------
    StatisticsError
        Fewer than two readers or cases, an effect of 0, a level outside (0, 1), or components
        without variance.

    References
    ----------
    Hillis SL, Obuchowski NA, Berbaum KS 2011, Acad Radiol 18:129-142,
    10.1016/j.acra.2010.09.007. Obuchowski NA 1995, Acad Radiol 2 (suppl 1):S22-S29.
    """
    _check_plan(effect, n_readers, alpha)
    parts = scale_components(components, n_cases)
    own = max(parts.treatment_reader, 0.0)
    between = parts.cov2 - parts.cov3
    within = max(own + parts.error - parts.cov1 - between, 0.0)
    if generalize == "readers":
        denominator, df = within, float(n_readers - 1)
    elif generalize == "cases":
        denominator, df = parts.error - parts.cov1 + (n_readers - 1) * between, float("inf")
    else:
        denominator = within + n_readers * max(between, 0.0)
        df = satterthwaite(denominator, within, float(n_readers - 1))
    if denominator <= NO_VARIANCE:
        raise StatisticsError(
            "The variance components leave no variance of the difference",
            "components of a study in which treatments differed between readers or cases",
            "Use the components of another study",
        )
    shift = n_readers * effect**2 / 2 / denominator
    if not np.isfinite(df):
        return float(ncx2.sf(chi2.isf(alpha, 1), 1, shift))
    return float(ncf.sf(f.isf(alpha, 1, df), 1, df, shift))


def _check_plan(effect: float, n_readers: int, alpha: float) -> None:
    if n_readers < 2:
        raise StatisticsError(
            f"{n_readers} readers are planned", "at least two readers", "Plan more readers"
        )
    if effect == 0 or not np.isfinite(effect):
        raise StatisticsError(
            f"The difference to detect is {effect}", "a number other than 0", "State the effect"
        )
    check_fraction(alpha, "level")


def mrmc_cases(
    components: VarianceComponents,
    effect: float,
    n_readers: int,
    power: float = 0.8,
    alpha: float = 0.05,
    generalize: Generalize = "readers and cases",
) -> int:
    """Smallest number of cases with which so many readers reach a power; as for `mrmc_power`.

    Raises
    ------
    StatisticsError
        No number of cases reaches the power (more readers are needed), or as for `mrmc_power`.
    """
    check_fraction(power, "power")

    def enough(n: int) -> bool:
        return mrmc_power(components, effect, n_readers, n, alpha, generalize) >= power

    return smallest(
        enough, f"{n_readers} readers", "Plan more readers, or a larger effect", _MOST_CASES
    )


def hanley_mcneil_se(auc: float, n_positive: int, n_negative: int) -> float:
    """Standard error of an AUC to be expected, from its size and the numbers of cases alone.

    For planning, and for reading papers that give no interval; with data at hand use `delong`.

    Parameters
    ----------
    auc : float
        Strictly between 0 and 1.
    n_positive, n_negative : int
        Cases with and without the outcome.

    Raises
    ------
    StatisticsError
        An AUC outside (0, 1), or no case of a class.

    References
    ----------
    Hanley JA, McNeil BJ 1982, Radiology 143:29-36, 10.1148/radiology.143.1.7063747.
    """
    check_fraction(auc, "AUC")
    if min(n_positive, n_negative) < 1:
        raise StatisticsError(
            f"There are {n_positive} cases with and {n_negative} without the outcome",
            "cases of both classes",
            "Plan cases of both classes",
        )
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    ) / (n_positive * n_negative)
    return float(np.sqrt(variance))


def auc_cases(auc: float, prevalence: float, half_width: float, level: float = 0.95) -> int:
    """Smallest number of cases whose AUC gets a (Wald) interval no wider than planned.

    Parameters
    ----------
    auc : float
        The AUC to be expected.
    prevalence : float
        Share of cases with the outcome.
    half_width : float
        Half the width of the interval.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        Fractions outside (0, 1), or more than a million cases needed.
    """
    check_fraction(prevalence, "prevalence")
    check_fraction(half_width, "half-width")
    check_fraction(level, "confidence level")
    wanted = half_width / float(norm.ppf(0.5 + level / 2))

    def enough(n: int) -> bool:
        return hanley_mcneil_se(auc, *_classes(n, prevalence)) <= wanted

    return smallest(enough, f"a half-width of {half_width}", "Accept a wider interval", _MOST_CASES)


def _classes(n: int, prevalence: float) -> tuple[int, int]:
    positive = min(max(round(n * prevalence), 1), n - 1)
    return positive, n - positive


def auc_difference_power(
    auc_a: float,
    auc_b: float,
    correlation: float,
    n_positive: int,
    n_negative: int,
    alpha: float = 0.05,
) -> float:
    """Power to tell two AUCs of the same cases apart.

    Parameters
    ----------
    auc_a, auc_b : float
        True AUCs.
    correlation : float
        Of the two estimated AUCs over samples of cases, in [0, 1): from a pilot's `delong`
        covariance. Two models of the same scans often have .5 to .8; 0 is the cautious choice.
    n_positive, n_negative : int
        Cases with and without the outcome.
    alpha : float
        Two-sided level.

    Raises
    ------
    StatisticsError
        AUCs outside (0, 1), a correlation outside [0, 1), or no case of a class.

    References
    ----------
    Hanley JA, McNeil BJ 1983, Radiology 148:839-843, 10.1148/radiology.148.3.6878708.
    """
    check_fraction(alpha, "level")
    if not 0 <= correlation < 1:
        raise StatisticsError(
            f"The correlation is {correlation}", "a number from 0 up to below 1", "Correct it"
        )
    a = hanley_mcneil_se(auc_a, n_positive, n_negative)
    b = hanley_mcneil_se(auc_b, n_positive, n_negative)
    z = abs(auc_a - auc_b) / np.sqrt(a**2 + b**2 - 2 * correlation * a * b)
    critical = norm.isf(alpha / 2)
    return float(norm.sf(critical - z) + norm.cdf(-critical - z))


def auc_difference_cases(
    auc_a: float,
    auc_b: float,
    correlation: float,
    prevalence: float,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    """Smallest number of cases for a power; otherwise as `auc_difference_power`.

    Raises
    ------
    StatisticsError
        Equal AUCs, fractions outside (0, 1), or more than a million cases needed.
    """
    check_fraction(prevalence, "prevalence")
    check_fraction(power, "power")
    if auc_a == auc_b:
        raise StatisticsError(
            "The two AUCs are equal", "two AUCs that differ", "State the difference to detect"
        )

    def enough(n: int) -> bool:
        classes = _classes(n, prevalence)
        return auc_difference_power(auc_a, auc_b, correlation, *classes, alpha) >= power

    return smallest(enough, f"a power of {power}", "Plan for a larger difference", _MOST_CASES)
