"""Models compared with one of them on the same fresh patients, their seeds averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hemocast.pipeline.benchmark.data import FreshPatients
from hemocast.stats import Resampling, holm
from hemocast.stats.discrimination.expected import KnownRisks
from hemocast.stats.estimate import Float64Array
from hemocast.stats.resampling.limits import p_of_zero, percentile_limits

COLUMNS = ("first", "second", "metric", "difference", "low", "high", "p", "p_holm")


@dataclass(frozen=True)
class Contrast:
    """One model minus another.

    Parameters
    ----------
    first, second : str
        Models.
    metric : str
        ``soft_auc`` (outcomes drawn from the true image risk) or ``auc`` (the outcomes there were;
        every patient counts once).
    difference, low, high : float
        Mean over the seeds of the first minus that of the second, with 95 % limits from resampled
        patients. The limits say nothing of what other seeds would give.
    p, p_holm : float
        Two-sided; adjusted over the models, within a metric (Holm 1979).
    """

    first: str
    second: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float = float("nan")


def compare_with(
    reference: str,
    scores: Mapping[str, Sequence[Float64Array]],
    fresh: FreshPatients,
    resampling: Resampling,
) -> tuple[Contrast, ...]:
    """Compare every other model with one.

    Parameters
    ----------
    reference : str
        A key of `scores`.
    scores : mapping of str to sequence of ndarray, each shape (n,)
        Every model's probabilities, one array a seed.
    fresh : FreshPatients
        Of the same scans.
    resampling : Resampling
        Of patients; the same for all.
    """
    cases = fresh.cases
    times = np.concatenate([np.ones((1, cases.n_patients)), *resampling.draw(cases, cases.n)])
    outcome = np.zeros(cases.n_patients)
    outcome[cases.patient] = cases.truth
    found: list[Contrast] = []
    for metric, risk in (("soft_auc", fresh.image_risk), ("auc", outcome)):
        known = KnownRisks(risk, cases.patient)
        mean = {
            name: np.mean([known.auc(one, times) for one in seeds], axis=0)
            for name, seeds in scores.items()
        }
        made = []
        for name in scores:
            if name == reference:
                continue
            apart = mean[name] - mean[reference]
            drawn = apart[1:][np.isfinite(apart[1:])]
            low, high = percentile_limits(drawn)
            p = p_of_zero(float(apart[0]), drawn)
            made.append(
                Contrast(name, reference, metric, float(apart[0]), float(low), float(high), p)
            )
        adjusted = holm([one.p for one in made]).tolist() if made else []
        found += [replace(one, p_holm=p) for one, p in zip(made, adjusted, strict=True)]
    return tuple(found)
