"""One line of the table: every metric of one model and seed on the fresh patients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.pipeline.benchmark.data import FreshPatients, Scored
from hemocast.pipeline.benchmark.entries import Entry
from hemocast.pipeline.network_map import PEAK, SHARE
from hemocast.stats import Cases, Estimate, Resampling, evaluate
from hemocast.stats.calibration.logistic import fit_logistic, fit_resamples
from hemocast.stats.discrimination.expected import share_of_ceiling
from hemocast.stats.estimate import Float64Array
from hemocast.stats.resampling.limits import percentile_limits

COUNTED = ("accuracy", "sensitivity", "ppv", "specificity", "f1", "macro_f1", "auc", "brier")
"""From outcomes."""

SOFT_AUC, SOFT_SHARE, SLOPE = "soft_auc", "soft_share", "calibration_slope"
METRICS = (*COUNTED, SLOPE, SOFT_AUC, SOFT_SHARE)
"""All, in the order of the table; the soft ones from the true risk given the image."""

FACTS = (
    "model", "seed", "patients", "scans", "threshold", "called_positive", "epochs", "parameters",
    "cpu_seconds",
)  # fmt: skip
MAPS = (PEAK, SHARE)
"""Of heatmaps; not of every row."""
COLUMNS = (*FACTS, *(name + end for name in (*METRICS, *MAPS) for end in ("", "_low", "_high")))
"""Of ``benchmark.csv``."""


@dataclass(frozen=True)
class Row:
    """What one model with one seed reached.

    Parameters
    ----------
    model, seed : str, int or None
        Which.
    settings : str
        `Entry.settings`.
    patients, scans : int
        Fresh ones.
    threshold, called_positive : float
        Where a scan counts as positive, and the share of scans that do.
    epochs, parameters, cpu_seconds : int or float or None
        As in `Scored`.
    estimates : mapping of str to Estimate
        By the names in `METRICS`, and those in `MAPS` where there are heatmaps.
    """

    model: str
    seed: int | None
    settings: str
    patients: int
    scans: int
    threshold: float
    called_positive: float
    epochs: int | None
    parameters: int | None
    cpu_seconds: float | None
    estimates: Mapping[str, Estimate]

    @property
    def label(self) -> str:
        """Model and seed in one, for files and for ``predictions.csv``."""
        return label_of(self.model, self.seed)

    def cells(self) -> dict[str, object]:
        """Return the line of ``benchmark.csv``; what is not known stays empty."""
        line: dict[str, object] = dict.fromkeys(COLUMNS)
        line |= {name: getattr(self, name) for name in FACTS}
        for name, one in self.estimates.items():
            values = (one.value, one.ci_low, one.ci_high)
            for end, value in zip(("", "_low", "_high"), values, strict=True):
                line[name + end] = None if math.isnan(value) else round(value, 6)
        return line

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it: NaN as null."""
        return vars(self) | {
            "estimates": {
                name: {k: _or_none(v) for k, v in asdict(one).items()}
                for name, one in self.estimates.items()
            }
        }

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> Self:
        """Return what `plain` gave."""
        unknown = dict.fromkeys(_NUMBERS, math.nan)
        estimates = {
            name: Estimate(**unknown | {k: v for k, v in one.items() if v is not None})
            for name, one in content["estimates"].items()
        }
        return cls(**{**content, "estimates": estimates})


_NUMBERS = ("value", "ci_low", "ci_high")


def _or_none(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def label_of(model: str, seed: int | None) -> str:
    """Name a row."""
    return model if seed is None else f"{model} (seed {seed})"


def measure(entry: Entry, scored: Scored, fresh: FreshPatients, resampling: Resampling) -> Row:
    """Hold a model's probabilities against the fresh patients' outcomes and true risks.

    Parameters
    ----------
    entry : Entry
        Whose they are.
    scored : Scored
        The probabilities.
    fresh : FreshPatients
        Of the same scans.
    resampling : Resampling
        Of patients, the same for every model.
    """
    outcomes = fresh.cases
    cases = Cases(outcomes.truth, scored.probability, fresh.table.participant_id)
    found = evaluate(cases, scored.threshold, resampling)
    times = np.concatenate([np.ones((1, cases.n_patients)), *resampling.draw(cases, cases.n)])
    known = fresh.known()
    soft = known.auc(scored.probability, times)
    best = known.auc(outcomes.score, times)
    low, high = percentile_limits(soft[1:])
    soft_auc = Estimate(float(soft[0]), float(low), float(high), "bootstrap of patients", cases.n)
    return Row(
        entry.name, entry.seed, entry.settings, cases.n_patients, cases.n,
        round(scored.threshold, 6), float(np.mean(scored.probability >= scored.threshold)),
        scored.epochs, scored.parameters, scored.cpu_seconds,
        {name: found[name] for name in COUNTED}
        | {
            SLOPE: _slope(cases, times[1:]),
            SOFT_AUC: soft_auc,
            SOFT_SHARE: share_of_ceiling(soft, best, cases.n),
        }
        | dict(scored.maps),
    )  # fmt: skip


def _slope(cases: Cases, times: Float64Array) -> Estimate:
    """Slope of the outcome on the logit of the probability, with resampled patients.

    Cox 1958, 10.1093/biomet/45.3-4.562.
    """
    probability, n = cases.score, cases.n
    if np.ptp(probability) == 0 or not 0 < probability.min() <= probability.max() < 1:
        return Estimate.bare(math.nan, n, "undefined: one probability for all, or one of 0 or 1")
    logit = np.log(probability / (1 - probability))
    design = np.stack([np.ones(n), logit], 1)
    outcome = cases.truth.astype(float)
    try:
        value = float(fit_logistic(design, outcome)[0][1])
    except StatisticsError as error:
        return Estimate.bare(math.nan, n, f"undefined: {error.seen}")
    slopes = fit_resamples(design, outcome, np.zeros(n), times[:500][:, cases.patient])[:, 1]
    slopes = slopes[np.isfinite(slopes)]
    if slopes.size < len(times[:500]) / 2:
        return Estimate.bare(value, n, "too few resamples have a slope")
    low, high = percentile_limits(slopes)
    return Estimate(value, float(low), float(high), "bootstrap of patients", n)
