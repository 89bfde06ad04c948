"""An infarct that is drawn is measured where it is; a head without one has none seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.signs.infarct import Infarct, largest_part, measure_infarct, measured_uptake
from hemocast.signs.measured import Found
from hemocast.signs.outline import Outline, card, read_outline
from hemocast.signs.sides import LEFT, RIGHT, Sides


def _measured(sides: Sides, head: Found) -> Infarct:
    assert head.stack is not None
    return measure_infarct(sides, read_outline(head.stack, sides))


def test_a_large_infarct_is_measured(sides_of: Callable, struck: Found) -> None:
    sides, _ = sides_of(struck)
    found = _measured(sides, struck)
    assert found.seen
    assert found.side == "left"
    assert found.territory == "MCA"
    assert found.volume_ml.low < 110 < found.volume_ml.high
    held = float((found.mask * sides.tissue).sum()) * sides.cell_ml
    assert held == pytest.approx(found.volume_ml.value, rel=0.4)
    assert not found.mask[RIGHT].any()
    assert found.water_uptake is not None
    assert found.water_uptake.low < 0.22 < found.water_uptake.high
    assert found.hypodensity in ("below_third", "third_or_more")


def test_a_sound_head_has_none(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    found = _measured(sides, sound)
    assert not found.seen
    assert found.volume_ml.value == 0
    assert found.volume_ml.high == card().unseen_ml
    assert (found.side, found.territory, found.hypodensity) == (None, None, "none")


def test_the_real_head_has_one_left_and_behind(sides_of: Callable, ge_found: Found) -> None:
    sides, _ = sides_of(ge_found)
    found = _measured(sides, ge_found)
    assert found.seen
    assert (found.side, found.territory, found.hypodensity) == ("left", "PCA", "none")
    assert 4 < found.volume_ml.value < 25
    assert ge_found.stack is not None
    assert found.place is not None
    height, width = ge_found.stack.frames.shape[1:]
    assert found.place.column > width / 2, "left"
    assert found.place.row > height / 2, "behind"


def test_the_largest_part_holds_what_was_asked() -> None:
    likely = np.array([[[0.9, 0.8, 0.01], [0.7, 0.6, 0.5]]], np.float32)
    tissue = np.ones_like(likely)
    mask = largest_part(likely, tissue, 2.5)
    assert mask.tolist() == [[[True, True, False], [True, False, False]]]
    assert largest_part(likely, tissue, 99).sum() == 5, "what is unlikely is left out"


def test_uptake_is_how_much_darker_the_mask_is(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    flat = replace(sides, hu=np.where(sides.brain > 0, 34.0, 0).astype(np.float32))
    mask = np.zeros(sides.hu.shape, np.bool_)
    mask[LEFT, 14:16, 40:50, 20:26] = True
    darker = flat.hu.copy()
    darker[mask] = 30
    # Minnerup's formula: 30 against 34 HU are 11.76 %.
    assert measured_uptake(replace(flat, hu=darker), mask) == pytest.approx(0.1176, abs=1e-4)
    assert measured_uptake(replace(flat, hu=np.zeros_like(flat.hu)), mask) is None


def test_most_of_a_territory_is_a_third_or_more(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    everywhere = np.zeros(sides.hu.shape, np.float32)
    everywhere[LEFT] = 1
    findings = np.full(8, 3.0, np.float32)
    found = measure_infarct(sides, Outline(everywhere, findings))
    assert found.hypodensity == "third_or_more"
    assert sum(found.territories.values()) == pytest.approx(1, abs=0.05)
