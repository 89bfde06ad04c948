"""Traffic: every scan in one period, and delays without those that ran backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.evaluate.inputs.history import History
from hemocast.evaluate.monitor.traffic import measure_traffic

DAY = np.timedelta64(86_400, "s")


def test_delays_are_counted_from_the_last_slice_or_else_from_arrival(
    trial: Callable[..., History],
) -> None:
    history = trial(12)
    done = history.status == "done"
    predicted = history.last_slice + np.timedelta64(180, "s")
    predicted[np.flatnonzero(done)[:4]] -= DAY
    found = measure_traffic(replace(history, predicted=predicted), [])
    assert found.delay is not None
    assert (found.delay.since, found.delay.median) == ("last_slice_at", 3.0)
    assert (found.delay.n, found.delay.backwards) == (done.sum() - 4, 4)
    never = np.full(600, np.datetime64("NaT", "s"))
    by_arrival = measure_traffic(replace(history, last_slice=never), []).delay
    assert by_arrival is not None
    assert by_arrival.since == "arrived_at"
    assert measure_traffic(replace(history, predicted=never), []).delay is None


def test_a_scan_at_the_border_belongs_to_the_later_period(trial: Callable[..., History]) -> None:
    history = trial(13)
    first, border = history.arrived[0], history.arrived[300]
    early, late = measure_traffic(history, [(first, border), (border, border + 400 * DAY)]).periods
    assert (early.n, late.n) == (300, 300)
    assert early.done + early.refused == 300
