"""The drawings say what the settings say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from hemocast.nets.describe import Layer
from hemocast.report.figures import style as figure_style
from hemocast.report.figures.diagrams import (
    Step,
    architecture_figure,
    method_figure,
    residual_blocks_figure,
)

LAYERS = (
    Layer("input", (2, 28, 64, 64), (), (), 0),
    Layer("convolution", (16, 28, 31, 31), (1, 3, 3), (1, 2, 2), 320),
    Layer("block 2", (24, 28, 16, 16), (1, 3, 3), (1, 2, 2), 4944),
    Layer("block 1", (24, 28, 16, 16), (1, 5, 5), (1, 1, 1), 4672),
    Layer("predictor", (1,), (), (), 33),
)


@pytest.mark.parametrize("font", ["DejaVu Sans", "Liberation Sans"])
def test_words_stay_in_their_boxes(
    misplaced: Callable[[Figure], list[str]], monkeypatch: pytest.MonkeyPatch, font: str
) -> None:
    """DejaVu, which is there where no other is, is a tenth wider."""
    monkeypatch.setattr(figure_style, "families", lambda: (font,))
    steps = [Step("Ground truth of the cohort", ("474 patients, 237 with HT, matched",))] * 6
    for figure in (
        residual_blocks_figure(LAYERS),
        architecture_figure(LAYERS, "ctnet3d"),
        method_figure(steps, "SIMULATED patients, outcomes and readers"),
    ):
        assert misplaced(figure) == []


def words(figure: Figure) -> str:
    """Return all text, with a plain x for the sign of multiplication."""
    said = "\n".join(text.get_text() for text in figure.findobj(Text))
    return said.replace("\N{MULTIPLICATION SIGN}", "x")


def test_the_architecture_names_every_layer_with_its_shape_and_numbers() -> None:
    said = words(architecture_figure(LAYERS, "ctnet3d"))
    assert "ctnet3d: 9,969 learned numbers" in said
    for part in ("24 features of 28x16x16", "kernel 1x5x5, stride 1x1x1; 4,672", "one logit"):
        assert part in said
    assert said.count("Residual block") == 2


def test_the_blocks_have_the_equations_parts_of_this_network() -> None:
    said = words(residual_blocks_figure(LAYERS))
    assert "(identity)" in said
    assert "$H$: linear," in said
    assert "1x5x5 convolution, stride 1x1x1" in said


def test_a_network_without_a_kind_of_block_says_so() -> None:
    assert "not in this network" in words(residual_blocks_figure(LAYERS[:3]))


@pytest.mark.parametrize("count", [1, 3, 4, 6])
def test_the_method_numbers_its_steps(count: int) -> None:
    steps = [Step(f"Step {k}", (f"{k} patients",)) for k in range(count)]
    said = words(method_figure(steps, "SIMULATED"))
    assert f"{count}. Step {count - 1}" in said
    assert "SIMULATED" in said
