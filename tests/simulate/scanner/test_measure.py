from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head


@pytest.fixture(scope="module")
def scans():
    """Return an MCA infarct's scans by water uptake, and its core."""
    infarct = Infarct("MCA superior", "right", 80.0, 9)
    person = Person(55, male=False, van_swieten=(0, 0))
    head = build_head(np.random.default_rng(2), person, Stroke(infarct))
    protocol = Protocol(matrix=128, blur_mm=0.0)
    frames = {u: scan_head(replace(head, edema=Edema(u)), protocol) for u in (0.0, 0.05, 0.1, 0.2)}
    core = frames[0.0].infarct > 0.98
    return {u: f.hu[core] for u, f in frames.items()}


def test_the_border_of_grey_and_white_is_lost_as_water_comes(scans):
    spreads = [float(scans[u].std()) for u in (0.0, 0.05, 0.1, 0.2)]
    assert spreads[0] > 2
    assert spreads[1] == pytest.approx(0.95 * 2 / 3 * spreads[0], rel=0.1)
    assert spreads[2] == pytest.approx(0.9 / 3 * spreads[0], rel=0.15)
    assert spreads[3] < 0.15 * spreads[0]


def test_cortex_falls_to_the_level_of_white_matter_which_hardly_changes(scans):
    white, grey = scans[0.0] < 30, scans[0.0] > 36
    assert scans[0.1][white].mean() == pytest.approx(scans[0.0][white].mean(), abs=1.2)
    assert scans[0.1][grey].mean() < scans[0.0][grey].mean() - 4
