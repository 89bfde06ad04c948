"""The third ventricle is found where it lies, and nothing is said where it is not to be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Alignment
from hemocast.signs import measure_midline
from hemocast.signs.midline import LIMITS_MM
from hemocast.volume import Volume

UPRIGHT = Alignment(np.eye(4), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0)


def _slab(volume: Volume, furrow_mm: float | None, dark_mm: float | None = None) -> Volume:
    """Brain of 34 HU in 1 x 1 x 4 mm, with noise; a ventricle 5 mm wide; an infarct beside it."""
    x = np.arange(-60.0, 60.0)
    hu = np.full((30, 120, 120), 34.0, np.float32)
    if dark_mm is not None:
        hu[:, :, (x > dark_mm) & (x < dark_mm + 35)] = 21
    if furrow_mm is not None:
        hu[:, :, np.abs(x - furrow_mm) <= 2.5] = 9
    hu += np.random.default_rng(0).normal(0, 5, hu.shape).astype(np.float32)
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    affine[:3, 3] = -60, -60, -60
    return Volume(hu, affine, ((),) * 30, volume.source)


@pytest.mark.parametrize("at", [-8.0, -3.0, 0.0, 2.5, 9.0])
def test_a_furrow_is_found_where_it_lies(ge_volume: Volume, at: float) -> None:
    found = measure_midline(_slab(ge_volume, at), UPRIGHT)
    assert found is not None
    assert found.shift_mm == pytest.approx(at, abs=0.5)
    assert found.side == ("unknown" if abs(at) <= LIMITS_MM else "left" if at < 0 else "right")


def test_an_infarct_beside_it_does_not_pull(ge_volume: Volume) -> None:
    found = measure_midline(_slab(ge_volume, -5.0, dark_mm=8.0), UPRIGHT)
    assert found is not None
    assert found.shift_mm == pytest.approx(-5.0, abs=0.5)


def test_without_a_ventricle_nothing_is_said(ge_volume: Volume) -> None:
    assert measure_midline(_slab(ge_volume, None), UPRIGHT) is None


def test_without_sides_there_is_a_shift_and_no_side(ge_volume: Volume) -> None:
    found = measure_midline(_slab(ge_volume, 6.0), replace(UPRIGHT, sides_known=False))
    assert found is not None
    assert found.shift_mm == pytest.approx(6.0, abs=0.5)
    assert found.side == "unknown"


def test_the_real_head_has_none(ge_volume: Volume, ge_pose: Alignment) -> None:
    found = measure_midline(ge_volume, ge_pose)
    assert found is not None
    assert abs(found.shift_mm) < LIMITS_MM
    assert found.side == "unknown"
