from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy import find_brain
from hemocast.anatomy.template import CENTRE_MM
from hemocast.signs import Blood, find_blood
from hemocast.signs.blood import _grey
from hemocast.simulate import Bleed, Infarct, Person, Protocol, Stroke, render_head


def _deep_places(mask: np.ndarray, spacing: tuple[float, float, float], n: int) -> np.ndarray:
    """Draw voxels at least 12 mm inside the brain."""
    coarse = ndimage.distance_transform_edt(
        mask[:, ::4, ::4], sampling=(spacing[0], 4 * spacing[1], 4 * spacing[2])
    )
    places = np.argwhere(coarse > 12) * [1, 4, 4]
    return places[np.random.default_rng(0).choice(len(places), n)]


def test_the_real_head_shows_none(ge_volume, ge_brain, ge_pose):
    for pose in (None, ge_pose):
        blood = find_blood(ge_volume, ge_brain, pose)
        assert blood.doubt is None
        assert not blood.present
        assert blood.largest_ml < 0.3


def _at(volume, pose, mni: tuple[float, float, float]) -> tuple[int, int, int]:
    """Voxel (z, y, x) at a place of the template, mm."""
    upright = (np.array(mni) - CENTRE_MM) * pose.stretch
    x, y, z = (np.linalg.inv(volume.affine) @ pose.matrix @ [*upright, 1])[:3]
    return round(z), round(y), round(x)


def _fluid_filled(volume, place, mm: float, hu: float):
    """Fill the fluid round a place."""
    axes = [(np.arange(n) - c) * s for n, c, s in zip(volume.hu.shape, place, volume.spacing,
                                                       strict=True)]  # fmt: skip
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    smooth = ndimage.gaussian_filter(volume.hu, (0, 2, 2))
    fluid = (z**2 + y**2 + x**2 < mm**2) & (smooth < 22)
    return replace(volume, hu=np.where(fluid, volume.hu - smooth + hu, volume.hu)), fluid


def test_faint_blood_in_a_ventricle_is_seen(ge_volume, ge_brain, ge_pose):
    for side in (-1, 1):
        place = _at(ge_volume, ge_pose, (side * 9, 4, 18))
        bled, fluid = _fluid_filled(ge_volume, place, 9.0, 48.0)
        assert 1 < fluid.sum() * np.prod(ge_volume.spacing) / 1000 < 4
        for pose in (None, ge_pose):
            blood = find_blood(bled, ge_brain, pose)
            assert blood.present
            assert blood.slice_number == pytest.approx(place[0] + 1, abs=2)


@pytest.mark.parametrize("hu", [50.0, 53.0])
def test_blood_hardly_denser_than_grey_matter_is_seen_where_it_is_thick(
    ge_volume, ge_brain, ge_pose, with_ball, hu
):
    place = _at(ge_volume, ge_pose, (26, -10, 34))  # white matter beside the ventricle's body
    bled = with_ball(ge_volume, place, 2.0, hu)
    blood = find_blood(bled, ge_brain, ge_pose)
    assert blood.present
    assert blood.slice_number == pytest.approx(place[0] + 1, abs=1)


def test_grey_matter_is_what_four_fifths_of_the_tissue_near_by_are_less_dense_than():
    rng = np.random.default_rng(0)
    smooth = rng.normal(33, 4, (2, 120, 120)).astype(np.float32)
    smooth[:, :, 60:] += 10  # one half of the slice is shaded
    mask = np.ones(smooth.shape, np.bool_)
    mask[1] = False
    grey = _grey(smooth, mask, (5.0, 1.0, 1.0))
    for column in (12, 60, 108):
        near = smooth[0, 35:86, max(0, column - 25) : column + 26]
        assert grey[0, 60, column] == pytest.approx(np.quantile(near[near > 20], 0.8), abs=0.7)
    assert np.isinf(grey[1]).all()


def test_blood_along_a_sinus_counts_by_half(ge_volume, ge_brain, ge_pose, with_ball):
    place = _at(ge_volume, ge_pose, (28, -80, -21))
    little = with_ball(ge_volume, place, 1.2, 62.0)
    assert find_blood(little, ge_brain).present
    blood = find_blood(little, ge_brain, ge_pose)
    assert not blood.present
    assert blood.doubt


BLEEDS = (2, 2, 2, 3, 5, 10)


@pytest.mark.parametrize(
    "n", [0, 3, 5, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4))]
)
def test_bleeds_of_two_ml_and_more_in_the_real_head_are_seen(ge_volume, ge_brain, with_ball, n):
    place, ml = _deep_places(ge_brain.mask, ge_volume.spacing, len(BLEEDS))[n], BLEEDS[n]
    bled = with_ball(ge_volume, tuple(place), ml, 65.0)
    blood = find_blood(bled, find_brain(bled))
    assert blood.present
    assert 0.6 * ml < blood.largest_ml < 1.2 * ml
    assert 58 < blood.peak_hu < 80


@pytest.mark.slow
def test_most_bleeds_of_one_ml_in_the_real_head_are_seen(ge_volume, ge_brain, with_ball):
    seen = []
    for place in _deep_places(ge_brain.mask, ge_volume.spacing, 5):
        bled = with_ball(ge_volume, tuple(place), 1.0, 65.0)
        blood = find_blood(bled, find_brain(bled))
        if blood.present or blood.doubt:
            assert blood.slice_number == pytest.approx(int(place[0]) + 1, abs=1)
        seen.append(blood.present or blood.doubt is not None)
    assert sum(seen) >= 3


def test_a_doubt_names_how_much_and_where():
    little = Blood(False, 0.9, 0.8, 61.0, 12)
    assert little.doubt == "may hold blood of about 0.8 mL, at slice 12"
    assert replace(little, present=True).doubt is None
    assert replace(little, slice_number=None).doubt is None


@pytest.mark.parametrize("n", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_dense_calcifications_are_not_blood(ge_volume, ge_brain, with_ball, n):
    place = _deep_places(ge_brain.mask, ge_volume.spacing, 3)[n]
    calcified = with_ball(ge_volume, tuple(place), 1.0, 250.0)
    assert not find_blood(calcified, find_brain(calcified)).present


def test_the_densest_clots_are_not_taken_for_calcium(ge_volume, ge_brain, with_ball):
    (place,) = _deep_places(ge_brain.mask, ge_volume.spacing, 1)
    blood = find_blood(with_ball(ge_volume, tuple(place), 5.0, 90.0), ge_brain)
    assert blood.present
    assert blood.largest_ml > 3.5


def test_a_thin_sheet_is_not_blood(ge_volume, ge_brain):
    sheet = ge_volume.hu.copy()
    column = int(np.nonzero(ge_brain.mask)[2].mean())
    wide = round(2.5 / ge_volume.spacing[2])
    part = sheet[:, :, column : column + wide]
    part[ge_brain.mask[:, :, column : column + wide]] = 65.0
    assert not find_blood(replace(ge_volume, hu=sheet), ge_brain).present


def test_an_even_shift_of_a_slice_is_not_blood(ge_volume, ge_brain):
    brighter = ge_volume.hu.copy()
    brighter[25:] += 12
    assert not find_blood(replace(ge_volume, hu=brighter), ge_brain).present


def _under_the_skull(mask: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Depth of brain under the skull within every slice, mm."""
    depth = [ndimage.distance_transform_cdt(np.pad(level, 1))[1:-1, 1:-1] for level in mask]
    return np.array(depth) * np.float32(pixel_mm)


@pytest.fixture(scope="module")
def ge_depth(ge_volume, ge_brain) -> np.ndarray:
    return _under_the_skull(ge_brain.mask, ge_volume.spacing[2])


def test_what_bone_brightens_all_round_is_not_blood(ge_volume, ge_brain, ge_depth):
    smeared = ge_volume.hu + np.where(ge_brain.mask, 16 * np.exp(-ge_depth / 6), 0)
    blood = find_blood(replace(ge_volume, hu=smeared.astype(np.float32)), ge_brain)
    assert not blood.present
    assert blood.doubt is None


def test_as_much_on_one_side_is_blood(ge_volume, ge_brain, ge_depth):
    hu = ge_volume.hu.copy()
    shell = ge_brain.mask & (ge_depth < 9)
    shell[:14], shell[24:] = False, False
    shell[:, :, int(np.nonzero(ge_brain.mask)[2].mean()) - 40 :] = False
    hu[shell] = 65.0
    blood = find_blood(replace(ge_volume, hu=hu), ge_brain)
    assert blood.present
    assert blood.slice_number == pytest.approx(19, abs=4)


@pytest.mark.parametrize(
    "seed", [0, 3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_simulated_heads_without_blood(seed):
    infarct = Infarct(("MCA", "PCA", "ACA", "cerebellar")[seed], "left", 60.0)
    volume = render_head(seed, Person(80), Stroke(infarct))
    assert not find_blood(volume, find_brain(volume)).present


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), 2])
def test_simulated_bleeds(seed):
    infarct = Infarct(("MCA", "PCA", "MCA")[seed], "right", 60.0)
    protocol = Protocol(rotation_degrees=(10, -5, 8), slice_mm=(5.0, 2.5, 6.0)[seed])
    stroke = Stroke(infarct, bleed=Bleed("PH1", 8.0))
    volume = render_head(seed, stroke=stroke, protocol=protocol)
    blood = find_blood(volume, find_brain(volume))
    assert blood.present
    assert blood.volume_ml == pytest.approx(8.0, rel=0.4)


def _forty_heads() -> Iterator[tuple[int, Person, Infarct]]:
    for seed in range(100, 140):
        infarct = Infarct(("MCA", "PCA", "ACA", "cerebellar")[seed % 4], "left", 50.0)
        yield seed, Person(50 + seed % 40), infarct


@pytest.mark.slow
def test_no_false_alarm_over_many_simulated_heads():
    volumes = (
        render_head(seed, person, Stroke(infarct)) for seed, person, infarct in _forty_heads()
    )
    assert sum(find_blood(volume, find_brain(volume)).present for volume in volumes) == 0


@pytest.mark.slow
def test_sensitivity_over_many_simulated_heads():
    seen = 0
    for seed, person, infarct in _forty_heads():
        bled = render_head(seed, person, Stroke(infarct, bleed=Bleed("PH1", 3.0)))
        seen += find_blood(bled, find_brain(bled)).present
    assert seen >= 38
