from __future__ import annotations

from hemocast.simulate import DEMO, PRESETS
from hemocast.simulate.presets import PAPER


def test_the_demo_is_large_enough_for_its_test_part():
    assert DEMO.n_ht + DEMO.n_non >= 120
    assert min(DEMO.n_ht, DEMO.n_non) >= 60
    assert DEMO.matrix == 256


def test_the_paper_is_as_large_as_the_paper():
    assert PAPER.n_ht + PAPER.n_non == 474
    assert round((PAPER.n_ht + PAPER.n_non) * PAPER.scans_per_patient) == 613
    assert PRESETS["paper"] is PAPER
