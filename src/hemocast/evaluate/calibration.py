"""Calibration of one model: groups, a smooth curve with its band, and measures with intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import CalibrationPart
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
    groups, part, note = _groups(cases), cases, None
    if cases.n > MOST_FOR_CURVE:
        rng = np.random.default_rng(resampling.seed)
        part = cases.part(np.sort(rng.choice(cases.n, MOST_FOR_CURVE, replace=False)))
        note = f"from a random {MOST_FOR_CURVE} of {cases.n} scans"
    fewer = replace(resampling, n=min(resampling.n, _MOST_RESAMPLES))
    unsure = None
    try:
        found = calibration_curve(part, fewer)
    except StatisticsError as error:
        unsure = error.seen
        try:
            found = measure_calibration(part)
        except StatisticsError as why:
            none = np.empty(0)
            return CalibrationPart((), groups, none, none, f"{why.seen}; expected {why.expected}")
    return _part(found, groups, note, _INDEPENDENT if part.clustered else None, unsure)


def _part(
    found: Calibration,
    groups: tuple[tuple[float, Estimate], ...],
    note: str | None,
    independent: str | None,
    unsure: str | None,
) -> CalibrationPart:
    """Wald for the line of independent scans, resampled patients for all else where they serve."""
    wald = found.measured or found
    lines = [
        (name, one.noted(note, independent), drawn.noted(note))
        for name, one, drawn in (
            ("calibration_in_the_large", wald.in_the_large, found.in_the_large),
            ("calibration_slope", wald.slope, found.slope),
        )
    ]
    distances = [
        (name, value.noted(note))
        for name, value in (
            ("ici", found.ici), ("e50", found.e50), ("e90", found.e90), ("emax", found.emax)
        )
    ]  # fmt: skip
    at, curve = found.at, found.curve
    if unsure is not None:
        why = "; ".join(filter(None, [note, f"no interval: {unsure[0].lower()}{unsure[1:]}"]))
        distances = [(name, replace(value, warning=why)) for name, value in distances]
        order = np.argsort(at, kind="stable")
        chosen = order[np.linspace(0, at.size - 1, min(_CURVE_POINTS, at.size)).astype(int)]
        at, curve = at[chosen], curve[chosen]
    clustered = independent is not None and unsure is None
    return CalibrationPart(
        metrics=(
            *((name, drawn if clustered else one) for name, one, drawn in lines),
            *distances,
        ),
        groups=groups,
        at=at,
        curve=curve,
        low=found.low,
        high=found.high,
        others=tuple(
            (name, one if clustered else drawn) for name, one, drawn in lines if unsure is None
        ),
    )


def _groups(cases: Cases) -> tuple[tuple[float, Estimate], ...]:
    """Groups of about equal size, never dividing scans of equal probability: at most ten."""
    probability = cases.score
    wanted = min(10, max(1, cases.n // _SCANS_PER_GROUP))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="right")
    groups = []
    for group in np.unique(which):
        mine = which == group
        n, hits = int(mine.sum()), int(cases.truth[mine].sum())
        observed = Estimate(hits / n, *wilson(hits, n), "Wilson", n)
        groups.append((float(probability[mine].mean()), observed))
    return tuple(groups)
