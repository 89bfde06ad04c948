"""What came out: an alarm of either kind is an alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.evaluate.inputs.history import History
from hemocast.evaluate.monitor.run import monitor


def test_an_alarm_of_either_kind_is_one(trial: Callable[..., History]) -> None:
    quiet = monitor(trial(1))
    assert (quiet.alarmed, quiet.drifted) == (False, ())
    look = replace(quiet.looks[0], alarm=True)
    assert replace(quiet, looks=(look, *quiet.looks[1:])).drifted == (look,)
    assert quiet.followed is not None
    first, *others = quiet.followed.charts
    loud = replace(first, chart=replace(first.chart, alarm=5, since=2))
    followed = replace(quiet.followed, charts=(loud, *others))
    assert replace(quiet, followed=followed).alarmed
    assert (loud.since, loud.alarmed_at) == (loud.times[2], loud.times[5])
    assert first.alarmed_at is None
    assert isinstance(loud.since, np.datetime64)
