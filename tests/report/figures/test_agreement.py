"""Agreement of pairs of raters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hemocast.report.figures.agreement import AgreementPanel, agreement_figure


def test_every_pair_is_a_number_or_a_dash(check_figure: Callable) -> None:
    value = np.full((3, 3), np.nan)
    value[1, 0] = 0.7
    panel = AgreementPanel("Gwet's AC1", value)
    names = ["model", "C1", "C2"]
    words = check_figure(lambda simulated: agreement_figure(names, [panel], simulated=simulated))
    assert ">0.70<" in words
    assert words.count(">\N{EN DASH}<") == 2
    assert "AC1" in words
