"""A history, its outcomes and a reference in; how the trial goes, out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.history import History, read_reference
from hemocast.evaluate.monitor.drift import (
    PROBABILITY,
    find_drift,
    sample_of_history,
    sample_of_table,
)
from hemocast.evaluate.monitor.outcomes import follow
from hemocast.evaluate.monitor.result import Monitored, MonitorOptions, Reference, Time
from hemocast.evaluate.monitor.traffic import Span, measure_traffic
from hemocast.tables import called

LEAST_REFERENCE = 30
"""Results that a reference must hold: of fewer no distribution is known."""


def monitor(
    history: History, reference: Path | None = None, options: MonitorOptions | None = None
) -> Monitored:
    """Look at a silent trial: traffic, drift, and outcomes.

    Parameters
    ----------
    history : History
        What arrived, with outcomes where some are known.
    reference : Path, optional
        A table of scans that later ones are to be like, see
        `hemocast.evaluate.inputs.history.read_reference`; the first weeks of the history where left
        out, which then are not looked at.
    options : MonitorOptions, optional

    Raises
    ------
    StatisticsError
        No scan arrived, or the reference holds fewer than 30 results.
    NothingThere, TableError
        The reference is missing or bad.
    """
    options = options or MonitorOptions()
    if not history.arrived.size:
        raise StatisticsError("The history holds no scan", "scans that arrived", "Wait for some")
    start = history.arrived[0].astype("datetime64[D]").astype("datetime64[s]")
    first = start if reference else start + _weeks(options.first_weeks)
    table = read_reference(reference) if reference else None
    before = sample_of_table(table) if table else sample_of_history(history, (start, first))
    told = next(one.values for one in before if one.name == PROBABILITY)
    known = np.asarray(told, dtype=np.float64)
    if known.size < LEAST_REFERENCE:
        raise StatisticsError(
            f"The reference holds {known.size} scans with a result, one a patient",
            f"{LEAST_REFERENCE} or more",
            "Wait for more scans, choose more first weeks, or give a table as the reference",
        )
    spans = _spans(first, history.arrived[-1], options.weeks)
    outcomes = history.outcomes
    return Monitored(
        options,
        history.scans.simulated or bool(table and table.simulated),
        measure_traffic(history, _spans(start, history.arrived[-1], options.weeks, whole=False)),
        Reference(called(reference) if reference else "", len(known), None if reference else first),
        find_drift(history, before, spans, options),
        follow(history, outcomes, known, options) if outcomes else None,
    )


def _weeks(number: int) -> np.timedelta64:
    return np.timedelta64(number * 7 * 86_400, "s")


def _spans(start: Time, last: Time, weeks: int, *, whole: bool = True) -> list[Span]:
    """Cut time into looks; the last, which is not over yet, only where asked for."""
    step = _weeks(weeks)
    count = int((last - start) / step) + (not whole)
    return [(start + k * step, start + (k + 1) * step) for k in range(count)]
