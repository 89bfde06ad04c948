"""What every figure of an evaluation must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hemocast.report.figures.drawing import Drawing

Draw = Callable[[bool], Any]


def words_of(figure: Any) -> str:
    """Everything that is written in a figure."""
    return Drawing("x", figure, "what it shows").svg


@pytest.fixture
def check_figure(misplaced: Callable[[Any], list[str]]) -> Callable[[Draw], str]:
    """Draw a figure with and without simulated data, check its form, and give its words."""

    def check(draw: Draw) -> str:
        figure = draw(True)
        width, height = figure.get_size_inches()
        assert width <= 7.5, "a journal's page is not wider"
        assert height <= 9.5
        texts = figure.findobj(match=lambda a: hasattr(a, "get_fontsize") and a.get_text())
        assert min(text.get_fontsize() for text in texts) >= 6
        assert misplaced(figure) == []
        assert "SIMULATED" in words_of(figure)
        words = words_of(draw(False))
        assert "SIMULATED" not in words
        assert "nan" not in words.lower()
        assert words == words_of(draw(False)), "the same numbers give the same bytes"
        return words

    return check


@pytest.fixture(scope="session")
def cases() -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of 80 scans."""
    rng = np.random.default_rng(0)
    label = rng.random(80) < 0.5
    return label, np.clip(0.35 + 0.3 * label + rng.normal(0, 0.2, 80), 0.01, 0.99)
