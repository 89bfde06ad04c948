"""Decision curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hemocast.report.figures.decision import decision_figure
from hemocast.stats import Cases, Resampling, decision_curve


def test_models_stand_beside_treating_all_and_none(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    curve = decision_curve(Cases(*cases), [0.1, 0.3, 0.5], Resampling(100))
    words = check_figure(
        lambda simulated: decision_figure([("our model", curve)], simulated=simulated)
    )
    for said in ("our model", "treat all", "treat none", "Net benefit per scan"):
        assert said in words


def test_small_net_benefits_leave_room_for_the_axis_title(check_figure: Callable) -> None:
    """With 4 events in 2,000 the ticks read 0.0005: the title was cut by the figure's edge."""
    cases = Cases(np.arange(2000) < 4, np.random.default_rng(0).random(2000))
    curve = decision_curve(cases, [0.001, 0.01, 0.1], Resampling(100))
    check_figure(lambda simulated: decision_figure([("model", curve)], simulated=simulated))


def test_limits_are_drawn_for_two_models_and_not_for_three(
    cases: tuple[np.ndarray, np.ndarray],
) -> None:
    curve = decision_curve(Cases(*cases), [0.1, 0.3, 0.5], Resampling(100))
    assert len(decision_figure([("a", curve), ("b", curve)]).axes[0].collections) == 2
    assert len(decision_figure([("a", curve)] * 3).axes[0].collections) == 0
