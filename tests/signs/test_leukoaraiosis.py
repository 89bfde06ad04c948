"""Pale white matter gets a grade, a healthy head and one infarcted side get none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.signs.leukoaraiosis import Leukoaraiosis, measure_leukoaraiosis
from hemocast.signs.measured import Found
from hemocast.signs.outline import read_outline
from hemocast.signs.sides import LEFT


def _measured(sides_of: Callable, head: Found) -> Leukoaraiosis:
    sides, fluid = sides_of(head)
    assert head.stack is not None
    found = measure_leukoaraiosis(sides, fluid, read_outline(head.stack, sides))
    assert found is not None
    return found


def test_pale_white_matter_is_graded(sides_of: Callable, sound: Found, worn: Found) -> None:
    healthy, pale = _measured(sides_of, sound), _measured(sides_of, worn)
    assert healthy.grade.value < 1
    assert pale.grade.value > 2
    assert min(pale.anterior, pale.posterior) > 1 > max(healthy.anterior, healthy.posterior)
    assert pale.grade.high <= 4


def test_an_infarct_of_one_side_is_no_leukoaraiosis(sides_of: Callable, sound: Found) -> None:
    sides, fluid = sides_of(sound)
    assert sound.stack is not None
    outline = read_outline(sound.stack, sides)
    darker = sides.hu.copy()
    darker[LEFT] -= 8
    before = measure_leukoaraiosis(sides, fluid, outline)
    after = measure_leukoaraiosis(replace(sides, hu=darker), fluid, outline)
    assert before is not None
    assert after is not None
    assert abs(after.anterior + after.posterior - before.anterior - before.posterior) < 0.8


def test_without_ventricles_there_is_no_ring(sides_of: Callable, sound: Found) -> None:
    sides, fluid = sides_of(sound)
    assert sound.stack is not None
    outline = read_outline(sound.stack, sides)
    assert measure_leukoaraiosis(sides, np.zeros_like(fluid), outline) is None


def test_the_real_head_is_graded_between(sides_of: Callable, ge_found: Found) -> None:
    found = _measured(sides_of, ge_found)
    assert 0.2 < found.grade.value < 3.5, "some pallor round the horns"
