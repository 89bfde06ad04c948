"""Logistic regression by maximum likelihood: of one sample, and of many resamples at once."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import Float64Array

_STEPS = 100
_CLOSE = 1e-10
_FARTHEST = 1e4
_QUICK_STEPS = 25


def fit_logistic(
    design: Float64Array,
    outcome: Float64Array,
    offset: Float64Array | None = None,
    weight: Float64Array | None = None,
    ridge: float = 0.0,
) -> tuple[Float64Array, Float64Array]:
    """Maximum likelihood by Newton steps, halved when they overshoot.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        Predictors, with a column of ones where an intercept is wanted.
    outcome : ndarray, shape (n,)
        Zeros and ones, or softened targets between them.
    offset : ndarray, shape (n,), optional
        What is added to the linear predictor; nothing if left out.
    weight : ndarray, shape (n,), optional
        How often each case counts; once if left out.
    ridge : float
        Added to the diagonal of the information, for predictors that may not vary.

    Returns
    -------
    coefficients : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        Inverse of the information.

    Raises
    ------
    StatisticsError
        No finite solution: the classes are separated, or the predictors depend on each other.

    References
    ----------
    McCullagh P, Nelder JA 1989, Generalized Linear Models, 2nd ed, Chapman & Hall, section 2.5.
    """
    shift: Float64Array | float = 0.0 if offset is None else offset
    times: Float64Array | float = 1.0 if weight is None else weight

    def loss(at: Float64Array) -> float:
        eta = design @ at + shift
        return float((times * (np.logaddexp(0, eta) - outcome * eta)).sum())

    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        fitted = expit(design @ beta + shift)
        information = design.T @ (design * (times * fitted * (1 - fitted))[:, None])
        information += ridge * np.eye(beta.size)
        try:
            step = np.linalg.solve(information, design.T @ (times * (outcome - fitted)))
        except np.linalg.LinAlgError:
            break
        size = 1.0
        while loss(beta + size * step) > loss(beta) + 1e-12 and size > 1e-8:
            size /= 2
        beta = beta + size * step
        if np.abs(step).max() < _CLOSE * (1 + np.abs(beta).max()):
            return beta, np.linalg.inv(information)
        if np.abs(beta).max() > _FARTHEST:
            break
    raise StatisticsError(
        "The logistic model has no finite solution",
        "classes that overlap, and probabilities that differ",
        "Report discrimination only; calibration cannot be estimated from these cases",
    )


def fit_resamples(
    design: Float64Array, outcome: Float64Array, offset: Float64Array, weights: Float64Array
) -> Float64Array:
    """Coefficients of one logistic model in many resamples of the same cases.

    Parameters
    ----------
    design, outcome, offset
        As for `fit_logistic`.
    weights : ndarray, shape (r, n)
        How often each resample holds each case.

    Returns
    -------
    ndarray of float64, shape (r, k)
        NaN where there is no finite solution.
    """
    k = design.shape[1]
    products = np.einsum("ni,nj->nij", design, design).reshape(-1, k * k)
    found = np.full((weights.shape[0], k), np.nan)
    beta = np.zeros_like(found)
    going = np.arange(weights.shape[0])
    for _ in range(_QUICK_STEPS):
        times = weights[going]
        fitted = expit(beta[going] @ design.T + offset)
        information = ((times * fitted * (1 - fitted)) @ products).reshape(-1, k, k)
        try:
            step = np.linalg.solve(information, ((times * (outcome - fitted)) @ design)[..., None])
        except np.linalg.LinAlgError:
            break
        beta[going] += step[..., 0]
        largest = np.abs(beta[going]).max(axis=1)
        done = np.abs(step[..., 0]).max(axis=1) < _CLOSE * (1 + largest)
        found[going[done]] = beta[going[done]]
        going = going[~done & (largest < _FARTHEST)]
        if not going.size:
            break
    # Whole Newton steps overshoot now and then: those resamples take the slower way.
    for row in np.flatnonzero(np.isnan(found[:, 0])):
        try:
            found[row], _ = fit_logistic(design, outcome, offset, weights[row])
        except StatisticsError:
            continue
    return found
