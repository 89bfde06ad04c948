"""Calibration of one model: groups, a smooth curve with its band, and measures with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.result import CalibrationGroup, CalibrationPart
from hemocast.stats import Calibration, Estimate, calibration_curve, measure_calibration, wilson
from hemocast.stats.estimate import BoolArray, FloatArray, IntArray

MOST_FOR_CURVE = 4_000
"""A smooth curve takes time with the square of the scans: of more, a random part is used."""
_MOST_RESAMPLES = 500
_CURVE_POINTS = 200
_SCANS_PER_GROUP = 30


def evaluate_calibration(
    label: BoolArray, probability: FloatArray, patient: IntArray, *, n_resamples: int, seed: int
) -> CalibrationPart:
    """Measure the calibration of one model.

    Parameters
    ----------
    label : ndarray of bool, shape (n,)
        Outcomes.
    probability : ndarray of float64, shape (n,)
        Fractions in [0, 1].
    patient : ndarray of int64, shape (n,)
        The patient of every scan.
    n_resamples, seed : int
        Of the bootstrap of patients; at most 500 resamples are drawn.

    Returns
    -------
    CalibrationPart
        With more than `MOST_FOR_CURVE` scans all but the groups is that of a random part of them,
        and says so.
    """
    groups = _groups(label, probability)
    chosen: IntArray | slice = slice(None)
    notes: list[str] = []
    if label.size > MOST_FOR_CURVE:
        drawn = np.random.default_rng(seed).choice(label.size, MOST_FOR_CURVE, replace=False)
        chosen = np.sort(drawn)
        notes.append(f"from a random {MOST_FOR_CURVE} of {label.size} scans")
    truth, chance, own = label[chosen], probability[chosen], patient[chosen]
    resamples = min(n_resamples, _MOST_RESAMPLES)
    try:
        return _with_band(truth, chance, own, groups, notes, resamples, seed)
    except StatisticsError as error:
        unsure = error.seen
    try:
        measured = measure_calibration(truth, chance)
    except StatisticsError as error:
        none = np.empty(0)
        return CalibrationPart((), groups, none, none, f"{error.seen}; expected {error.expected}")
    return _without_band(measured, truth, chance, own, groups, notes, unsure)


def _with_band(
    label: BoolArray,
    probability: FloatArray,
    patient: IntArray,
    groups: tuple[CalibrationGroup, ...],
    notes: list[str],
    n_resamples: int,
    seed: int,
) -> CalibrationPart:
    """Wald for the line of independent scans, resampled patients for all else."""
    found = calibration_curve(label, probability, patient, n_resamples, seed)
    lines = {
        "calibration_in_the_large": (found.measured.in_the_large, found.in_the_large),
        "calibration_slope": (found.measured.slope, found.slope),
    }
    several = _several(patient)
    metrics, others = [], []
    for name, (wald, resampled) in lines.items():
        independent = _noted(wald, [*notes, *_clustered(patient)])
        pair = (independent, _noted(resampled, notes))
        metrics.append((name, pair[several]))
        others.append((name, pair[not several]))
    metrics += [
        (name, _noted(value, notes))
        for name, value in (
            ("ici", found.ici),
            ("e50", found.e50),
            ("e90", found.e90),
            ("emax", found.emax),
        )
    ]
    return CalibrationPart(
        metrics=tuple(metrics),
        groups=groups,
        at=found.probability,
        curve=found.curve,
        low=found.low,
        high=found.high,
        others=tuple(others),
    )


def _without_band(
    measured: Calibration,
    label: BoolArray,
    probability: FloatArray,
    patient: IntArray,
    groups: tuple[CalibrationGroup, ...],
    notes: list[str],
    unsure: str,
) -> CalibrationPart:
    nan = float("nan")
    lines = (
        ("calibration_in_the_large", measured.in_the_large),
        ("calibration_slope", measured.slope),
    )
    distances = (
        ("ici", measured.ici),
        ("e50", measured.e50),
        ("e90", measured.e90),
        ("emax", measured.emax),
    )
    why = "; ".join([*notes, f"no interval: {unsure[0].lower()}{unsure[1:]}"])
    order = np.argsort(probability, kind="stable")
    thinned = order[np.linspace(0, order.size - 1, min(_CURVE_POINTS, order.size)).astype(int)]
    return CalibrationPart(
        metrics=(
            *((name, _noted(one, [*notes, *_clustered(patient)])) for name, one in lines),
            *((name, Estimate(x, nan, nan, "none", label.size, why)) for name, x in distances),
        ),
        groups=groups,
        at=probability[thinned],
        curve=measured.curve[thinned],
    )


def _several(patient: IntArray) -> bool:
    return bool(np.unique(patient).size < patient.size)


def _clustered(patient: IntArray) -> list[str]:
    return ["takes scans of one patient as independent"] if _several(patient) else []


def _noted(estimate: Estimate, notes: Iterable[str]) -> Estimate:
    own = [estimate.warning] if estimate.warning else []
    return replace(estimate, warning="; ".join([*own, *notes]) or None)


def _groups(label: BoolArray, probability: FloatArray) -> tuple[CalibrationGroup, ...]:
    """Groups of about equal size, never dividing scans of equal probability: at most ten."""
    wanted = min(10, max(1, label.size // _SCANS_PER_GROUP))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="right")
    groups = []
    for group in np.unique(which):
        mine = which == group
        n, hits = int(mine.sum()), int(label[mine].sum())
        groups.append(
            CalibrationGroup(n, float(probability[mine].mean()), hits / n, *wilson(hits, n))
        )
    return tuple(groups)
