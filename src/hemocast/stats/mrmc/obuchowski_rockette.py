"""Multi-reader, multi-case studies: Obuchowski and Rockette's analysis, as Hillis corrected it.

Every reader rates every case under every treatment (without and with a model's help, say). Readers
vary, and so do cases; which of the two a conclusion shall reach beyond decides the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, get_args

import numpy as np
from scipy.stats import chi2, f

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import CaseCovariance, Metric, case_covariance, few_rated_for
from hemocast.stats.mrmc.design import ReaderStudy
from hemocast.stats.mrmc.result import (
    NO_VARIANCE,
    Contrast,
    Generalize,
    MeanAccuracy,
    Mrmc,
    TreatmentTest,
    VarianceComponents,
    contrast,
    mean_accuracy,
    satterthwaite,
)

_FEW_READERS = 4
"""With fewer, the readers' variance rests on two or less degrees of freedom per treatment."""


class MeanSquares(NamedTuple):
    """Of an accuracy per treatment and reader."""

    treatment: float
    reader: float
    treatment_reader: float


def obuchowski_rockette(
    study: ReaderStudy,
    metric: Metric = "auc",
    covariance: CaseCovariance = "jackknife",
    level: float = 0.95,
) -> Mrmc:
    """Compare treatments in a fully crossed reader study.

    Parameters
    ----------
    study : ReaderStudy
        From `crossed_study`.
    metric : {"auc", "sensitivity", "specificity", "accuracy"}
        Empirical AUC of ratings, or a share of right decisions (ratings 0 and 1).
    covariance : {"jackknife", "delong", "unbiased"}
        See `case_covariance`. Patients with several cases are left out (jackknife) or summed
        (DeLong) as a whole, so the standard errors count patients. The degrees of freedom stay
        Hillis's, which come from the readers and do not depend on the number of cases.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        Fewer than two treatments or readers, or whatever `case_covariance` refuses.

    References
    ----------
    Obuchowski NA, Rockette HE 1995, Commun Stat Simul Comput 24:285-308,
    10.1080/03610919508813243. Hillis SL 2005, Stat Med 24:1579-1607, 10.1002/sim.2024. Hillis SL
    2007, Stat Med 26:596-619, 10.1002/sim.2532.
    """
    n_treatments, n_readers = len(study.treatments), len(study.readers)
    _require_crossed(n_treatments, n_readers)
    raters = [f"Reader {j} under treatment {i}" for i in study.treatments for j in study.readers]
    values, joint = case_covariance(study.cases, metric, covariance, raters)
    grid = _Grid(study.treatments, values, joint)
    squares = mean_squares(grid.accuracy)
    components = _components(squares, grid.blocks, study.cases.n_patients)
    wide, cases, readers = (
        _test(grid, squares, components, generalize, level) for generalize in get_args(Generalize)
    )
    names = [f"{treatment}, {reader}" for treatment in study.treatments for reader in study.readers]
    return Mrmc(
        metric=metric,
        covariance_method=covariance,
        treatments=study.treatments,
        readers=study.readers,
        n_cases=study.cases.n,
        n_patients=study.cases.n_patients,
        accuracy=grid.accuracy,
        covariance=joint,
        ms_treatment=squares.treatment,
        ms_reader=squares.reader,
        ms_treatment_reader=squares.treatment_reader,
        components=components,
        random_readers_and_cases=wide,
        fixed_readers=cases,
        fixed_cases=readers,
        readers_alone=tuple(
            mean_accuracy(name, value, max(float(variance), 0.0), float("inf"), level)
            for name, value, variance in zip(names, values, np.diag(joint), strict=True)
        ),
        warnings=tuple(
            note
            for note in (few_rated_for(metric, study.cases), few_readers_warning(n_readers))
            if note
        ),
    )


@dataclass(frozen=True)
class _Grid:
    """Accuracies of all readers under all treatments, and their covariance over cases."""

    treatments: tuple[str, ...]
    values: Float64Array
    joint: Float64Array

    @property
    def accuracy(self) -> Float64Array:
        """Shape (treatments, readers)."""
        return self.values.reshape(len(self.treatments), -1)

    @property
    def blocks(self) -> Float64Array:
        """Covariance, shape (treatments, readers) twice."""
        return self.joint.reshape(*self.accuracy.shape, *self.accuracy.shape)


def few_readers_warning(n_readers: int) -> str | None:
    """Return the warning of a test that rests on few readers, or None."""
    return f"rests on {n_readers} readers" if n_readers < _FEW_READERS else None


def _require_crossed(n_treatments: int, n_readers: int) -> None:
    if n_readers < 2:
        raise StatisticsError(
            "There is a single reader",
            "at least two readers",
            "Compare the treatments of one reader by delong_test; it holds for that reader only",
        )
    if n_treatments < 2:
        raise StatisticsError(
            "There is a single treatment",
            "at least two treatments",
            "Use average_reader for the readers' mean",
        )


def mean_squares(accuracy: Float64Array) -> MeanSquares:
    """Two-way analysis of variance of accuracies, shape (treatments, readers)."""
    n_treatments, n_readers = accuracy.shape
    by_treatment, by_reader = accuracy.mean(axis=1), accuracy.mean(axis=0)
    rest = accuracy - by_treatment[:, None] - by_reader + accuracy.mean()
    return MeanSquares(
        treatment=float(n_readers * by_treatment.var(ddof=1)),
        reader=float(n_treatments * by_reader.var(ddof=1)),
        treatment_reader=float((rest**2).sum() / ((n_treatments - 1) * (n_readers - 1))),
    )


def _components(squares: MeanSquares, blocks: Float64Array, n_cases: int) -> VarianceComponents:
    """Average the covariance by kind; `blocks` has shape (treatments, readers) twice."""
    n_treatments, n_readers = blocks.shape[:2]
    same_both = np.einsum("ijij->", blocks)
    same_reader = np.einsum("ijkj->", blocks) - same_both
    same_treatment = np.einsum("ijil->", blocks) - same_both
    neither = blocks.sum() - same_both - same_reader - same_treatment
    pairs = n_treatments * n_readers
    error = float(same_both / pairs)
    cov1 = float(same_reader / (pairs * (n_treatments - 1)))
    cov2 = float(same_treatment / (pairs * (n_readers - 1)))
    cov3 = float(neither / (pairs * (n_treatments - 1) * (n_readers - 1)))
    return VarianceComponents(
        reader=(squares.reader - squares.treatment_reader) / n_treatments - cov1 + cov3,
        treatment_reader=squares.treatment_reader - error + cov1 + cov2 - cov3,
        error=error,
        cov1=cov1,
        cov2=cov2,
        cov3=cov3,
        n_cases=n_cases,
    )


def _test(
    grid: _Grid,
    squares: MeanSquares,
    parts: VarianceComponents,
    generalize: Generalize,
    level: float,
) -> TreatmentTest:
    """Run one of the three analyses."""
    n_treatments, n_readers = grid.accuracy.shape
    df1 = float(n_treatments - 1)
    within = squares.treatment_reader
    between = parts.cov2 - parts.cov3
    own = df1 * (n_readers - 1)
    if generalize == "cases":
        denominator, df2 = parts.error - parts.cov1 + (n_readers - 1) * between, float("inf")
    elif generalize == "readers":
        denominator, df2 = within, own
    else:
        denominator = within + n_readers * max(between, 0.0)
        df2 = satterthwaite(denominator, within, own)
    means = tuple(
        treatment_mean(name, grid.accuracy[i], grid.blocks[i, :, i, :], generalize, level)
        for i, name in enumerate(grid.treatments)
    )
    differences = tuple(
        _difference(means[a], means[b], 2 * denominator / n_readers, df2, level)
        for a, b in combinations(range(n_treatments), 2)
    )
    statistic = p = float("nan")
    warning = None
    if denominator > NO_VARIANCE:
        statistic = squares.treatment / denominator
        if generalize == "cases":
            statistic *= df1
        p = _p_value(statistic, df1, df2, chi_square=generalize == "cases")
    else:
        warning = "no variance to test against: the treatments differ alike for every reader"
    return TreatmentTest(
        generalize, statistic, df1, df2, p, squares.treatment, denominator, differences, means,
        warning,
    )  # fmt: skip


def _difference(
    first: MeanAccuracy, second: MeanAccuracy, variance: float, df: float, level: float
) -> Contrast:
    return contrast(first.name, second.name, first.value - second.value, variance, df, level)


def _p_value(statistic: float, df1: float, df2: float, *, chi_square: bool) -> float:
    if chi_square:
        return float(chi2.sf(statistic, df1))
    return float(f.sf(statistic, df1, df2) if np.isfinite(df2) else chi2.sf(statistic * df1, df1))


def treatment_mean(
    name: str,
    accuracy: Float64Array,
    covariance: Float64Array,
    generalize: Generalize,
    level: float,
) -> MeanAccuracy:
    """Mean of readers under one treatment, from that treatment's data alone.

    Parameters
    ----------
    name : str
        The treatment.
    accuracy : ndarray, shape (readers,)
        Every reader's.
    covariance : ndarray, shape (readers, readers)
        Over samples of cases.
    generalize : {"readers and cases", "cases", "readers"}
        What the interval reaches beyond.
    level : float
        Confidence level.

    References
    ----------
    Hillis SL 2005, Stat Med 24:1579-1607, 10.1002/sim.2024.
    """
    value, variance, df = one_treatment(accuracy, covariance, generalize)
    return mean_accuracy(name, value, variance, df, level)


def one_treatment(
    accuracy: Float64Array, covariance: Float64Array, generalize: Generalize
) -> tuple[float, float, float]:
    """Mean over readers, its variance and degrees of freedom; arguments as `treatment_mean`."""
    n = accuracy.size
    own = float(np.trace(covariance))
    shared = max(float(covariance.sum() - own) / (n * (n - 1)), 0.0)
    spread = float(accuracy.var(ddof=1))
    value = float(accuracy.mean())
    if generalize == "cases":
        return value, max(own / n + (n - 1) * shared, 0.0) / n, float("inf")
    if generalize == "readers":
        return value, spread / n, float(n - 1)
    total = spread + n * shared
    return value, total / n, satterthwaite(total, spread, float(n - 1))
