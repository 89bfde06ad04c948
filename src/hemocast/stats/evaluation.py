"""One set of predictions, evaluated: every metric with its interval, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.stats.discrimination.auc_limits import auc_interval
from hemocast.stats.estimate import Estimate, as_labels, as_patients
from hemocast.stats.metrics import METRICS, Confusion
from hemocast.stats.resampling.bootstrap import bootstrap_metrics


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Parameters
    ----------
    n, n_patients, n_positive : int
        Scans, patients, and scans with the outcome.
    prevalence : float
        `n_positive` / `n`.
    threshold : float
        At or above it a scan counts as positive.
    confusion : Confusion
        The cells at `threshold`.
    estimates : tuple of Estimate
        In the order of `METRICS`, with 95 % intervals from resampled patients.
    auc_delong : Estimate
        The AUC with a DeLong interval (clustered where patients have several scans), to set beside
        the bootstrap's.
    n_resamples, n_one_class, seed : int
        Resamples drawn, those of them with one class only, and the seed.
    """

    n: int
    n_patients: int
    n_positive: int
    prevalence: float
    threshold: float
    confusion: Confusion
    estimates: tuple[Estimate, ...]
    auc_delong: Estimate
    n_resamples: int
    n_one_class: int
    seed: int

    def __getitem__(self, metric: str) -> Estimate:
        """Return one metric by its name in `METRICS`."""
        return self.estimates[METRICS.index(metric)]

    def items(self) -> Iterator[tuple[str, Estimate]]:
        """Go through names and estimates in the order of `METRICS`."""
        return zip(METRICS, self.estimates, strict=True)


def evaluate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: ArrayLike,
    threshold: float,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """Evaluate one model's predictions.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n,)
        Outcomes, one per scan.
    probabilities : array_like, shape (n,)
        Fractions in [0, 1].
    patients : array_like, shape (n,)
        The patient of every scan.
    threshold : float
        At or above it a scan counts as positive; chosen beforehand, not on these scans.
    n_resamples, seed : int
        For the bootstrap.

    Returns
    -------
    Evaluation
        Metrics that one class alone cannot give are NaN, with the reason in their warning.

    Raises
    ------
    StatisticsError
        Labels, probabilities, patients or a threshold that cannot be used.
    """
    result = bootstrap_metrics(labels, probabilities, threshold, patients, n_resamples, seed)
    truth = as_labels(labels)
    _, n_patients = as_patients(patients, truth.size)
    try:
        grouped = patients if n_patients < truth.size else None
        auc_delong = auc_interval(truth, probabilities, grouped)
    except StatisticsError:
        auc_delong = result["auc"]
    return Evaluation(
        n=truth.size,
        n_patients=n_patients,
        n_positive=int(truth.sum()),
        prevalence=float(np.mean(truth)),
        threshold=float(threshold),
        confusion=result.point.confusion,
        estimates=result.estimates,
        auc_delong=auc_delong,
        n_resamples=n_resamples,
        n_one_class=result.n_one_class,
        seed=seed,
    )
