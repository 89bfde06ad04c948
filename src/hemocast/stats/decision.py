"""Decision curves: what acting on a model would gain, against treating all and treating none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.estimate import FloatArray, as_labels, as_patients, as_scores, few_warning
from hemocast.stats.resample import resample_weights


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit by threshold, in true positives per case; treating none has 0 everywhere.

    Parameters
    ----------
    threshold : ndarray of float64, shape (k,)
        Probabilities at which one would act.
    model, model_low, model_high : ndarray of float64, shape (k,)
        Net benefit of acting on the model (that is, over treating none), with pointwise 95 %
        limits.
    treat_all : ndarray of float64, shape (k,)
        Net benefit of acting on everybody.
    over_all, over_all_low, over_all_high : ndarray of float64, shape (k,)
        The model's gain over treating all, with limits of that paired difference.
    n_resamples : int
        Resamples of patients behind the limits.
    warning : str or None
        Where they rest on few patients of a class.
    """

    threshold: FloatArray
    model: FloatArray
    model_low: FloatArray
    model_high: FloatArray
    treat_all: FloatArray
    over_all: FloatArray
    over_all_low: FloatArray
    over_all_high: FloatArray
    n_resamples: int
    warning: str | None = None


def decision_curve(
    label: ArrayLike,
    probability: ArrayLike,
    thresholds: ArrayLike,
    patient: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
) -> DecisionCurve:
    """Net benefit = TP/n - FP/n * t/(1 - t), with bootstrap limits from resampled patients.

    Parameters
    ----------
    label : array_like of 0/1, shape (n,)
        Outcomes. Net benefit depends on the prevalence: in a case-control sample it is not that of
        practice.
    probability : array_like, shape (n,)
        Calibrated fractions in [0, 1].
    thresholds : array_like, shape (k,)
        Each strictly between 0 and 1.
    patient : array_like, shape (n,)
        The patient of every case.
    n_resamples, seed : int
        For the limits.

    Raises
    ------
    StatisticsError
        Thresholds outside (0, 1), or labels, probabilities or patients that cannot be used.

    References
    ----------
    Vickers AJ, Elkin EB 2006, Med Decis Making 26:565-574, 10.1177/0272989X06295361.
    """
    truth = as_labels(label)
    probabilities = as_scores(probability, truth.size, probability=True)
    index, n_patients = as_patients(patient, truth.size)
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if at.ndim != 1 or not bool(((at > 0) & (at < 1)).all()):
        raise StatisticsError(
            "Some thresholds are not strictly between 0 and 1",
            "probabilities at which one would act",
            "Leave out 0 and 1: nobody acts on impossibility or waits for certainty",
        )
    odds = at / (1 - at)
    benefit = np.where(truth[:, None], 1.0, -odds[None, :])
    acted = benefit * (probabilities[:, None] >= at[None, :])
    columns = np.concatenate([acted, benefit, np.ones((truth.size, 1))], axis=1)
    by_patient = np.zeros((n_patients, columns.shape[1]))
    np.add.at(by_patient, index, columns)
    k = at.size
    drawn = []
    rng = np.random.default_rng(seed)
    for weights in resample_weights(n_patients, n_resamples, rng, columns.shape[1]):
        sums = weights @ by_patient
        drawn.append(sums[:, : 2 * k] / sums[:, -1:])
    resampled = np.concatenate(drawn)
    over = resampled[:, :k] - resampled[:, k:]
    model_low, model_high = np.quantile(resampled[:, :k], [0.025, 0.975], axis=0)
    over_low, over_high = np.quantile(over, [0.025, 0.975], axis=0)
    model, everybody = acted.mean(axis=0), benefit.mean(axis=0)
    return DecisionCurve(
        threshold=at,
        model=model,
        model_low=model_low,
        model_high=model_high,
        treat_all=everybody,
        over_all=model - everybody,
        over_all_low=over_low,
        over_all_high=over_high,
        n_resamples=n_resamples,
        warning=few_warning(min(np.unique(index[truth]).size, np.unique(index[~truth]).size)),
    )
