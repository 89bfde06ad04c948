"""Agreement of raters, beyond chance: per cent, Cohen's and Fleiss' kappa, Gwet's AC1, ICC."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import f, norm

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import FEW, Estimate, Float64Array, IntArray
from hemocast.stats.proportions import wilson

_LEVEL = 0.95


def _ratings(ratings: ArrayLike) -> tuple[IntArray, int]:
    """Check ratings (cases, raters); return them as categories 0 ... q - 1, and q."""
    array = np.asarray(ratings)
    missing = array.dtype.kind in "fO" and any(
        value is None or value != value for value in array.ravel().tolist()
    )
    _require_table(array.shape, missing)
    categories, index = np.unique(array, return_inverse=True)
    return index.reshape(array.shape).astype(np.int64), int(categories.size)


def _require_table(shape: tuple[int, ...], missing: bool) -> None:
    if len(shape) != 2 or min(shape) < 2 or missing:
        raise StatisticsError(
            f"The ratings have shape {shape}{', some missing' if missing else ''}",
            "two or more cases in rows, two or more raters in columns, none missing",
            "Leave out cases that a rater has not read, and report how many",
        )


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[IntArray, int]:
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 1 or a.shape != b.shape:
        raise StatisticsError(
            f"One rater has ratings of shape {a.shape} and the other of {b.shape}",
            "a rating of every case by both",
            "Check that both rated the same cases",
        )
    return _ratings(np.stack([a, b], axis=1))


def _estimate(value: float, variance: float, n: int, method: str) -> Estimate:
    if variance <= 1e-15:
        reason = "the ratings show no variation from which an interval could be made"
        return Estimate.bare(value, n, reason)
    half = float(norm.ppf(0.5 + _LEVEL / 2)) * float(np.sqrt(variance))
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), method, n, _few(n))


def _few(n: int) -> str | None:
    return None if n >= FEW else f"rests on {n} cases"


def _undefined(n: int) -> Estimate:
    reason = "undefined: every rating is the same, so chance agreement is complete"
    return Estimate.bare(float("nan"), n, reason)


def percent_agreement(first: ArrayLike, second: ArrayLike) -> Estimate:
    """Share of cases that two raters rate alike, with its Wilson interval.

    The "consistency rate" of Zhang 2026 (10.3389/fnins.2025.1753071). It does not allow for chance.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Categories, of any kind.

    Raises
    ------
    StatisticsError
        Ratings that cannot be used.
    """
    pair, _ = _pair(first, second)
    alike = int((pair[:, 0] == pair[:, 1]).sum())
    low, high = wilson(alike, pair.shape[0], _LEVEL)
    return Estimate(alike / pair.shape[0], low, high, "Wilson", pair.shape[0], _few(pair.shape[0]))


def cohen_kappa(first: ArrayLike, second: ArrayLike) -> Estimate:
    """Agreement of two raters beyond chance, unweighted.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Categories, of any kind.

    Returns
    -------
    Estimate
        With a large-sample interval; NaN, with the reason, where both use one category alone.

    Raises
    ------
    StatisticsError
        Ratings that cannot be used.

    References
    ----------
    Cohen J 1960, Educ Psychol Meas 20:37-46, 10.1177/001316446002000104. Variance: Fleiss JL, Cohen
    J, Everitt BS 1969, Psychol Bull 72:323-327, 10.1037/h0028106.
    """
    pair, q = _pair(first, second)
    n = pair.shape[0]
    table = np.bincount(pair[:, 0] * q + pair[:, 1], minlength=q * q).reshape(q, q) / n
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed, chance = float(np.trace(table)), float(rows @ columns)
    if chance >= 1:
        return _undefined(n)
    kappa = (observed - chance) / (1 - chance)
    on = np.diag(table)
    alike = float((on * (1 - (rows + columns) * (1 - kappa)) ** 2).sum())
    # For rated i by the first and j by the second: the marginals the other way round.
    cross = (columns[:, None] + rows[None, :]) ** 2
    apart = (1 - kappa) ** 2 * float((table * cross).sum() - (on * np.diag(cross)).sum())
    variance = (alike + apart - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    return _estimate(kappa, variance, n, "large-sample")


def fleiss_kappa(ratings: ArrayLike) -> Estimate:
    """Agreement of any number of raters beyond chance, after Fleiss.

    Parameters
    ----------
    ratings : array_like, shape (n, raters)
        Categories, of any kind; every rater has read every case.

    Returns
    -------
    Estimate
        With an interval that generalises to other cases, not to other raters; NaN, with the reason,
        where all ratings are the same.

    Raises
    ------
    StatisticsError
        Ratings that cannot be used.

    References
    ----------
    Fleiss JL 1971, Psychol Bull 76:378-382, 10.1037/h0031619. Variance: Gwet KL 2021, Educ Psychol
    Meas 81:781-790, 10.1177/0013164420973080.
    """
    shares, agreement = _shares(ratings)
    mean = shares.mean(axis=0)
    return _chance_corrected(agreement, shares @ mean, float(mean @ mean))


def gwet_ac1(ratings: ArrayLike) -> Estimate:
    """Agreement beyond chance that does not collapse when one category prevails.

    Parameters
    ----------
    ratings : array_like, shape (n, raters)
        Categories, of any kind; every rater has read every case.

    Returns
    -------
    Estimate
        With an interval that generalises to other cases, not to other raters.

    Raises
    ------
    StatisticsError
        Ratings that cannot be used.

    References
    ----------
    Gwet KL 2008, Br J Math Stat Psychol 61:29-48, 10.1348/000711006X126600.
    """
    shares, agreement = _shares(ratings)
    q = shares.shape[1]
    if q == 1:
        return _undefined(shares.shape[0])
    mean = shares.mean(axis=0)
    by_case = shares @ (1 - mean) / (q - 1)
    return _chance_corrected(agreement, by_case, float(mean @ (1 - mean) / (q - 1)))


def intraclass(ratings: ArrayLike) -> Estimate:
    """Agreement of any number of raters on a scale: ICC(2,1), absolute, of a single rater.

    Parameters
    ----------
    ratings : array_like, shape (n, raters)
        Numbers, such as probabilities; every rater has read every case.

    Returns
    -------
    Estimate
        With an interval that generalises to other cases and raters; NaN, with the reason, where
        all ratings are the same.

    Raises
    ------
    StatisticsError
        Ratings that cannot be used.

    References
    ----------
    Shrout PE, Fleiss JL 1979, Psychol Bull 86:420-428, 10.1037/0033-2909.86.2.420.
    """
    values = np.asarray(ratings, dtype=np.float64)
    _require_table(values.shape, not np.isfinite(values).all())
    n, k = values.shape
    by_case, by_rater = values.mean(axis=1), values.mean(axis=0)
    rest = values - by_case[:, None] - by_rater + values.mean()
    cases, raters = k * by_case.var(ddof=1), n * by_rater.var(ddof=1)
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    whole = cases + (k - 1) * error + k * (raters - error) / n
    if whole <= 0 or error <= 1e-12 * values.var():
        return Estimate.bare(
            float("nan"), n, "undefined: the ratings show no variation beside that of the cases"
        )
    value = float((cases - error) / whole)
    ratio = raters / error
    a, b = k * value * ratio, n * (1 + (k - 1) * value) - k * value
    df = (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * (k * value * ratio) ** 2 + b**2)
    tail = 0.5 + _LEVEL / 2
    low_f, high_f = f.ppf(tail, n - 1, df), f.ppf(tail, df, n - 1)
    own = k * raters + (k * n - k - n) * error
    low = float(n * (cases - low_f * error) / (low_f * own + n * cases))
    high = float(n * (high_f * cases - error) / (own + n * high_f * cases))
    return Estimate(value, max(low, -1.0), min(high, 1.0), "F, Shrout and Fleiss", n, _few(n))


def _shares(ratings: ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Share of raters in each category, (n, q), and of agreeing pairs, (n,), by case."""
    index, q = _ratings(ratings)
    raters = index.shape[1]
    counts = (index[:, :, None] == np.arange(q)).sum(axis=1)
    agreement = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    return counts / raters, agreement


def _chance_corrected(agreement: Float64Array, by_case: Float64Array, chance: float) -> Estimate:
    """Put (observed - chance) / (1 - chance) together, with its variance over cases."""
    n = agreement.size
    if chance >= 1:
        return _undefined(n)
    value = float((agreement.mean() - chance) / (1 - chance))
    # Each case moves the value through its own agreement and through the chance agreement.
    moved = (agreement - chance) / (1 - chance) - 2 * (1 - value) * (by_case - chance) / (
        1 - chance
    )
    variance = float(((moved - value) ** 2).sum() / (n * (n - 1)))
    return _estimate(value, variance, n, "large-sample over cases")
