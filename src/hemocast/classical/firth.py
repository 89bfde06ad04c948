"""Logistic regression with few events: Firth's bias-reduced likelihood, its mean risk restored."""

from __future__ import annotations

import numpy as np

from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import expit
from hemocast.errors import StatisticsError

_STEPS = 200
_CLOSE = 1e-9
_LONGEST = 5.0
"""A Newton step changes no coefficient by more: with rare events the first are far too long."""


def fit_firth(design: Float64Array, outcome: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Maximise the likelihood times the root of the information's determinant.

    Finite also where the classes are separated.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        Predictors, with a column of ones where an intercept is wanted.
    outcome : ndarray, shape (n,)
        Zeros and ones.

    Returns
    -------
    coefficients : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        Inverse of the information there.

    Raises
    ------
    StatisticsError
        Predictors that depend on each other, or no end of the steps.

    References
    ----------
    Firth D 1993, Biometrika 80:27-38, 10.1093/biomet/80.1.27. Heinze G, Schemper M 2002, Stat Med
    21:2409-2419, 10.1002/sim.1047.
    """
    beta = np.zeros(design.shape[1])
    if np.linalg.matrix_rank(design) < beta.size:
        raise StatisticsError(
            f"The {beta.size} predictors depend on each other",
            "predictors none of which follows from the others",
            "Leave some out",
        )
    value, information, fitted = _likelihood(design, outcome, beta)
    for _ in range(_STEPS):
        covariance = np.linalg.inv(information)
        weight = fitted * (1 - fitted)
        leverage = weight * np.einsum("ij,jk,ik->i", design, covariance, design, optimize=True)
        score = design.T @ (outcome - fitted + leverage * (0.5 - fitted))
        step = covariance @ score
        step *= min(1.0, _LONGEST / np.abs(step).max()) if step.any() else 1.0
        if np.abs(step).max() < _CLOSE * (1 + np.abs(beta).max()):
            return beta, np.asarray(covariance)
        for _ in range(40):
            tried = _likelihood(design, outcome, beta + step)
            if tried[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta = beta + step
        value, information, fitted = tried
    raise StatisticsError(
        "Firth's regression does not converge", "predictors of similar size", "Standardise them"
    )


def restore_mean(design: Float64Array, outcome: Float64Array, beta: Float64Array) -> Float64Array:
    """Move the intercept (column 0) until the mean risk is the share of events again.

    Firth's likelihood draws risks towards 1/2: with k predictors it adds about k/2 events, which
    is no small matter where there are 24. This is FLIC.

    Parameters
    ----------
    design, outcome
        As for `fit_firth`.
    beta : ndarray, shape (k,)
        Its coefficients.

    References
    ----------
    Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A 2017, Stat Med 36:2302-2317, 10.1002/sim.7273.
    """
    from hemocast.stats.calibration.logistic import fit_logistic  # predicts without

    (shift,), _ = fit_logistic(np.ones((len(outcome), 1)), outcome, design @ beta)
    moved = beta.copy()
    moved[0] += shift
    return moved


def _likelihood(
    design: Float64Array, outcome: Float64Array, beta: Float64Array
) -> tuple[float, Float64Array, Float64Array]:
    """Penalised log likelihood, information and risks."""
    eta = design @ beta
    fitted = expit(eta)
    information = design.T @ (design * (fitted * (1 - fitted))[:, None])
    sign, determinant = np.linalg.slogdet(information)
    plain = float((outcome * eta - np.logaddexp(0, eta)).sum())
    return (plain + determinant / 2 if sign > 0 else -np.inf), information, fitted
