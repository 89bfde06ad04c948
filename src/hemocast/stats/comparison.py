"""Two raters (or models) on the same cases compared, and several tests at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, norm

from hemocast.errors import StatisticsError
from hemocast.stats.cases import Cases, as_pair
from hemocast.stats.estimate import BoolArray, Estimate, Float64Array, IntArray
from hemocast.stats.evaluation import as_thresholds, left_out, replicate, resampled
from hemocast.stats.metrics import METRICS
from hemocast.stats.resampling.limits import AGREE, TOO_FEW, p_of_zero, resampled_limits
from hemocast.stats.resampling.weights import Resampling


@dataclass(frozen=True)
class McNemar:
    """Two raters (or models) who decided on the same cases.

    Parameters
    ----------
    only_first, only_second : int
        Cases where the first alone, or the second alone, says yes (or is right).
    p : float
        Exact two-sided p value of no difference.
    clustered : bool
        Some patient has several of the cases: signs of whole patients were turned.
    """

    only_first: int
    only_second: int
    p: float
    clustered: bool = False


_MOST_CONVOLVED = 4_000
"""With more discordant cases than this, turned signs are as good as normal."""


def mcnemar_exact(first: ArrayLike, second: ArrayLike, patient: ArrayLike | None = None) -> McNemar:
    """Test whether two paired yes/no decisions differ, by the exact binomial of discordant pairs.

    Where patients have several cases the unit is the patient: each one's lead of the first over the
    second keeps its size and turns its sign at random, which is what no difference means, and the
    distribution of the sum is computed exactly. With one case of each patient that is the same.

    Parameters
    ----------
    first, second : array_like of 0/1, shape (n,)
        Decisions on the same cases. To compare sensitivities give those with the outcome only; to
        compare accuracies give 1 where each was right.
    patient : array_like, shape (n,), optional
        Of every case; every case another one if left out.

    Raises
    ------
    StatisticsError
        Different lengths, or values other than 0 and 1.

    References
    ----------
    McNemar Q 1947, Psychometrika 12:153-157, 10.1007/BF02295996. Signs of whole patients: Fisher RA
    1935, The Design of Experiments, section 21; the large-sample form: Durkalski VL 2003, Stat Med
    22:2417-2428, 10.1002/sim.1438.
    """
    a, b = as_pair(first, second)
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    if patient is not None:
        lead = _leads(a, b, patient)
        if lead.size < a.size:
            return McNemar(only_first, only_second, _turned_signs(lead), clustered=True)
    discordant = only_first + only_second
    tail = float(binom.cdf(min(only_first, only_second), discordant, 0.5))
    return McNemar(only_first, only_second, min(1.0, 2 * tail))


def _leads(a: BoolArray, b: BoolArray, patient: ArrayLike) -> IntArray:
    """Cases that the first alone has less those that the second alone has, by patient."""
    keys = np.asarray(patient)
    if keys.shape != a.shape:
        raise StatisticsError(
            f"There are {a.size} cases and patients of shape {keys.shape}",
            "the patient of every case",
            "Check that both come from the same cases",
        )
    index = np.unique(keys, return_inverse=True)[1]
    lead = np.bincount(index, weights=a.astype(float) - b.astype(float))
    return np.asarray(np.round(lead).astype(np.int64))


def _turned_signs(lead: IntArray) -> float:
    """Two-sided p value of a sum of whole numbers, where each keeps its size and not its sign."""
    sizes = np.abs(lead[lead != 0])
    total, seen = int(sizes.sum()), abs(int(lead.sum()))
    if total > _MOST_CONVOLVED:
        return float(2 * norm.sf(seen / np.sqrt((sizes.astype(float) ** 2).sum())))
    chance = np.ones(1)  # of every sum from -(largest so far) to the largest so far
    for size in sizes:
        wider = np.zeros(chance.size + 2 * int(size))
        wider[: chance.size] += chance / 2
        wider[2 * int(size) :] += chance / 2
        chance = wider
    sums = np.arange(-total, total + 1)
    return float(min(1.0, chance[np.abs(sums) >= seen].sum()))


def holm(p: ArrayLike) -> Float64Array:
    """Adjust p values of several tests, so that the chance of any false alarm stays at the level.

    Parameters
    ----------
    p : array_like, shape (k,)
        Unadjusted p values.

    Returns
    -------
    ndarray of float64, shape (k,)
        Adjusted, in the same order.

    Raises
    ------
    StatisticsError
        A value outside [0, 1].

    References
    ----------
    Holm S 1979, Scand J Stat 6:65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not bool(((values >= 0) & (values <= 1)).all()):
        raise StatisticsError(
            "Some p values lie outside 0 to 1", "a list of p values", "Correct the list"
        )
    order = np.argsort(values, kind="stable")
    stepped = values[order] * (values.size - np.arange(values.size))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


@dataclass(frozen=True)
class Difference:
    """One metric of the first minus that of the second rater.

    Parameters
    ----------
    metric : str
        Its name in `METRICS`.
    estimate : Estimate
        The difference with its 95 % interval.
    p : float
        Two-sided, of no difference; NaN where there is no interval.
    """

    metric: str
    estimate: Estimate
    p: float


def bootstrap_differences(
    cases: Cases, thresholds: ArrayLike, resampling: Resampling = Resampling()
) -> tuple[Difference, ...]:
    """Differences of all `METRICS` between two raters, from resamples of patients that both share.

    Parameters
    ----------
    cases : Cases
        Of two raters: fractions in [0, 1], or 0 and 1 where there are only decisions.
    thresholds : array_like, shape () or (2,)
        At or above it a case counts as positive: one for both, or one each.
    resampling : Resampling
        Of patients.

    Returns
    -------
    tuple of Difference
        In the order of `METRICS`. The p value is 1 - the level at which the interval just reaches
        0, and never below 2 / (resamples + 1).

    Raises
    ------
    StatisticsError
        Not two raters, or as `evaluate_raters` does.

    References
    ----------
    Efron B, Tibshirani RJ 1993, An Introduction to the Bootstrap, Chapman & Hall, chapters 14, 15.
    """
    cases.require_raters(2)
    cases.probabilities()
    at = as_thresholds(thresholds, 2)
    with np.errstate(invalid="ignore"):
        point = _difference(replicate(cases, at, [np.ones((1, cases.n_patients))]))[:, 0]
        drawn = _difference(resampled(cases, at, resampling))
        without = np.empty((len(METRICS), 0))
        if resampling.interval == "bca":
            without = _difference(left_out(cases, at, resampling))
    strata = ", stratified by outcome" if resampling.stratified else ""
    name = f"paired bootstrap of patients{strata}"
    return tuple(
        _with_limits(cases, metric, float(point[k]), drawn[k], without[k], name)
        for k, metric in enumerate(METRICS)
    )


def _difference(values: Float64Array) -> Float64Array:
    return np.asarray(values[0] - values[1])


def _with_limits(
    cases: Cases,
    metric: str,
    value: float,
    drawn: Float64Array,
    without: Float64Array,
    name: str,
) -> Difference:
    """Turn the resampled differences of one metric into its interval and p value."""
    nan = float("nan")
    if not np.isfinite(value):
        reason = "undefined: the metric of at least one is undefined or infinite"
        return Difference(metric, Estimate.bare(nan, cases.n, reason), nan)
    finite = np.where(np.isfinite(drawn), drawn, nan)
    found = resampled_limits(value, finite, without)
    notes = [*([cases.few] if cases.few else []), *found.notes]
    if found.kind == AGREE:
        notes.append("all resamples agree, so they give no interval")
    if found.kind in (AGREE, TOO_FEW):
        return Difference(metric, Estimate.bare(value, cases.n, "; ".join(notes)), nan)
    corrected = without if found.kind == "BCa" else None
    p = p_of_zero(value, finite[~np.isnan(finite)], corrected)
    method = f"{name}, {found.kind}"
    warning = "; ".join(notes) or None
    return Difference(metric, Estimate(value, found.low, found.high, method, cases.n, warning), p)
