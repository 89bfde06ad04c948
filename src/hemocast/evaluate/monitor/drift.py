"""Whether scans, what is measured on them, and predictions are as they were in the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.evaluate.inputs.history import DONE, GROUPS, Feature, History, Scans
from hemocast.evaluate.monitor.result import Look, MonitorOptions
from hemocast.evaluate.monitor.traffic import Span
from hemocast.stats import holm
from hemocast.stats.drift import Drift, category_drift, number_drift

LEAST = 10
"""Values of a feature below which a look says nothing."""
WEEKS_A_YEAR = 365.25 / 7
PROBABILITY, STATUS = "probability", "status"

Sample = tuple[Feature, ...]
"""Features, each of the scans that it is known of."""


@dataclass(frozen=True)
class Compared:
    """A feature in two samples.

    Parameters
    ----------
    feature : str
        Its name.
    drift : Drift or None
        None where too few values are known to tell.
    p : float
        After Holm over all features compared; NaN where too few.
    alarm : bool
        `p` is below the level.
    """

    feature: str
    drift: Drift | None
    p: float
    alarm: bool


def find_drift(
    history: History, reference: Sample, spans: Sequence[Span], options: MonitorOptions
) -> tuple[Look, ...]:
    """Compare every feature of every span of time with the reference.

    Within a span p values are adjusted after Holm over its features, and each span has its part of
    the year's chance of a false alarm: that any feature alarms within a year of unchanged scans has
    a chance of `options.level` at most, whatever the features have to do with each other.

    Parameters
    ----------
    history : History
        What arrived.
    reference : Sample
        As `sample_of_history` or `sample_of_table` gives it; what the history does not have is not
        compared.
    spans : sequence of (datetime64, datetime64)
        Start of each, and its end, which is not within.
    options : MonitorOptions
        With the level and the length of a span.
    """
    level = options.level * options.weeks / WEEKS_A_YEAR
    named = {PROBABILITY, STATUS, *(feature.name for feature in history.scans.features)}
    shared = tuple(feature for feature in reference if feature.name in named)
    return tuple(look for span in spans for look in _look(history, shared, span, level))


def one_each(patients: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the places of every patient's first scan."""
    return np.sort(np.unique(patients.astype(str), return_index=True)[1])


def sample_of_history(history: History, span: Span) -> Sample:
    """Return what is known of the scans of some time, of every patient the first.

    Scanner, site and what became of a scan are known of all that arrived, the rest of scans with a
    result.
    """
    within = np.flatnonzero((history.arrived >= span[0]) & (history.arrived < span[1]))
    first = within[one_each(history.scans.patient[within])]
    done = history.scans.part(first[history.status[first] == DONE])
    everyone = (one for one in history.scans.part(first).features if one.name in GROUPS)
    return (
        Feature(PROBABILITY, done.probability),
        Feature(STATUS, history.status[first]),
        *everyone,
        *(one for one in done.features if one.name not in GROUPS),
    )


def sample_of_table(scans: Scans) -> Sample:
    """Return what is known of the scans of a reference, of every patient the first."""
    first = scans.part(one_each(scans.patient))
    known = first.probability[~np.isnan(first.probability)]
    return (Feature(PROBABILITY, known), *first.features)


def compare(reference: Sample, now: Sample, level: float) -> tuple[Compared, ...]:
    """Compare every feature that two samples share; p values are adjusted after Holm.

    Parameters
    ----------
    reference, now : Sample
        In the order of the first.
    level : float
        Of the whole comparison: the chance that any feature alarms where nothing changed.
    """
    known = {feature.name: feature for feature in now}
    shared = [feature for feature in reference if feature.name in known]
    drifts = [_drift(feature, known[feature.name]) for feature in shared]
    tested = [drift.p for drift in drifts if drift]
    adjusted = iter(holm(tested) if tested else np.empty(0))
    found = []
    for feature, drift in zip(shared, drifts, strict=True):
        p = float(next(adjusted)) if drift else float("nan")
        found.append(Compared(feature.name, drift, p, p < level))
    return tuple(found)


def _look(history: History, reference: Sample, span: Span, level: float) -> Iterator[Look]:
    for one in compare(reference, sample_of_history(history, span), level):
        yield Look(*span, one.feature, one.drift, one.p, one.alarm)


def _drift(before: Feature, now: Feature) -> Drift | None:
    """Return how far two samples lie apart; None where there are too few values to tell."""
    if before.is_number != now.is_number or min(_known(before), _known(now)) < LEAST:
        return None
    compare = number_drift if now.is_number else category_drift
    return compare(before.values, now.values)


def _known(feature: Feature) -> int:
    return int((~np.isnan(feature.values)).sum() if feature.is_number else feature.values.size)
