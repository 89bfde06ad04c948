"""The one style of all figures."""

from __future__ import annotations

import matplotlib as mpl
import pytest

from hemocast.report.figures import style
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


def test_a_user_draws_in_a_style_of_their_own_and_it_ends_there() -> None:
    @in_style
    def size() -> float:
        return mpl.rcParams["font.size"]

    with style.restyled(font_size=11, axes_linewidth=2):
        assert size() == 11
        assert style.style()["axes.linewidth"] == 2
    assert size() == 8


def test_six_curves_are_told_apart_without_colour() -> None:
    from itertools import combinations, cycle

    from matplotlib.colors import to_rgb

    def grey(colour: str) -> float:
        return sum(a * b for a, b in zip((0.299, 0.587, 0.114), to_rgb(colour), strict=True))

    curves = list(zip(style.COLOURS, cycle(style.DASHES), strict=False))
    for (first, one), (second, other) in combinations(curves, 2):
        assert one != other or abs(grey(first) - grey(second)) > 0.15


def test_figures_belong_to_nobody() -> None:
    import matplotlib.pyplot as plt

    figure, axes = figure_of(2, 3)
    assert tuple(figure.get_size_inches()) == (2, 3)
    assert axes.get_position().bounds == (0, 0, 1, 1)
    assert plt.get_fignums() == []


def test_a_chinese_name_is_drawn_in_a_font_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if len(style.families()) == 2:
        assert shortened("张伟 1") == "张伟 1"
        assert style.style()["font.family"][1] == style.families()[1]
    monkeypatch.setattr(style, "_drawn", lambda: frozenset({ord("张"), ord("伟")}))
    assert shortened("张伟") == "张伟"
    assert shortened("张伟" * 6, 10) == "张伟张伟…"


def test_without_a_font_a_name_stands_as_numbers_and_a_warning_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(style, "_drawn", lambda: frozenset(range(128)))
    style._say_that_a_font_lacks.cache_clear()
    assert shortened("张伟 A") == "[5F20 4F1F] A"
    assert shortened("伟 B") == "[4F1F] B"
    (said,) = caplog.messages
    assert said.startswith("HC009 No installed font draws the character U+")
    assert "fonts-noto-cjk" in said


def test_names_are_cut_and_no_mathematics() -> None:
    assert shortened("a" * 50, 10) == "a" * 9 + "…"
    assert shortened("$x^2$") == r"\$x^2\$"
    assert shortened("  two \n words ") == "two words"
