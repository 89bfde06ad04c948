"""Confidence limits from resamples: percentile, and bias-corrected and accelerated (BCa)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from hemocast.stats.estimate import FloatArray
from hemocast.stats.proportions import Interval


def quantile(ordered: FloatArray, share: float) -> float:
    """Quantile of sorted values, linear between neighbours, and infinite beside infinity."""
    at = share * (ordered.size - 1)
    low, high = float(ordered[int(np.floor(at))]), float(ordered[int(np.ceil(at))])
    if low == high or not np.isfinite(high):
        return high
    return low + float(at - np.floor(at)) * (high - low)


def percentile_limits(resampled: FloatArray, level: float = 0.95) -> Interval:
    """Take the middle `level` of the resamples, shape (r,), none of them NaN."""
    ordered = np.sort(resampled)
    tail = (1 - level) / 2
    return Interval(quantile(ordered, tail), quantile(ordered, 1 - tail))


def _share_below(resampled: FloatArray, value: float) -> float:
    """Share of resamples below a value; equal ones, up to rounding, count half."""
    rounding = 1e-12 * max(1.0, abs(value))
    below = np.mean(resampled < value - rounding) + np.mean(resampled <= value + rounding)
    return float(below) / 2


def bias_and_acceleration(
    value: float, resampled: FloatArray, left_out: FloatArray
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
    value: float, resampled: FloatArray, left_out: FloatArray, level: float = 0.95
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


def resampled_limits(value: float, drawn: FloatArray, without: FloatArray) -> ResampledLimits:
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


def p_of_zero(value: float, resampled: FloatArray, left_out: FloatArray | None = None) -> float:
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
        Never below 2 / (r + 1): so many resamples cannot show less.
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
