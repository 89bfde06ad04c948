"""One model against many readers of the same cases, and the readers' own average.

The model is one fixed rater without a treatment; readers are drawn from many. What is analysed is
each reader's accuracy minus the model's, as a study with a single treatment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm, t

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases
from hemocast.stats.comparison import mcnemar_exact
from hemocast.stats.estimate import Float64Array
from hemocast.stats.mrmc.covariance import (
    CaseCovariance,
    Metric,
    case_covariance,
    few_rated_for,
    rated_for,
)
from hemocast.stats.mrmc.obuchowski_rockette import (
    few_readers_warning,
    one_treatment,
    treatment_mean,
)
from hemocast.stats.mrmc.result import Contrast, Generalize, MeanAccuracy, contrast
from hemocast.stats.planning.noninferiority import tango_limits


@dataclass(frozen=True)
class AverageReader:
    """The mean accuracy of several readers.

    Parameters
    ----------
    accuracy : ndarray of float64, shape (readers,)
        Every reader's.
    random_readers_and_cases, fixed_readers : MeanAccuracy
        The mean, with an interval that reaches beyond these readers, or not.
    """

    accuracy: Float64Array
    random_readers_and_cases: MeanAccuracy
    fixed_readers: MeanAccuracy


@dataclass(frozen=True)
class Standalone:
    """Readers against a model. **Differences are readers minus model**: below 0 the model leads.

    Parameters
    ----------
    metric, covariance_method : str
        As asked for.
    model : float
        The model's accuracy.
    readers : AverageReader
        The readers'.
    random_readers_and_cases : Contrast
        The difference for readers like these, and cases like these.
    fixed_readers : Contrast
        The difference for these very readers.
    per_reader : tuple of Contrast
        Every reader minus the model, over samples of cases; p values not adjusted. Of a share of
        decisions the p value is exact (`mcnemar_exact`), and with one case of each patient the
        limits are Tango's: a normal approximation would find 3 of 3 discordant cases significant.
    margin : float or None
        The largest lead of the readers at which the model is still called not inferior.
    p_non_inferiority : float or None
        One-sided p value of a lead of at least `margin`, for random readers and cases; NaN without
        variance.
    non_inferior : bool or None
        Whether the upper limit of the difference lies below `margin`.
    ms_reader, error, cov2 : float
        Of the readers' differences from the model: their variance, and over samples of cases their
        mean variance and the mean covariance of two readers.
    """

    metric: Metric
    covariance_method: CaseCovariance
    model: float
    readers: AverageReader
    random_readers_and_cases: Contrast
    fixed_readers: Contrast
    per_reader: tuple[Contrast, ...]
    margin: float | None
    p_non_inferiority: float | None
    non_inferior: bool | None
    ms_reader: float
    error: float
    cov2: float


def average_reader(
    cases: Cases,
    metric: Metric = "auc",
    covariance: CaseCovariance = "jackknife",
    level: float = 0.95,
) -> AverageReader:
    """Mean accuracy of readers who all rated the same cases.

    Parameters
    ----------
    cases : Cases
        Of the readers: ratings (AUC) or decisions, 0 or 1 (other metrics).
    metric, covariance
        As for `case_covariance`.
    level : float
        Confidence level.

    Raises
    ------
    StatisticsError
        A single reader, or whatever `case_covariance` refuses.

    References
    ----------
    Hillis SL 2005, Stat Med 24:1579-1607, 10.1002/sim.2024.
    """
    values, joint = case_covariance(cases, metric, covariance)
    _require_readers(values.size)
    return _average(values, joint, level)


def _require_readers(count: int) -> None:
    if count < 2:
        raise StatisticsError(
            "There is a single reader",
            "at least two readers",
            "Compare one reader with the model by delong_test; it holds for that reader only",
        )


def _average(values: Float64Array, joint: Float64Array, level: float) -> AverageReader:
    wide: Generalize = "readers and cases"
    return AverageReader(
        accuracy=values,
        random_readers_and_cases=treatment_mean("readers", values, joint, wide, level),
        fixed_readers=treatment_mean("readers", values, joint, "cases", level),
    )


def compare_with_readers(
    cases: Cases,
    metric: Metric = "auc",
    covariance: CaseCovariance = "jackknife",
    margin: float | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Standalone:
    """Compare one model with the average of many readers of the same cases.

    Use ratings on a scale for the AUC of both: the AUC of a reader's yes/no decisions is only his
    or her balanced accuracy, and setting a model's AUC against it flatters the model.

    Parameters
    ----------
    cases : Cases
        Of the model, first, and of the readers: scores (AUC) or decisions, 0 or 1 (other metrics).
    metric, covariance
        As for `case_covariance`.
    margin : float, optional
        Non-inferiority margin, chosen before the study: above 0.
    level : float
        Confidence level of two-sided intervals; non-inferiority is judged at half its complement.
    names : sequence of str, optional
        The readers' names (pseudonyms); "1", "2", ... if left out.

    Raises
    ------
    StatisticsError
        A single reader, a margin of 0 or less, or whatever `case_covariance` refuses.

    References
    ----------
    Hillis SL 2005, Stat Med 24:1579-1607, 10.1002/sim.2024; Hillis SL 2007, Stat Med 26:596-619,
    10.1002/sim.2532 (one treatment). Chakraborty DP 2017, Observer Performance Methods for
    Diagnostic Imaging, CRC Press (a computer alone against radiologists).
    """
    _check_margin(margin)
    n_readers = len(cases.scores) - 1
    _require_readers(n_readers)
    called = _called(names, n_readers)
    raters = ["The model", *(f"Reader {name}" for name in called)]
    values, joint = case_covariance(cases, metric, covariance, raters)
    lead = values[1:] - values[0]
    shared = joint[1:, :1]
    apart = joint[1:, 1:] - shared - shared.T + joint[0, 0]
    wide = contrast("readers", "model", *one_treatment(lead, apart, "readers and cases"), level)
    p, passed = _non_inferiority(wide, margin)
    among = rated_for(metric, cases.truth)
    few = few_rated_for(metric, cases)
    return Standalone(
        metric=metric,
        covariance_method=covariance,
        model=float(values[0]),
        readers=_average(values[1:], joint[1:, 1:], level),
        random_readers_and_cases=wide.noted(few, few_readers_warning(n_readers)),
        fixed_readers=contrast(
            "readers", "model", *one_treatment(lead, apart, "cases"), level
        ).noted(few),
        per_reader=tuple(
            _one_reader(
                contrast(name, "model", lead[row], float(apart[row, row]), float("inf"), level),
                cases.part(among),
                row,
                metric,
                level,
            ).noted(few)
            for row, name in enumerate(called)
        ),
        margin=margin,
        p_non_inferiority=p,
        non_inferior=passed,
        ms_reader=float(lead.var(ddof=1)),
        error=float(np.trace(apart)) / n_readers,
        cov2=float(apart.sum() - np.trace(apart)) / (n_readers * (n_readers - 1)),
    )


def _one_reader(found: Contrast, cases: Cases, row: int, metric: Metric, level: float) -> Contrast:
    """Give a difference of shares of decisions its exact test, and score limits where they hold."""
    if metric == "auc":
        return found
    right = cases.scores == cases.truth
    test = mcnemar_exact(right[row + 1], right[0], cases.patient)
    nan = float("nan")
    exact = replace(found, statistic=nan, p=test.p)
    if test.clustered:
        lacking = "no interval: no decision differs" if np.isnan(found.ci_low) else None
        method = "exact McNemar, signs of whole patients turned; normal limits"
        return replace(exact, method=method, warning=lacking)
    low, high = tango_limits(test.only_first, test.only_second, cases.n, level)
    method = "exact McNemar, Tango's limits"
    return replace(exact, ci_low=low, ci_high=high, method=method, warning=None)


def _check_margin(margin: float | None) -> None:
    if margin is not None and not margin > 0:
        raise StatisticsError(
            f"The margin is {margin}", "a margin above 0", "State how much lead is tolerable"
        )


def _called(names: Sequence[str] | None, n_readers: int) -> list[str]:
    """Names of the readers: as given, or numbers."""
    called = [str(row + 1) for row in range(n_readers)] if names is None else list(names)
    if len(called) != n_readers:
        raise StatisticsError(
            f"There are {n_readers} readers and {len(called)} names",
            "a name per reader",
            "Add them",
        )
    return called


def _non_inferiority(lead: Contrast, margin: float | None) -> tuple[float | None, bool | None]:
    """Test a lead of the readers of at least the margin."""
    if margin is None:
        return None, None
    if np.isnan(lead.statistic):
        return float("nan"), None
    z = (lead.difference - margin) / lead.se
    p = float(t.cdf(z, lead.df) if np.isfinite(lead.df) else norm.cdf(z))
    return p, bool(lead.ci_high < margin)
