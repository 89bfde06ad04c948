"""Pale white matter gets a grade, a healthy head and one infarcted side get none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.signs.leukoaraiosis import measure_leukoaraiosis
from hemocast.signs.measured import Found
from hemocast.signs.sides import LEFT


def test_pale_white_matter_is_graded(sides_of: Callable, sound: Found, worn: Found) -> None:
    healthy, pale = (measure_leukoaraiosis(*sides_of(head)) for head in (sound, worn))
    assert healthy is not None
    assert pale is not None
    assert healthy.grade.value < 1
    assert pale.grade.value > 2
    assert min(pale.anterior, pale.posterior) > 1
    assert pale.grade.high <= 4


def test_an_infarct_of_one_side_is_no_leukoaraiosis(sides_of: Callable, sound: Found) -> None:
    sides, fluid = sides_of(sound)
    darker = sides.hu.copy()
    darker[LEFT] -= 8
    before = measure_leukoaraiosis(sides, fluid)
    after = measure_leukoaraiosis(replace(sides, hu=darker), fluid)
    assert before is not None
    assert after is not None
    assert abs(after.grade.value - before.grade.value) < 0.8


def test_without_ventricles_there_is_no_ring(sides_of: Callable, sound: Found) -> None:
    sides, fluid = sides_of(sound)
    assert measure_leukoaraiosis(sides, np.zeros_like(fluid)) is None


def test_the_real_head_is_graded_between(sides_of: Callable, ge_found: Found) -> None:
    found = measure_leukoaraiosis(*sides_of(ge_found))
    assert found is not None
    assert 0.5 < found.grade.value < 3, "some pallor round the horns"
