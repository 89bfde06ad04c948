"""A calibration brought up to date with local patients, changed no more than they call for."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.model.calibrate import Calibration, fit_calibration, threshold_for

Floats = NDArray[np.float64]
LEVEL = 0.05
"""Of each test."""


class Change(StrEnum):
    """How much of a calibration was changed."""

    KEPT = "kept"
    MOVED = "moved"
    REFITTED = "refitted"


def recalibrate(
    calibration: Calibration,
    logit: ArrayLike,
    label: ArrayLike,
    patient: ArrayLike,
    sensitivity: float | None = None,
) -> tuple[Calibration, Change]:
    """Keep, move or refit a calibration, by a closed test (Vergouwe et al. 2017, 10.1002/sim.7179).

    The curve is refitted only where likelihood ratio tests at the 5 % level prefer a new slope and
    intercept both to the old curve and to a new intercept alone; where only the former is rejected,
    all log odds are moved by the same amount; else it stays. An isotonic curve follows where
    `fit_calibration` chooses it. Label sets are always learned anew.

    Parameters
    ----------
    calibration : Calibration
        The model's own.
    logit : array-like of float, shape (n,)
        What its network gave for scans of patients it never learned from.
    label : array-like of int, shape (n,)
        1 HT, 0 no HT.
    patient : array-like, shape (n,)
        Whose scan each is.
    sensitivity : float, optional
        Choose the threshold for it; else the prevalence is the threshold where anything changed.

    Raises
    ------
    StatisticsError
        A class is missing, or a logit is not a number.
    """
    _, people, scans = np.unique(patient, return_inverse=True, return_counts=True)
    x, y, w = np.asarray(logit, np.float64), np.asarray(label, np.float64), 1 / scans[people]
    fitted = fit_calibration(y, x, w, people)
    change, by = _choose(calibration, y, x, w)
    if change is Change.REFITTED:
        new = fitted
    else:
        new = replace(
            calibration,
            label_sets=fitted.label_sets,
            n_scans=fitted.n_scans,
            n_patients=fitted.n_patients,
        )
        if change is Change.MOVED:
            new = replace(
                new.moved(by), prevalence=fitted.prevalence, threshold=fitted.threshold,
                covariance=_about(calibration, x, w),
            )  # fmt: skip
    if sensitivity is not None:
        said = [new.probability(one) for one in x]
        new = replace(
            new, threshold=threshold_for(sensitivity, said, y, w), sensitivity=sensitivity
        )
    return new, change


def _choose(calibration: Calibration, y: Floats, x: Floats, w: Floats) -> tuple[Change, float]:
    """Test; return what to change, and by how much the log odds move where they only move."""
    from scipy.stats import chi2

    from hemocast.stats.calibration.logistic import fit_logistic

    p = np.clip([calibration.probability(one) for one in x], 1e-9, 1 - 1e-9)
    line = np.log(p / (1 - p))
    ones = np.ones((len(x), 1))
    moved, _ = fit_logistic(ones, y, line, w)
    # On the standardised line, and held a little, so that separated classes have a solution.
    spread = float(line.std()) or 1.0
    design = np.hstack([ones, (line - line.mean())[:, None] / spread])
    bent, _ = fit_logistic(design, y, weight=w, ridge=1e-3)

    def likelihood(eta: Floats) -> float:
        return -float((w * (np.logaddexp(0, eta) - y * eta)).sum())

    free = likelihood(design @ bent)
    if 2 * (free - likelihood(line)) <= chi2.ppf(1 - LEVEL, 2):
        return Change.KEPT, 0.0
    if 2 * (free - likelihood(line + moved[0])) <= chi2.ppf(1 - LEVEL, 1):
        return Change.MOVED, float(moved[0])
    return Change.REFITTED, 0.0


def _about(
    calibration: Calibration, x: Floats, w: Floats
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Covariance of the old slope with a new intercept: the line turns about the local mean."""
    vss = calibration.covariance[0][0]
    mean = float(np.average(x, weights=w))
    p = np.array([calibration.probability(one) for one in x])
    information = max(float((w * p * (1 - p)).sum()), 1e-9)
    return (vss, -vss * mean), (-vss * mean, vss * mean**2 + 1 / information)
