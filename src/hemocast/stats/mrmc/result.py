"""What an analysis of a reader study returns: variance components, means, differences, tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import norm, t

from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import CaseCovariance, Metric

Generalize = Literal["readers and cases", "cases", "readers"]
"""What a conclusion reaches beyond: the readers and cases of the study, or only one of these."""

NO_VARIANCE = 1e-15
"""A variance of an accuracy below this is rounding."""


@dataclass(frozen=True)
class VarianceComponents:
    """Where differences between accuracies come from.

    Parameters
    ----------
    reader, treatment_reader : float
        Variances of readers, and of readers within treatments; estimates can be negative. The
        second is MS(T:R) - error + cov1 + cov2 - cov3, as R's MRMCaov 0.3 gives it. Hillis 2011
        (10.1016/j.acra.2010.09.007) cuts cov2 - cov3 off at 0: where cov2 is below cov3 that
        gives cov3 - cov2 more. No test uses either.
    error : float
        Mean variance of one reader's accuracy over samples of cases.
    cov1, cov2, cov3 : float
        Mean covariances over samples of cases: same reader and different treatments; different
        readers and same treatment; both different.
    n_cases : int
        Cases (patients, where these have several) that `error` and the covariances belong to.
    """

    reader: float
    treatment_reader: float
    error: float
    cov1: float
    cov2: float
    cov3: float
    n_cases: int


@dataclass(frozen=True)
class MeanAccuracy:
    """An accuracy with its interval: a treatment's mean over readers, or one reader's.

    Parameters
    ----------
    name : str
        The treatment, or "treatment, reader".
    value, se, df, ci_low, ci_high : float
        Estimate, standard error, degrees of freedom (infinite: normal), limits within [0, 1]; NaN
        where the data show no variance (no error at all, say), which is not certainty.
    warning : str or None
        Why a number is NaN.
    """

    name: str
    value: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    warning: str | None = None


@dataclass(frozen=True)
class Contrast:
    """A difference of two mean accuracies.

    Parameters
    ----------
    first, second : str
        What is compared; the difference is first minus second.
    difference, se, df, ci_low, ci_high : float
        Estimate, standard error, degrees of freedom (infinite: normal), limits within [-1, 1].
    statistic, p : float
        Student's t (or z), and two-sided p value; NaN where there is no variance. An exact test has
        a p value alone.
    warning : str or None
        Why a number is NaN, or what to know before trusting it.
    method : str
        How interval and test were made, in words fit for a table's footnote.
    """

    first: str
    second: str
    difference: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    statistic: float
    p: float
    warning: str | None = None
    method: str = ""

    def noted(self, *notes: str | None) -> Contrast:
        """Return the same with further warnings after its own."""
        said = dict.fromkeys(note for note in (self.warning, *notes) if note)
        return replace(self, warning="; ".join(said) or None)


@dataclass(frozen=True)
class TreatmentTest:
    """Whether all treatments have the same accuracy, and by how much they differ.

    Parameters
    ----------
    generalize : {"readers and cases", "cases", "readers"}
        What the conclusion reaches beyond.
    statistic, df1, df2, p : float
        F with its degrees of freedom; with `df2` infinite, chi-square with `df1`. NaN where there
        is no variance to test against.
    mean_square, denominator : float
        Of the treatments, and what it is compared with.
    differences : tuple of Contrast
        Every pair of treatments; not adjusted for their number.
    means : tuple of MeanAccuracy
        Every treatment.
    warning : str or None
        Why a number is NaN.
    """

    generalize: Generalize
    statistic: float
    df1: float
    df2: float
    p: float
    mean_square: float
    denominator: float
    differences: tuple[Contrast, ...]
    means: tuple[MeanAccuracy, ...]
    warning: str | None = None


@dataclass(frozen=True)
class Mrmc:
    """The result of `obuchowski_rockette`.

    Parameters
    ----------
    metric, covariance_method : str
        As asked for.
    treatments, readers : tuple of str
        Names.
    n_cases, n_patients : int
        Cases, and patients.
    accuracy : ndarray of float64, shape (treatments, readers)
        Every reader's.
    covariance : ndarray of float64, shape (treatments * readers, treatments * readers)
        Over samples of cases, in row order of `accuracy`.
    ms_treatment, ms_reader, ms_treatment_reader : float
        Mean squares.
    components : VarianceComponents
        For planning a new study.
    random_readers_and_cases, fixed_readers, fixed_cases : TreatmentTest
        The three analyses. Only the first speaks of other readers and other cases.
    readers_alone : tuple of MeanAccuracy
        Every reader under every treatment, over samples of cases.
    warnings : tuple of str
        What to know before trusting the numbers.
    """

    metric: Metric
    covariance_method: CaseCovariance
    treatments: tuple[str, ...]
    readers: tuple[str, ...]
    n_cases: int
    n_patients: int
    accuracy: Float64Array
    covariance: Float64Array
    ms_treatment: float
    ms_reader: float
    ms_treatment_reader: float
    components: VarianceComponents
    random_readers_and_cases: TreatmentTest
    fixed_readers: TreatmentTest
    fixed_cases: TreatmentTest
    readers_alone: tuple[MeanAccuracy, ...]
    warnings: tuple[str, ...]


def t_quantile(level: float, df: float) -> float:
    """Two-sided quantile of Student's t; with infinite `df`, of the normal."""
    tail = 0.5 + level / 2
    return float(t.ppf(tail, df) if np.isfinite(df) else norm.ppf(tail))


def two_sided_p(statistic: float, df: float) -> float:
    """Two-sided p value of Student's t; with infinite `df`, of z."""
    above = t.sf(abs(statistic), df) if np.isfinite(df) else norm.sf(abs(statistic))
    return float(2 * above)


def satterthwaite(total: float, estimated: float, df: float) -> float:
    """Hillis's degrees of freedom of a variance of which one part was estimated with `df`.

    The other parts, from the cases, count as known. Infinite where the estimated part is 0.

    References
    ----------
    Hillis SL 2007, Stat Med 26:596-619, 10.1002/sim.2532.
    """
    return float(df * (total / estimated) ** 2) if estimated > NO_VARIANCE else float("inf")


def mean_accuracy(
    name: str, value: float, variance: float, df: float, level: float
) -> MeanAccuracy:
    """Give an accuracy its interval, cut off at 0 and 1, or the reason why there is none."""
    if variance <= NO_VARIANCE:
        nan = float("nan")
        return MeanAccuracy(
            name, float(value), 0.0, float(df), nan, nan,
            warning="the data show no variance, so no interval can be given",
        )  # fmt: skip
    se = float(np.sqrt(variance))
    half = t_quantile(level, df) * se
    low, high = max(0.0, float(value) - half), min(1.0, float(value) + half)
    return MeanAccuracy(name, float(value), se, float(df), low, high)


def contrast(
    first: str, second: str, difference: float, variance: float, df: float, level: float
) -> Contrast:
    """Give a difference its interval and test, or the reason why there is none."""
    if variance <= NO_VARIANCE:
        nan = float("nan")
        return Contrast(
            first, second, float(difference), 0.0, float(df), nan, nan, nan, nan,
            warning="no variance between them, so there is nothing to test", method="none",
        )  # fmt: skip
    se = float(np.sqrt(variance))
    half = t_quantile(level, df) * se
    statistic = float(difference) / se
    low, high = max(float(difference) - half, -1.0), min(float(difference) + half, 1.0)
    return Contrast(
        first, second, float(difference), se, float(df), low, high, statistic,
        two_sided_p(statistic, df), method="Student's t" if np.isfinite(df) else "normal",
    )  # fmt: skip
