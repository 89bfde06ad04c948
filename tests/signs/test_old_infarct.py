"""A cavity of one side is found where it is, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable

from hemocast.signs.measured import Found
from hemocast.signs.old_infarct import LEAST_ML, find_cavity


def test_a_cavity_is_found_on_its_side(sides_of: Callable, worn: Found) -> None:
    found = find_cavity(*sides_of(worn))
    assert found is not None
    assert found.side == "left"
    assert LEAST_ML <= found.volume_ml < 22
    assert worn.stack is not None
    assert found.place.column > worn.stack.frames.shape[2] / 2, "the patient's left is right"


def test_a_sound_head_and_the_real_one_have_none(
    sides_of: Callable, sound: Found, ge_found: Found
) -> None:
    assert find_cavity(*sides_of(sound)) is None
    assert find_cavity(*sides_of(ge_found)) is None
