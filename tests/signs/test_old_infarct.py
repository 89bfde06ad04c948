"""A cavity of one side is found where it is, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.signs.measured import Found
from hemocast.signs.old_infarct import LEAST_ML, find_cavity


def test_a_cavity_is_found_on_its_side(sides_of: Callable, worn: Found) -> None:
    found = find_cavity(*sides_of(worn))
    assert found is not None
    assert found.side == "left"
    assert LEAST_ML <= found.volume_ml < 22
    assert worn.stack is not None
    assert found.place.column > worn.stack.frames.shape[2] / 2, "the patient's left is right"


@pytest.mark.parametrize(("width_mm", "found"), [(8, False), (20, True)])
def test_a_wide_place_is_a_cavity_and_a_widened_sulcus_none(
    width_mm: float, found: bool, sides_of: Callable, sound: Found
) -> None:
    sides, ventricles = sides_of(sound)
    z, y, x = np.indices(sides.hu.shape[1:])
    wide = width_mm / sides.cell_mm / 2
    # From the surface inwards as a sulcus is, through 8 frames, 60 mm long.
    place = (np.abs(x - 25) <= 15) & (np.abs(y - y.max() / 2) <= wide) & (np.abs(z - 16) < 4)
    drawn = place & (sides.brain[1] > 0.5)
    fluid = sides.fluid.copy()
    fluid[:, place] = 0
    fluid[1][drawn] = 1
    seen = find_cavity(replace(sides, fluid=fluid), np.zeros_like(ventricles))
    assert (seen is not None) == found
    assert seen is None or seen.side == "left"


def test_a_sound_head_and_the_real_one_have_none(
    sides_of: Callable, sound: Found, ge_found: Found
) -> None:
    assert find_cavity(*sides_of(sound)) is None
    assert find_cavity(*sides_of(ge_found)) is None
