"""HT over time: steps with a band, beside death without it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.report.figures.incidence import incidence_figure
from hemocast.stats.incidence import cumulative_incidence


def test_steps_stand_at_the_hours_of_events_with_their_limits(check_figure: Callable) -> None:
    rng = np.random.default_rng(0)
    curve = cumulative_incidence(rng.uniform(10, 90, 80).round(), rng.integers(0, 3, 80))
    words = check_figure(lambda simulated: incidence_figure(curve, 72, simulated=simulated))
    for said in ("HT", "death without HT", "Hours after onset"):
        assert said in words
    axes = incidence_figure(curve, 72).axes[0]
    event, death = axes.lines
    assert event.get_drawstyle() == death.get_drawstyle() == "steps-post"
    hours, chance = np.asarray(event.get_data())
    assert (hours[0], chance[0], hours.max()) == (0, 0, curve.time[curve.time <= 72].max())
    assert chance[-1] == pytest.approx(curve.at(72).value)
    assert len(axes.collections) == 1
