"""Left-out predictions of all groups together, with groups resampled: countries, not patients.

Patients of one country share its doctors, scanners and habits of asking for a second scan. An
interval for *another* country's patients must vary the countries. Fewer than 10 cannot stand for
others: there patients are resampled, and the interval is for those countries alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import logit
from hemocast.stats.calibration.logistic import fit_logistic, fit_resamples
from hemocast.stats.cases import Cases
from hemocast.stats.decision import DecisionCurve, decision_curve
from hemocast.stats.discrimination.roc import auc
from hemocast.stats.estimate import Estimate
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.weights import Ranking, Resampling

THRESHOLDS = (0.002, 0.005, 0.01, 0.02, 0.05)
"""Risks at which one might act, where one patient in 170 bleeds."""
FEW_GROUPS = 10
_ARRAYS = 6


@dataclass(frozen=True)
class Pooled:
    """How good the predictions for groups never seen are.

    Parameters
    ----------
    auc : Estimate
    in_the_large : Estimate
        Calibration intercept with slope 1: log of how far the odds are too low.
    slope : Estimate
        Calibration slope; below 1 the risks are too extreme, above 1 too much alike.
    ratio : Estimate
        Observed / expected events.
    decision : DecisionCurve
        Net benefit at `THRESHOLDS`.
    """

    auc: Estimate
    in_the_large: Estimate
    slope: Estimate
    ratio: Estimate
    decision: DecisionCurve


def pool(cohort: Cohort, risk: Float64Array, resampling: Resampling = Resampling()) -> Pooled:
    """Measure left-out predictions.

    Parameters
    ----------
    cohort : Cohort
        Its groups are what is resampled.
    risk : ndarray, shape (n,)
        Strictly between 0 and 1, each from a model that never saw the patient's group.
    resampling : Resampling
        Percentiles are taken, whatever its kind of interval.

    Raises
    ------
    StatisticsError
        One class only, or risks of 0 or 1.
    """
    groups = np.unique(cohort.group).size
    resampled = cohort.group if groups >= FEW_GROUPS else None
    cases = Cases(cohort.outcome, risk, resampled)
    cases.both_classes()
    drawn = [
        _measures(cases, weights[:, cases.patient])
        for weights in resampling.draw(cases, _ARRAYS * cases.n)
    ]
    table = np.concatenate(drawn)
    whole = _whole(cases)
    area, large, slope, ratio = (
        _estimate(value, column, groups) for value, column in zip(whole, table.T, strict=True)
    )
    return Pooled(area, large, slope, ratio, decision_curve(cases, THRESHOLDS, resampling))


def few_groups(groups: int) -> str | None:
    """Return the warning of an interval from few groups, or None."""
    if groups >= FEW_GROUPS:
        return None
    return (
        f"is for {'this country' if groups == 1 else f'these {groups} countries'} alone, with "
        f"patients resampled: fewer than {FEW_GROUPS} cannot stand for others"
    )


def _whole(cases: Cases) -> tuple[float, float, float, float]:
    outcome, logits = cases.truth.astype(np.float64), logit(cases.probability())
    flat = np.ones((cases.n, 1))
    (large,), _ = fit_logistic(flat, outcome, logits)
    (_, slope), _ = fit_logistic(np.column_stack([flat, logits]), outcome)
    return auc(cases), float(large), float(slope), cases.n_positive / float(cases.score.sum())


def _measures(cases: Cases, weights: Float64Array) -> Float64Array:
    """AUC, intercept, slope and O/E of every resample, shape (r, 4); NaN where undefined."""
    outcome, logits = cases.truth.astype(np.float64), logit(cases.score)
    flat = np.ones((cases.n, 1))
    large = fit_resamples(flat, outcome, logits, weights)[:, 0]
    both = fit_resamples(np.column_stack([flat, logits]), outcome, np.zeros(cases.n), weights)
    area = Ranking(cases.truth, weights).auc(cases.score)
    return np.column_stack([area, large, both[:, 1], weights @ outcome / (weights @ cases.score)])


def _estimate(value: float, resampled: Float64Array, groups: int) -> Estimate:
    known = resampled[np.isfinite(resampled)]
    warning = few_groups(groups)
    if known.size < resampled.size:
        lost = f"undefined in {resampled.size - known.size} of {resampled.size} resamples"
        warning = f"{warning}; {lost}" if warning else lost
    if known.size < resampled.size / 2:
        return Estimate.bare(value, groups, warning or "undefined")
    method = f"bootstrap of {'patients' if groups < FEW_GROUPS else 'groups'}, percentile"
    return Estimate(value, *percentile_limits(known), method, groups, warning)
