"""The made-up map: a leak that rises with the risk, in the infarct alone."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate.disease.permeability import LARGEST_LEAK, draw_leak, permeability_map


def test_the_leak_rises_with_the_risk_and_has_a_chance_of_its_own() -> None:
    rng = np.random.default_rng(0)
    low, high = ([draw_leak(risk, rng) for _ in range(300)] for risk in (0.1, 0.9))
    assert np.mean(high) - np.mean(low) > 1
    assert min(high) < max(low)
    assert 0 <= min(low) <= max(high) <= LARGEST_LEAK


def test_the_map_is_that_of_healthy_tissue_but_in_the_infarct() -> None:
    infarct = np.zeros((12, 40, 40), np.float32)
    infarct[4:8, 10:20, 10:20] = 1
    spacing = (5.0, 2.0, 2.0)
    with_leak, without = (
        permeability_map(infarct, spacing, leak, np.random.default_rng(1)) for leak in (1.5, 0.0)
    )
    inside = infarct > 0
    assert without.mean() == pytest.approx(100, abs=6)
    assert (with_leak[~inside] == without[~inside]).all()
    assert (with_leak - without)[inside].mean() == pytest.approx(150, abs=2)
    assert (with_leak >= 0).all()
    assert (with_leak == np.rint(with_leak)).all()
