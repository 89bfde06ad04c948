"""Calcium that is put into a real head is measured, and metal is not taken for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Brain
from hemocast.anatomy.skull import Metal
from hemocast.signs import measure_calcification
from hemocast.volume import Volume


@pytest.fixture
def place(ge_brain: Brain) -> tuple[int, int, int]:
    """Return a place deep in the left half of the real brain, away from its own calcium."""
    z, y, x = (int(v) for v in np.argwhere(ge_brain.mask).mean(axis=0))
    return z + 2, y - 50, x + 60


@pytest.mark.parametrize("ml", [0.5, 1.5])
def test_a_calcification_adds_its_volume(
    ge_volume: Volume, ge_brain: Brain, with_ball: Callable[..., Volume], place, ml: float
) -> None:
    before = measure_calcification(ge_volume, ge_brain)
    after = measure_calcification(with_ball(ge_volume, place, ml, 250.0), ge_brain)
    assert before is not None
    assert after is not None
    assert after.volume_ml - before.volume_ml == pytest.approx(ml, rel=0.5)
    assert after.places == before.places + 1
    if ml > before.volume_ml:
        assert after.slice_number == pytest.approx(place[0] + 1, abs=1)


def test_blood_is_none(
    ge_volume: Volume, ge_brain: Brain, with_ball: Callable[..., Volume], place
) -> None:
    before = measure_calcification(ge_volume, ge_brain)
    after = measure_calcification(with_ball(ge_volume, place, 5.0, 70.0), ge_brain)
    assert before is not None
    assert after is not None
    assert after.volume_ml == pytest.approx(before.volume_ml, abs=0.02)


def test_nothing_dense_gives_none_of_it(ge_volume: Volume, ge_brain: Brain) -> None:
    plain = replace(ge_volume, hu=np.minimum(ge_volume.hu, 60))
    found = measure_calcification(plain, ge_brain)
    assert found is not None
    assert (found.volume_ml, found.places, found.slice_number) == (0.0, 0, None)


def test_beside_metal_nothing_is_said(ge_volume: Volume, ge_brain: Brain) -> None:
    metal = replace(ge_brain, metal=Metal(1.0, (3, 4), np.array([2])))
    assert measure_calcification(ge_volume, metal) is None
