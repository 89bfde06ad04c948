from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from hemocast.config import PrepareConfig
from hemocast.dicom import read
from hemocast.prepare import prepare
from hemocast.simulate import Person, Protocol, build_head, render_head, scan_head
from hemocast.simulate.anatomy.atlas import axes, load_atlas, upsample
from hemocast.simulate.anatomy.shape import FIELD_SHAPE, atlas_maps, draw_shape, smooth_noise
from hemocast.simulate.disease.lesion import TissueShare
from hemocast.volume import Stack

QUIET = Protocol(noise_hu=0.0)


def _voxel_ml(volume) -> float:
    return float(np.prod(volume.spacing)) / 1000


def test_age_widens_the_fluid_spaces():
    def fluid_ml(age: float) -> float:
        volumes = [render_head(s, Person(age), protocol=QUIET, noise=False) for s in range(3)]
        return float(np.mean([((v.hu > 0) & (v.hu < 18)).sum() * _voxel_ml(v) for v in volumes]))

    assert fluid_ml(85) > 1.5 * fluid_ml(35)


@cache
def _quiet(seed: int) -> np.ndarray:
    """Return the middle of a head without noise."""
    return render_head(seed, Person(60), protocol=QUIET, noise=False).hu[10:24]


def test_heads_are_not_mirror_symmetric():
    spreads = []
    for seed in range(5):
        hu = _quiet(seed)
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
    shape = draw_shape(np.random.default_rng(0), 60, (0, 0), male=True)
    flat = replace(shape, bend=np.zeros_like(shape.bend))
    assert atlas_maps(flat).stretch == pytest.approx(np.prod(shape.scale), rel=1e-5)


def _white_hu(grades: tuple[int, int], front: bool) -> tuple[float, float]:
    """Return mean HU of the white matter before or behind, near the ventricles and far off."""
    atlas = load_atlas()
    z, y, _ = axes()
    away = upsample(-8 * np.log(np.maximum(atlas.ventricle, 1e-6)))
    pure = (atlas.white > 252) & (atlas.level > 150) & (np.abs(z - 22) < 14)
    pure &= (y > 12) & (y < 45) if front else (y < -35) & (y > -70)
    head = build_head(np.random.default_rng(5), Person(60, van_swieten=grades))
    means = []
    for part in (pure & (away < 6), pure & (away > 12) & (away < 18)):
        marked = TissueShare((0, 0, 0), 255 * part.astype(np.uint8))
        frames = scan_head(replace(head, infarct=marked), Protocol(matrix=128, blur_mm=0.0))
        means.append(float(np.average(frames.hu, weights=frames.infarct * (frames.infarct > 0.4))))
    return means[0], means[1]


@pytest.mark.parametrize(
    "front", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["anterior", "posterior"]
)
def test_leukoaraiosis_follows_the_grade_of_its_place(front):
    def graded(grade: int) -> tuple[float, float]:
        return _white_hu((grade, 0) if front else (0, grade), front)

    none, one, two = graded(0), graded(1), graded(2)
    assert one[0] < none[0] - 2.5  # a cap at the ventricle
    assert abs(one[1] - none[1]) < 1.5  # which does not reach the cortex
    assert two[1] < none[1] - 3  # this does
    other = _white_hu((0, 2) if front else (2, 0), front)
    assert np.abs(np.subtract(other, none)).max() < 1.5


CONFIG = PrepareConfig(size=128, pixel_mm=1.5)


def _mirror_spread(stack: Stack) -> float:
    """Return the standard deviation of the mirror difference of smoothed tissue, HU.

    The real head's left posterior hypodensity, and its mirror image, are left out: the front two
    thirds of the frames of the cerebrum count.
    """
    rows = slice(0, 70)
    hu = stack.frames[10:23] * 40 + 10
    inside = stack.brain[10:23] & stack.brain[10:23, :, ::-1]
    smooth = ndimage.gaussian_filter(hu, (0, 2, 2))
    inside = ndimage.binary_erosion(inside, np.ones((1, 7, 7)))
    return float((smooth - smooth[..., ::-1])[:, rows][inside[:, rows]].std())


@pytest.fixture(scope="module")
def mirror_spreads() -> list[float]:
    return [_mirror_spread(prepare(render_head(seed, Person(66)), CONFIG)) for seed in range(3)]


@pytest.mark.slow
def test_mirror_difference_is_that_of_a_real_head(mirror_spreads, ge_head):
    real = _mirror_spread(prepare(read(ge_head), CONFIG))
    assert 0.5 * real < np.mean(mirror_spreads) < 2 * real


def test_sides_differ_in_density_and_fluid_by_little_but_not_nothing():
    """Means of 40 mm boxes on both sides, noise-free: a sign without a lesion would be noise."""
    density, fluid = [], []
    for seed in range(4):
        hu = _quiet(seed)
        tissue = (hu > 18) & (hu < 50)
        water = (hu > 0) & (hu < 18)
        for top in (50, 95, 140):
            a, b = (..., slice(top, top + 45), slice(68, 123)), (
                ..., slice(top, top + 45), slice(133, 188))  # fmt: skip
            density.append(
                hu[a][tissue[a]].mean() - hu[b][:, :, ::-1][tissue[b][:, :, ::-1]].mean()
            )
            fluid.append(np.log((water[a].sum() + 50) / (water[b].sum() + 50)))
    assert 0.1 < np.std(density) < 1.5
    assert 0.08 < np.std(fluid) < 0.8
