from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Person, Protocol, render_head
from hemocast.simulate.anatomy.atlas import DISTANCE_STEP, DISTANCE_ZERO
from hemocast.simulate.scanner.response import (
    NEUTRAL,
    Response,
    draw_response,
    rim_table,
    shading,
)

PLAIN = Protocol(matrix=128, blur_mm=0.0)


def _hu(response: Response) -> np.ndarray:
    protocol = replace(PLAIN, response=response)
    return render_head(3, Person(60), protocol=protocol, noise=False).hu


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    """Return a head as it is."""
    return _hu(NEUTRAL)


def test_a_scanner_that_adds_nothing_shades_nothing(plain):
    assert not shading(NEUTRAL).any()
    assert not rim_table(NEUTRAL, 2.0).any()
    assert np.array_equal(plain, _hu(Response(seed=5)))


def test_calibration_moves_tissue_and_leaves_the_air(plain):
    moved = _hu(Response(offset_hu=3.0))
    tissue, air = (plain > 20) & (plain < 60), plain < -900
    assert (moved - plain)[tissue].mean() == pytest.approx(3.0, abs=0.05)
    assert np.abs((moved - plain)[air]).max() < 0.01


def test_contrast_widens_the_gap_of_grey_and_white(plain):
    wide = _hu(Response(contrast=1.2))
    inner = np.zeros(plain.shape, bool)
    inner[16:20, 40:90, 40:90] = True  # far from bone, which hardens the more
    tissue = inner & (plain > 5) & (plain < 60)
    np.testing.assert_allclose((wide - 30)[tissue], 1.2 * (plain - 30)[tissue], atol=0.1)


def test_the_rim_is_bright_under_the_bone_and_dies_away(plain):
    response = Response(rim_hu=20.0, rim_mm=4.0)
    table = rim_table(response, 2.0)
    depth = (np.arange(256) - DISTANCE_ZERO) * -DISTANCE_STEP + 2.0
    assert table[depth < 0].max() == 0
    assert table[depth == 0] == pytest.approx(20)
    assert np.interp(4, depth[::-1], table[::-1]) == pytest.approx(20 / np.e, rel=0.02)
    gain = (_hu(response) - plain)[14]
    inside = ndimage.binary_fill_holes(plain[14] > 300) & (plain[14] < 200)
    away = ndimage.distance_transform_edt(inside) * 230 / 128
    shallow, deep = (gain[(away > a) & (away < b)].mean() for a, b in ((1, 4), (20, 40)))
    assert shallow > 5
    assert deep < 1


@pytest.mark.parametrize("cupping", [8.0, -4.0])
def test_cupping_darkens_the_middle_or_brightens_it(cupping, plain):
    change = (_hu(Response(cupping_hu=cupping)) - plain)[16]
    middle, edge = change[55:75, 60:68].mean(), change[60:70, 22:28].mean()
    assert (edge - middle) == pytest.approx(cupping * 1.1, rel=0.2)


def test_the_forehead_is_darker_when_asked(plain):
    change = (_hu(Response(front_hu=4.0)) - plain)[16]
    assert change[40:48, 60:68].mean() < -0.5
    assert change[80:88, 60:68].mean() > 0.5


def test_smooth_maps_have_their_spread_and_their_seed():
    maps = [shading(Response(broad_hu=1.5, fine_hu=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert np.array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])
    assert maps[0].std() == pytest.approx(np.hypot(1.5, 1.0), rel=0.3)


def test_scanners_differ_and_stay_within_what_scanners_do():
    drawn = [draw_response(np.random.default_rng(seed)) for seed in range(300)]
    offsets = np.array([one.offset_hu for one in drawn])
    assert 1 < offsets.std() < 3
    assert np.abs(offsets).max() < 8
    assert min(one.contrast for one in drawn) > 0.7
    assert max(one.rim_hu for one in drawn) <= 45
    assert {np.sign(one.cupping_hu) for one in drawn} == {-1, 1}
    assert len({one.seed for one in drawn}) == 300
