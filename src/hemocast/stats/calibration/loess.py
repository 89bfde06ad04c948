"""The smooth calibration curve: loess, of one sample and of many resamples at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array

_SPAN = 0.75
_CELLS_AT_ONCE = 1 << 21
_HANKEL = np.arange(3)[:, None] + np.arange(3)
"""Where the normal equations of a quadratic have the moments of their predictor."""


def smooth(x: ArrayLike, y: ArrayLike, span: float = _SPAN) -> Float64Array:
    """Local quadratic regression with tricube weights, computed at every x.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Predictor and response.
    span : float
        Share of the cases that each local fit sees.

    Returns
    -------
    ndarray of float64, shape (n,)
        Fitted values, in the order of `x`.

    Raises
    ------
    StatisticsError
        Too few cases or different values of x for a quadratic fit.

    References
    ----------
    Cleveland WS, Devlin SJ 1988, J Am Stat Assoc 83:596-610, 10.1080/01621459.1988.10478639.
    """
    at, response = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n = at.size
    neighbours = int(n * span + 1e-5)
    if neighbours < 4 or np.unique(at).size < 5:
        raise StatisticsError(
            f"{n} cases with {np.unique(at).size} different probabilities",
            "at least six cases and five different probabilities for a smooth curve",
            "Report groups instead of a curve",
        )
    fitted = np.empty(n)
    part = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, n, part):
        fitted[start : start + part] = local_quadratic(
            at, response, at[start : start + part], neighbours
        )
    return fitted


def local_quadratic(
    x: Float64Array, y: Float64Array, at: Float64Array, neighbours: int
) -> Float64Array:
    """Local quadratic fits with tricube weights at several points.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Predictor and response.
    at : ndarray, shape (k,)
        Where to fit.
    neighbours : int
        Cases that each fit sees.

    Returns
    -------
    ndarray of float64, shape (k,)

    Raises
    ------
    StatisticsError
        So many equal values of x that a neighbourhood has no width.
    """
    offset = x[None, :] - at[:, None]
    distance = np.abs(offset)
    reach = np.partition(distance, neighbours - 1, axis=1)[:, neighbours - 1]
    if not reach.all():
        raise no_width()
    share = distance / reach[:, None]
    weights = np.where(share < 1, (1 - np.minimum(share, 1) ** 3) ** 3, 0)
    scaled = offset / reach[:, None]
    powers = np.stack([np.ones_like(scaled), scaled, scaled**2])
    normal = np.einsum("ikn,kn,jkn->kij", powers, weights, powers)
    right = np.einsum("ikn,kn,n->ki", powers, weights, y)
    # A pseudo-inverse: with ties a neighbourhood may hold fewer than three values of x.
    solved = np.einsum("kij,kj->ki", np.linalg.pinv(normal, hermitian=True), right)
    return np.asarray(solved[:, 0])


def no_width() -> StatisticsError:
    """Return the refusal of probabilities so equal that a neighborhood has no width."""
    return StatisticsError(
        "Most probabilities are the same",
        "probabilities that differ",
        "Report groups instead of a curve",
    )


def weighted_curves(
    outcome: Float64Array, chances: Float64Array, at: Float64Array, weights: Float64Array
) -> Float64Array:
    """`local_quadratic` of every resample at some points, without copies.

    At one point the cases are in the same order of distance in all resamples: cumulative weights
    tell how far each one's neighborhood reaches.

    Parameters
    ----------
    outcome, chances : ndarray, shape (n,)
        Response and predictor.
    at : ndarray, shape (k,)
        Where to fit.
    weights : ndarray, shape (r, n)
        How often each resample holds each case.

    Returns
    -------
    ndarray of float64, shape (r, k)
        NaN where so many cases lie at the point that its neighborhood has no width.
    """
    total = weights.sum(axis=1)
    neighbours = np.floor(total * _SPAN + 1e-5)[:, None]
    moments = np.empty((total.size, at.size, 8))
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, point in enumerate(at):
            order = np.argsort(np.abs(chances - point), kind="stable")
            offset, drawn = chances[order] - point, weights[:, order]
            last = (np.cumsum(drawn, axis=1) >= neighbours).argmax(axis=1)
            reach = np.abs(offset[last])[:, None]
            kernel = np.abs(offset) / reach
            np.minimum(kernel, 1, out=kernel)
            kernel *= kernel * kernel
            np.subtract(1, kernel, out=kernel)
            kernel *= kernel * kernel * drawn
            powers = offset[:, None] ** np.arange(5)
            basis = np.hstack([powers, powers[:, :3] * outcome[order][:, None]])
            scale = reach ** np.array([0, 1, 2, 3, 4, 0, 1, 2])
            moments[:, k] = kernel @ basis / scale
    curves = np.full(moments.shape[:2], np.nan)
    known = np.isfinite(moments).all(axis=2)
    normal = moments[known][:, _HANKEL]
    solved = np.linalg.pinv(normal, hermitian=True)[:, 0]
    curves[known] = np.einsum("kj,kj->k", solved, moments[known][:, 5:])
    return curves
