"""Confidence limits from resamples: percentile, and bias-corrected and accelerated (BCa).

Every resample of perfect predictions is perfect, and the percentiles read [1, 1]. Where the data
hold no error, or nothing but errors, `extreme_limits` gives exact limits instead, counted in
patients, and conservative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.delong import perfect_auc_limits
from hemocast.stats.estimate import BoolArray, Estimate, Float64Array, few_warning
from hemocast.stats.metrics import ClassificationMetrics, scale_brier
from hemocast.stats.proportions import Interval, clopper_pearson

LEVEL = 0.95


def quantile(ordered: Float64Array, share: float) -> float:
    """Quantile of sorted values, linear between neighbours, and infinite beside infinity."""
    at = share * (ordered.size - 1)
    low, high = float(ordered[int(np.floor(at))]), float(ordered[int(np.ceil(at))])
    if low == high or not np.isfinite(high):
        return high
    return low + float(at - np.floor(at)) * (high - low)


def percentile_limits(resampled: Float64Array, level: float = 0.95) -> Interval:
    """Take the middle `level` of the resamples, shape (r,), none of them NaN."""
    ordered = np.sort(resampled)
    tail = (1 - level) / 2
    return Interval(quantile(ordered, tail), quantile(ordered, 1 - tail))


def _share_below(resampled: Float64Array, value: float) -> float:
    """Share of resamples below a value; equal ones, up to rounding, count half."""
    rounding = 1e-12 * max(1.0, abs(value))
    below = np.mean(resampled < value - rounding) + np.mean(resampled <= value + rounding)
    return float(below) / 2


def bias_and_acceleration(
    value: float, resampled: Float64Array, left_out: Float64Array
) -> tuple[float, float] | None:
    """Two corrections of BCa, or None where the data do not give them.

    Parameters
    ----------
    value : float
        Of the data themselves.
    resampled : ndarray, shape (r,)
        Of the resamples, none NaN; equal to `value` they count half below.
    left_out : ndarray, shape (p,)
        Without each patient in turn.

    Returns
    -------
    tuple of float, or None
        Bias (in standard normal units) and acceleration. None where all resamples lie on one side
        of the value, or leaving out a patient makes it undefined or infinite.
    """
    below = _share_below(resampled, value)
    if not 0 < below < 1 or not bool(np.isfinite(left_out).all()) or not np.isfinite(value):
        return None
    centred = left_out.mean() - left_out
    spread = float((centred**2).sum())
    acceleration = float((centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    return float(ndtri(below)), acceleration


def bca_limits(
    value: float, resampled: Float64Array, left_out: Float64Array, level: float = 0.95
) -> Interval | None:
    """Bias-corrected and accelerated limits, or None where the corrections are not to be had.

    Parameters
    ----------
    value, resampled, left_out
        As for `bias_and_acceleration`.
    level : float
        Confidence level.

    References
    ----------
    Efron B 1987, J Am Stat Assoc 82:171-185, 10.1080/01621459.1987.10478410.
    """
    corrections = bias_and_acceleration(value, resampled, left_out)
    if corrections is None:
        return None
    bias, acceleration = corrections
    ordered = np.sort(resampled)
    tail = float(ndtri((1 - level) / 2))
    ends = []
    for z in (bias + tail, bias - tail):
        stretch = 1 - acceleration * z
        if stretch <= 0:
            return None
        ends.append(quantile(ordered, float(ndtr(bias + z / stretch))))
    return Interval(ends[0], ends[1])


AGREE, TOO_FEW = "all resamples agree", "too few resamples could be used"
_MIN_USABLE = 0.5
"""With fewer usable resamples than this share, no interval is given."""


@dataclass(frozen=True)
class ResampledLimits:
    """The interval that resamples give.

    Parameters
    ----------
    low, high : float
        NaN where `kind` says that there are none.
    kind : str
        ``"percentile"``, ``"BCa"``, `AGREE` or `TOO_FEW`.
    notes : tuple of str
        What was left out, or could not be had.
    """

    low: float
    high: float
    kind: str
    notes: tuple[str, ...]

    def estimate(self, value: float, n: int, method: str) -> Estimate:
        """Return a number of `n` cases with these limits, or without and why.

        Parameters
        ----------
        value : float
            Of the data themselves.
        n : int
            Cases that it rests on.
        method : str
            What was resampled.
        """
        if self.kind in (AGREE, TOO_FEW):
            return Estimate.bare(value, n, f"no interval: {self.kind}").noted(*self.notes)
        known = "; ".join(self.notes) or None
        return Estimate(value, self.low, self.high, f"{method}, {self.kind}", n, known)


def resampled_limits(value: float, drawn: Float64Array, without: Float64Array) -> ResampledLimits:
    """Take the 95 % interval of one number from its resamples, leaving out undefined ones.

    Parameters
    ----------
    value : float
        Of the data themselves.
    drawn : ndarray, shape (r,)
        Of the resamples; NaN where undefined.
    without : ndarray, shape (p,)
        Without each patient in turn, for BCa; empty for percentiles.
    """
    usable = drawn[~np.isnan(drawn)]
    nan = float("nan")
    if usable.size < _MIN_USABLE * drawn.size:
        left = f"only {usable.size} of {drawn.size} resamples could be used"
        return ResampledLimits(nan, nan, TOO_FEW, (left,))
    notes = []
    if usable.size < drawn.size:
        notes.append(f"undefined in {drawn.size - usable.size} of {drawn.size} resamples")
    limits = percentile_limits(usable)
    if limits.low == limits.high or limits.high - limits.low < 1e-12:
        return ResampledLimits(nan, nan, AGREE, tuple(notes))
    kind = "percentile"
    if without.size:
        corrected = bca_limits(value, usable, without)
        if corrected is None:
            notes.append("BCa does not exist here; percentile limits")
        else:
            limits, kind = corrected, "BCa"
    return ResampledLimits(*limits, kind, tuple(notes))


def p_of_zero(value: float, resampled: Float64Array, left_out: Float64Array | None = None) -> float:
    """Two-sided p value of no difference: 1 - the level at which the interval just reaches 0.

    Parameters
    ----------
    value : float
        The difference in the data.
    resampled : ndarray, shape (r,)
        Differences in the resamples; those of exactly 0 count half on each side.
    left_out : ndarray, shape (p,), optional
        Without each patient in turn: then the interval is BCa, else percentile.

    Returns
    -------
    float
        Never below 2 / (r + 1), the smallest that this many resamples can give.
    """
    floor = 1 / (resampled.size + 1)
    below = _share_below(resampled, 0.0)
    below = min(max(below, floor), 1 - floor)
    corrections = None if left_out is None else bias_and_acceleration(value, resampled, left_out)
    if corrections is not None:
        bias, acceleration = corrections
        from_bias = float(ndtri(below)) - bias
        stretch = 1 + acceleration * from_bias
        if stretch > 0:
            below = float(ndtr(from_bias / stretch - bias))
    return min(1.0, 2 * max(min(below, 1 - below), floor))


def rests_on(metric: str, cases: Cases, threshold: float) -> BoolArray:
    """Return the cases in a metric's denominator, as a mask."""
    called = cases.score >= threshold
    return {
        "sensitivity": cases.truth,
        "specificity": ~cases.truth,
        "ppv": called,
        "npv": ~called,
    }.get(metric, np.ones(cases.n, dtype=bool))


def few_behind(metric: str, cases: Cases, threshold: float) -> str | None:
    """Warn where a metric's interval rests on few patients of a class."""
    if metric in ("accuracy", "brier", "scaled_brier"):
        return None
    if metric not in ("ppv", "npv", "sensitivity", "specificity"):
        return cases.few
    return few_warning(cases.patients(rests_on(metric, cases, threshold)), "in the denominator")


def extreme_limits(
    metric: str, cases: Cases, point: ClassificationMetrics
) -> tuple[Interval | None, str]:
    """Limits where all resamples agree, because the data hold no error (or nothing but errors).

    - A proportion of 0 or 1 among the cases of k patients: Clopper-Pearson for 0 or k of k. Cases
      of one patient are counted once, which is conservative.
    - AUC of 0 or 1: `perfect_auc_bound`.
    - Brier of 0: no patient of k had any loss, and the mean loss is at most the share with one.
    - Scaled Brier of 1: the same, divided by the loss of the prevalence.
    - Average precision of 1: the least that any ROC curve with the exact limit's AUC allows.
    - F1, macro-F1, balanced accuracy, MCC and the likelihood ratios rise (or fall) with
      sensitivity, specificity, PPV and NPV. Exact limits of these (at a level split among them
      after Bonferroni) go through the formula.
    """
    value, loss = point[metric], point["brier"]
    sure = "all resamples agree; exact conservative limits"
    if metric == "auc" and value in (0.0, 1.0):
        return perfect_auc_limits(cases, value, LEVEL), sure
    if metric == "average_precision" and value == 1:
        low = perfect_auc_limits(cases, 1.0, LEVEL).low
        return Interval(_least_precision(low, float(cases.truth.mean())), 1.0), sure
    if metric in ("brier", "scaled_brier") and loss == 0:
        worst = clopper_pearson(0, cases.n_patients, LEVEL).high
        if metric == "brier":
            return Interval(0.0, worst), sure
        return Interval(float(scale_brier(worst, cases.truth.mean())), 1.0), sure
    if metric in ("accuracy", "sensitivity", "specificity", "ppv", "npv") and value in (0.0, 1.0):
        return _exact_share(metric, cases, point, LEVEL), sure
    if metric in _PARTS:
        return _exact_composite(metric, cases, point), sure
    return None, "all resamples agree, so they give no interval"


def _least_precision(area: float, prevalence: float) -> float:
    """Smallest average precision of any ROC curve with this area.

    With odds c of no outcome, it is the integral over sensitivity t of t / (t + c x), where the
    false positive rate x has the mean 1 - area. Minimised over x (by a Lagrange multiplier) it is
    1 - sqrt(6 d) / 3 for d = c (1 - area) up to 1/6, and 4 / (9 (d + 1/2)) above.
    """
    lost = (1 - prevalence) / prevalence * (1 - area)
    return 1 - float(np.sqrt(6 * lost)) / 3 if lost <= 1 / 6 else 4 / (9 * (lost + 0.5))


def _exact_share(metric: str, cases: Cases, point: ClassificationMetrics, level: float) -> Interval:
    """Limits of a share: exact where it is 0 or 1; else for its share of the patients."""
    value = point[metric]
    if np.isnan(value):
        return Interval(0.0, 1.0)
    patients = cases.patients(rests_on(metric, cases, point.threshold))
    low, high = int(np.floor(value * patients)), int(np.ceil(value * patients))
    return Interval(
        clopper_pearson(low, patients, level).low, clopper_pearson(high, patients, level).high
    )


_PARTS = {
    "f1": ("sensitivity", "ppv"),
    "balanced_accuracy": ("sensitivity", "specificity"),
    "lr_positive": ("sensitivity", "specificity"),
    "lr_negative": ("sensitivity", "specificity"),
    "macro_f1": ("sensitivity", "ppv", "specificity", "npv"),
    "mcc": ("sensitivity", "ppv", "specificity", "npv"),
}


def _exact_composite(metric: str, cases: Cases, point: ClassificationMetrics) -> Interval:
    """Send exact limits of the parts through the formula of a composite metric."""
    parts = _PARTS[metric]
    level = 1 - (1 - LEVEL) / len(parts)
    known = {part: _exact_share(part, cases, point, level) for part in parts}
    low, high = ({part: limits[end] for part, limits in known.items()} for end in (0, 1))
    if metric == "lr_positive":
        return Interval(
            _ratio(low["sensitivity"], 1 - low["specificity"]),
            _ratio(high["sensitivity"], 1 - high["specificity"]),
        )
    if metric == "lr_negative":
        return Interval(
            _ratio(1 - high["sensitivity"], high["specificity"]),
            _ratio(1 - low["sensitivity"], low["specificity"]),
        )
    return Interval(_composite(metric, low), _composite(metric, high))


def _composite(metric: str, part: dict[str, float]) -> float:
    if metric == "balanced_accuracy":
        return (part["sensitivity"] + part["specificity"]) / 2
    if metric == "mcc":
        shares = np.array(list(part.values()))
        return float(np.sqrt(shares.prod()) - np.sqrt((1 - shares).prod()))
    f1 = _harmonic(part["sensitivity"], part["ppv"])
    return f1 if metric == "f1" else (f1 + _harmonic(part["specificity"], part["npv"])) / 2


def _harmonic(a: float, b: float) -> float:
    return 0.0 if a + b == 0 else 2 * a * b / (a + b)


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else np.inf
