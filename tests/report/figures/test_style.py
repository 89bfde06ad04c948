"""The one style of all figures."""

from __future__ import annotations

import matplotlib as mpl

from hemocast.report.figures.style import figure_of, in_style, new_figure, shortened


def test_the_style_holds_within_a_figure_and_leaves_no_trace() -> None:
    before = mpl.rcParams["font.size"]
    seen = []

    @in_style
    def draw():
        seen.append(mpl.rcParams["font.size"])
        return new_figure(1, 1)

    draw()
    assert seen == [8]
    assert mpl.rcParams["font.size"] == before


def test_figures_belong_to_nobody() -> None:
    import matplotlib.pyplot as plt

    figure, axes = figure_of(2, 3)
    assert tuple(figure.get_size_inches()) == (2, 3)
    assert axes.get_position().bounds == (0, 0, 1, 1)
    assert plt.get_fignums() == []


def test_names_are_cut_and_no_mathematics() -> None:
    assert shortened("a" * 50, 10) == "a" * 9 + "…"
    assert shortened("$x^2$") == r"\$x^2\$"
    assert shortened("  two \n words ") == "two words"
