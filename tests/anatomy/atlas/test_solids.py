from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.atlas.solids import Points, ellipsoid


def _grid() -> Points:
    z, y, x = np.meshgrid(*(np.arange(-20, 21, dtype=np.float32),) * 3, indexing="ij", sparse=True)
    return Points(z, y, x)


def test_an_ellipsoid_has_the_volume_and_the_place_of_its_radii():
    inside = ellipsoid(_grid(), (3, -4, 5), (6, 9, 12))
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * 6 * 9 * 12, rel=0.04)
    assert np.argwhere(inside).mean(axis=0) - 20 == pytest.approx([5, -4, 3])


def test_its_surface_is_outside():
    inside = ellipsoid(_grid(), (0, 0, 0), (5, 5, 5))
    assert inside[20, 20, 24]
    assert not inside[20, 20, 25]
