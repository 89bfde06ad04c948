"""Probabilities of pairs of raters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hemocast.report.figures.scatter import scatter_figure


@pytest.mark.parametrize("k", [2, 3, 7])
def test_every_pair_has_its_square(
    check_figure: Callable, cases: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    truth, probability = cases
    given = np.array([probability, *(np.roll(probability, n) for n in range(1, k))])
    given[1, 3] = np.nan
    names = ["our model", *(f"C{n} & co" for n in range(1, k))]
    words = check_figure(lambda simulated: scatter_figure(names, given, truth, simulated=simulated))
    figure = scatter_figure(names, given, truth)
    assert len(figure.axes) == k * (k - 1) // 2
    square = figure.axes[0]
    _, without, with_ht = square.get_lines()
    np.testing.assert_array_equal(with_ht.get_xdata(), probability[truth])
    np.testing.assert_array_equal(without.get_ydata(), given[1][~truth])
    assert "no HT" in words


def test_outcomes_stay_apart_in_grey() -> None:
    figure = scatter_figure(["a", "b"], np.eye(2), np.array([True, False]))
    _, without, with_ht = figure.axes[0].get_lines()
    assert without.get_marker() != with_ht.get_marker()
    assert without.get_fillstyle() == "none"
    grey = [
        float(np.dot(to_rgb(line.get_color()), (0.3, 0.59, 0.11))) for line in (without, with_ht)
    ]
    assert abs(grey[0] - grey[1]) > 0.1
