"""One set of predictions, evaluated: every metric with its interval, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hemocast.stats.cases import Cases
from hemocast.stats.discrimination.auc_limits import auc_interval
from hemocast.stats.estimate import Estimate
from hemocast.stats.metrics import METRICS, Confusion
from hemocast.stats.resampling.bootstrap import bootstrap_metrics
from hemocast.stats.resampling.weights import Resampling


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


def evaluate(cases: Cases, threshold: float, resampling: Resampling = Resampling()) -> Evaluation:
    """Evaluate one model's predictions.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    threshold : float
        At or above it a scan counts as positive; chosen beforehand, not on these scans.
    resampling : Resampling
        Of patients.

    Returns
    -------
    Evaluation
        Metrics that one class alone cannot give are NaN, with the reason in their warning.

    Raises
    ------
    StatisticsError
        A score or the threshold outside [0, 1].
    """
    result = bootstrap_metrics(cases, threshold, resampling)
    one_class = cases.n_positive in (0, cases.n)
    return Evaluation(
        n=cases.n,
        n_patients=cases.n_patients,
        n_positive=cases.n_positive,
        prevalence=float(np.mean(cases.truth)),
        threshold=float(threshold),
        confusion=result.point.confusion,
        estimates=result.estimates,
        auc_delong=result["auc"] if one_class else auc_interval(cases),
        n_resamples=resampling.n,
        n_one_class=result.n_one_class,
        seed=resampling.seed,
    )
