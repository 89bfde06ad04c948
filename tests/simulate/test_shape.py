from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Protocol, render_head
from hemocast.simulate.shape import FIELD_SHAPE, draw_shape, smooth_noise, stretch

QUIET = Protocol(noise_hu=0.0)


def _voxel_ml(volume) -> float:
    return float(np.prod(volume.spacing)) / 1000


def test_age_widens_the_fluid_spaces():
    def fluid_ml(age: float) -> float:
        volumes = [render_head(s, age=age, protocol=QUIET, noise=False) for s in range(3)]
        return float(np.mean([((v.hu > 0) & (v.hu < 18)).sum() * _voxel_ml(v) for v in volumes]))

    assert fluid_ml(85) > 1.5 * fluid_ml(35)


def test_heads_are_not_mirror_symmetric():
    spreads = []
    for seed in range(5):
        hu = render_head(seed, age=60, protocol=QUIET, noise=False).hu[10:24]
        smooth = ndimage.gaussian_filter(np.clip(hu, 0, 60), (0, 2, 2))
        brain = (smooth > 20) & (smooth < 45)
        both = brain & brain[:, :, ::-1]
        spreads.append(float((smooth - smooth[:, :, ::-1])[both].std()))
    # The template itself would give 0. Between the sides of real heads, smoothed alike, a few HU.
    assert min(spreads) > 1.5
    assert max(spreads) < 8
    assert len({round(s, 3) for s in spreads}) == 5


def test_smooth_noise_has_unit_spread_and_the_asked_grid():
    maps = smooth_noise(np.random.default_rng(0), 20, 4)
    assert maps.shape == (4, *FIELD_SHAPE)
    assert maps.std() == pytest.approx(1, abs=0.1)
    # Smooth: neighbours 4 mm apart hardly differ.
    assert np.abs(np.diff(maps, axis=3)).mean() < 0.35


def test_stretch_of_an_unbent_head_is_its_scale():
    shape = draw_shape(np.random.default_rng(0), 60, 0.0, male=True)
    flat = replace(shape, bend=np.zeros_like(shape.bend))
    assert stretch(flat) == pytest.approx(np.prod(shape.scale), rel=1e-5)
