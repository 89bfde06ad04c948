"""Calibration of one model: groups, a smooth curve with its band, and measures with intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import CalibrationGroup, CalibrationPart
from hemocast.stats import (
    Calibration,
    Cases,
    Estimate,
    Resampling,
    calibration_curve,
    measure_calibration,
    wilson,
)

MOST_FOR_CURVE = 4_000
"""A smooth curve takes time with the square of the scans: of more, a random part is used."""
_MOST_RESAMPLES = 500
_CURVE_POINTS = 200
_SCANS_PER_GROUP = 30
_LINE = ("calibration_in_the_large", "calibration_slope")
_INDEPENDENT = "takes scans of one patient as independent"


def evaluate_calibration(cases: Cases, resampling: Resampling) -> CalibrationPart:
    """Measure the calibration of one model.

    Parameters
    ----------
    cases : Cases
        Of the model.
    resampling : Resampling
        Of patients; at most 500 resamples are drawn.

    Returns
    -------
    CalibrationPart
        With more than `MOST_FOR_CURVE` scans all but the groups is that of a random part of them,
        and says so.
    """
    groups, part = _groups(cases), cases
    notes: list[str] = []
    if cases.n > MOST_FOR_CURVE:
        rng = np.random.default_rng(resampling.seed)
        part = cases.part(np.sort(rng.choice(cases.n, MOST_FOR_CURVE, replace=False)))
        notes.append(f"from a random {MOST_FOR_CURVE} of {cases.n} scans")
    fewer = replace(resampling, n=min(resampling.n, _MOST_RESAMPLES))
    try:
        return _with_band(calibration_curve(part, fewer), groups, notes, part.clustered)
    except StatisticsError as error:
        unsure = error.seen
    try:
        found = measure_calibration(part)
    except StatisticsError as error:
        none = np.empty(0)
        return CalibrationPart((), groups, none, none, f"{error.seen}; expected {error.expected}")
    return _without_band(found, groups, notes, part.clustered, unsure)


def _with_band(
    found: Calibration, groups: tuple[CalibrationGroup, ...], notes: list[str], clustered: bool
) -> CalibrationPart:
    """Wald for the line of independent scans, resampled patients for all else."""
    wald = found.measured or found
    independent = [*notes, *([_INDEPENDENT] if clustered else [])]
    pairs = [
        (name, (one.noted(*independent), resampled.noted(*notes)))
        for name, one, resampled in zip(
            _LINE, (wald.in_the_large, wald.slope), (found.in_the_large, found.slope), strict=True
        )
    ]
    return CalibrationPart(
        metrics=(
            *((name, pair[clustered]) for name, pair in pairs),
            *((name, value.noted(*notes)) for name, value in _distances(found)),
        ),
        groups=groups,
        at=found.at,
        curve=found.curve,
        low=found.low,
        high=found.high,
        others=tuple((name, pair[not clustered]) for name, pair in pairs),
    )


def _without_band(
    found: Calibration,
    groups: tuple[CalibrationGroup, ...],
    notes: list[str],
    clustered: bool,
    unsure: str,
) -> CalibrationPart:
    independent = [*notes, *([_INDEPENDENT] if clustered else [])]
    why = "; ".join([*notes, f"no interval: {unsure[0].lower()}{unsure[1:]}"])
    lines = zip(_LINE, (found.in_the_large, found.slope), strict=True)
    order = np.argsort(found.at, kind="stable")
    thinned = order[np.linspace(0, order.size - 1, min(_CURVE_POINTS, order.size)).astype(int)]
    return CalibrationPart(
        metrics=(
            *((name, one.noted(*independent)) for name, one in lines),
            *((name, replace(one, warning=why)) for name, one in _distances(found)),
        ),
        groups=groups,
        at=found.at[thinned],
        curve=found.curve[thinned],
    )


def _distances(found: Calibration) -> tuple[tuple[str, Estimate], ...]:
    return ("ici", found.ici), ("e50", found.e50), ("e90", found.e90), ("emax", found.emax)


def _groups(cases: Cases) -> tuple[CalibrationGroup, ...]:
    """Groups of about equal size, never dividing scans of equal probability: at most ten."""
    probability = cases.score
    wanted = min(10, max(1, cases.n // _SCANS_PER_GROUP))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="right")
    groups = []
    for group in np.unique(which):
        mine = which == group
        n, hits = int(mine.sum()), int(cases.truth[mine].sum())
        groups.append(
            CalibrationGroup(n, float(probability[mine].mean()), hits / n, *wilson(hits, n))
        )
    return tuple(groups)
