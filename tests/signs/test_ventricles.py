"""Ventricles of an old head hold more, and its caudate nuclei lie further apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.signs.measured import Found
from hemocast.signs.ventricles import measure_bicaudate, measure_ventricles, outer_wall


def test_an_old_head_holds_more(sides_of: Callable, sound: Found, worn: Found) -> None:
    young, old = (measure_ventricles(*sides_of(head)) for head in (sound, worn))
    assert young is not None
    assert old is not None
    assert old.both.value > 1.3 * young.both.value
    assert old.both.low < old.both.value < old.both.high
    assert old.left.value + old.right.value == pytest.approx(old.both.value)


def test_a_head_without_fluid_has_none_measured(sides_of: Callable, sound: Found) -> None:
    sides, fluid = sides_of(sound)
    assert measure_ventricles(sides, np.zeros_like(fluid)) is None


def test_the_real_head_of_an_old_patient(sides_of: Callable, ge_found: Found) -> None:
    sides, fluid = sides_of(ge_found)
    found, bicaudate = measure_ventricles(sides, fluid), measure_bicaudate(sides)
    assert found is not None
    assert bicaudate is not None
    assert 30 < found.both.value < 50, "moderately wide, as the picture shows"
    assert 0.15 < bicaudate.ratio.value < 0.23
    assert 20 < bicaudate.width_mm < 30
    assert ge_found.stack is not None
    height, width = ge_found.stack.frames.shape[1:]
    assert abs(bicaudate.place.column - width / 2) < 3, "on the midline"
    assert 0.25 * height < bicaudate.place.row < 0.5 * height, "in front of the middle"


def test_a_wall_lies_where_half_is_fluid() -> None:
    rows = np.array([[0.0, 0, 0, 0], [1, 1, 0.75, 0.25], [0, 1, 0, 0], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(outer_wall(rows), [0, 3, 2, 4], atol=0.01)
