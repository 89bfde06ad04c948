"""What arrived, what became of it, and how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hemocast.evaluate.inputs.history import DONE, STATUSES, History
from hemocast.evaluate.monitor.result import Delay, Period, Time, Traffic

Span = tuple[Time, Time]


def measure_traffic(history: History, spans: Sequence[Span]) -> Traffic:
    """Count scans, whole and by spans of time.

    Parameters
    ----------
    history : History
        With at least one scan.
    spans : sequence of (datetime64, datetime64)
        Start of each, and its end, which is not within.
    """
    codes = Counter(code or "no code" for code in history.code[history.status == "refused"])
    whole = (history.arrived[0], history.arrived[-1] + np.timedelta64(1, "s"))
    return Traffic(
        _count(history, whole),
        tuple(_count(history, span) for span in spans),
        len(set(history.scans.patient)),
        tuple(sorted(codes.items(), key=lambda item: (-item[1], item[0]))),
        _delay(history),
    )


def _count(history: History, span: Span) -> Period:
    within = (history.arrived >= span[0]) & (history.arrived < span[1])
    return Period(*span, *(int((history.status[within] == status).sum()) for status in STATUSES))


def _delay(history: History) -> Delay | None:
    by_slice = not np.isnat(history.last_slice).all()
    since = history.last_slice if by_slice else history.arrived
    timed = ~np.isnat(history.predicted) & ~np.isnat(since)
    known = timed & (history.status == DONE)
    minutes = (history.predicted[known] - since[known]) / np.timedelta64(60, "s")
    forwards = minutes[minutes >= 0]
    if not forwards.size:
        return None
    return Delay(
        "last_slice_at" if by_slice else "arrived_at",
        int(forwards.size),
        float(np.median(forwards)),
        float(np.quantile(forwards, 0.9)),
        float(forwards.max()),
        int(minutes.size - forwards.size),
    )
