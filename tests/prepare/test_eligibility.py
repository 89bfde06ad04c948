from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import find_brain
from hemocast.anatomy.skull import Gap
from hemocast.config import PrepareConfig
from hemocast.errors import BloodPresent
from hemocast.prepare import eligibility, prepare
from hemocast.prepare.eligibility import eligible_stack
from hemocast.simulate import Bleed, Infarct, Protocol, Stroke, render_head

CONFIG = PrepareConfig()
SMALL = Protocol(matrix=128)


def test_a_scan_without_blood_gives_the_stack_of_prepare(tmp_path):
    volume = render_head(1, stroke=Stroke(Infarct("MCA", "left", 40.0)), protocol=SMALL)
    expected = prepare(volume, CONFIG)
    made = eligible_stack(volume, CONFIG)
    kept = [eligible_stack(volume, CONFIG, cache=tmp_path) for _ in range(2)]
    for stack in (made, *kept):
        assert np.array_equal(stack.frames, expected.frames)
        assert stack.record == expected.record


def test_a_scan_with_blood_never_passes(tmp_path):
    stroke = Stroke(Infarct("MCA", "left", 60.0), bleed=Bleed("PH1", 15.0))
    volume = render_head(1, stroke=stroke, protocol=SMALL)
    for cache in (None, tmp_path):
        with pytest.raises(BloodPresent, match="mL of blood"):
            eligible_stack(volume, CONFIG, cache=cache)
    assert not list(tmp_path.iterdir())


def test_blood_beside_a_gap_in_the_skull_may_be_muscle(monkeypatch):
    stroke = Stroke(Infarct("MCA", "left", 60.0), bleed=Bleed("PH1", 15.0))
    volume = render_head(1, stroke=stroke, protocol=SMALL)
    brain = replace(find_brain(volume), gap=Gap(7.0, (10, 20)))
    monkeypatch.setattr(eligibility, "find_brain", lambda _: brain)
    with pytest.raises(BloodPresent, match="mL of blood, or muscle in the gap of its skull"):
        eligible_stack(volume, CONFIG)
